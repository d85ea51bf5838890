import { createHash } from 'node:crypto';
import * as z from 'zod';
import { sourceId } from '../../domain/verification.ts';
import { jsonOf } from '../wire-values.ts';
import { service } from './wire.ts';

/** Text that is stored and told again as it came: half a surrogate pair would not be. */
const text = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode');

const link = text(4096).refine((value) => /^https?:$/.test(URL.parse(value)?.protocol ?? ''), 'must be a link');

/** Body of `POST /identify`. */
export const call = z.object({
  service: z.literal(service),
  payload: z.object({ image_link: link, webhook_name: text(64), source_id: text(1024) }),
});

/** The service that a call names has to be right before anything else of it is looked at. */
const named = call.pick({ service: true });

/** A call that names another service; or what is ordered, undefined where the payload is not as documented. */
export type Read = { readonly kind: 'other_service' } | { readonly kind: 'order'; readonly call: Call | undefined };

/** An order as the act takes it. */
export interface Call {
  readonly vendor: 'identify';
  readonly sourceId: string;
  readonly order: { readonly sourceId: string; readonly imageLink: string; readonly webhookName: string };
  readonly requestHash: string;
}

/** What a call's body orders: JSON whatever its content type says. */
export function readCall(body: Uint8Array): Read {
  const json = jsonOf(body);
  if (!named.safeParse(json).success) return { kind: 'other_service' };
  const { data } = call.safeParse(json);
  if (!data) return { kind: 'order', call: undefined };
  const { image_link: imageLink, webhook_name: webhookName, source_id: theirs } = data.payload;
  const order = { sourceId: theirs, imageLink, webhookName };
  const requestHash = sha256(JSON.stringify([service, theirs, imageLink, webhookName]));
  return { kind: 'order', call: { vendor: 'identify', sourceId: ourSourceId(theirs), order, requestHash } };
}

/** `identify.` and theirs; hashed where ours takes fewer characters: theirs may be any text. */
export function ourSourceId(theirs: string): string {
  const plain = `identify.${theirs}`;
  return sourceId.safeParse(plain).success ? plain : `identify.sha256:${sha256(theirs)}`;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
