import * as z from 'zod';
import type { PageStart } from '../domain/ports.ts';
import { verificationId } from '../domain/verification.ts';

const start = z.tuple([verificationId, z.iso.datetime()]);

/** Opaque to callers; holds no tenant, so it opens no other tenant's list. */
export function writeCursor({ verificationId, createdAt }: PageStart): string {
  return Buffer.from(JSON.stringify([verificationId, createdAt])).toString('base64url');
}

/** Where a page begins, or undefined for a text that is no cursor. */
export function readCursor(cursor: string): PageStart | undefined {
  const parsed = start.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!parsed.success) return undefined;
  const [verificationId, createdAt] = parsed.data;
  return { verificationId, createdAt };
}

const place = z.strictObject({
  list: z.string().max(20),
  after: z.string().max(200),
  since: z.string().max(40).optional(),
  backTo: z.string().max(40).optional(),
});

/** Where a page of a list begins whose places are texts. */
export type ListPlace = Omit<z.infer<typeof place>, 'list'>;

/** The cursor of a place; `list` says in which list, for it is none in another. */
export function writePlace(list: string, at: ListPlace): string {
  return Buffer.from(JSON.stringify({ list, ...at })).toString('base64url');
}

/** The place, or undefined for a text that is no cursor of this list. */
export function readPlace(wanted: string, cursor: string): ListPlace | undefined {
  const parsed = place.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!parsed.success || parsed.data.list !== wanted) return undefined;
  const { list: _, ...at } = parsed.data;
  return at;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
