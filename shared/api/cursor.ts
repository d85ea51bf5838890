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

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
