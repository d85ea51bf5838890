import * as z from 'zod';

export const vendor = z.enum(['identify', 'spoofsense', 'onesmartlab']);
export type Vendor = z.infer<typeof vendor>;

/** What a simulated vendor finds in a capture. Where it has no words for it, it answers with its undocumented error. */
export const says = z.enum([
  'genuine',
  'spoof',
  'no_face',
  'multiple_faces',
  'face_too_small',
  'face_too_large',
  'unreadable',
  'mismatch',
  'face_changed',
  'wrong_digits',
  'digits_not_heard',
]);
export type Says = z.infer<typeof says>;

/** How the answer itself goes wrong. */
export const fault = z.enum([
  'unauthorized', // 401
  'forbidden', // 403, as an API gateway says it
  'too_large', // 413
  'invalid_service', // 422, the three kinds
  'no_credits',
  'invalid_payload',
  'throttled', // 429
  'failed', // 500
  'unavailable', // 503
  'error', // One Smart Lab's {"error": …}, a success: false of an unknown kind elsewhere
  'not_json',
  'stranger', // JSON, but of another service
  'half_json', // a whole HTTP answer with half of a JSON body
  'half_sent', // the connection ends in the middle of the body
  'slow_body', // headers at once, then a byte now and then
  'huge', // 8 MB of JSON
  'redirect',
  'reset', // the connection is reset before a byte of the answer
  'hang', // no answer at all
]);
export type Fault = z.infer<typeof fault>;

/** How Identify's webhook is delivered. */
export const webhook = z.object({
  /** `before`: it beats the response it belongs to. */
  when: z.enum(['after', 'before', 'never']).default('after'),
  delayMilliseconds: z.int().nonnegative().default(0),
  times: z.int().positive().default(1),
  /** The opposite verdict follows. */
  contradict: z.boolean().default(false),
  /** Posted instead of the documented body; in a string, `{source_id}` becomes the request's. */
  body: z.unknown().optional(),
});

/** One answer of a simulated vendor. */
export const behaviour = z.object({
  /** Before anything is answered. */
  latencyMilliseconds: z.int().nonnegative().optional(),
  fault: fault.optional(),
  says: says.optional(),
  webhook: webhook.partial().optional(),
});
export type Behaviour = z.infer<typeof behaviour>;
export type Webhook = z.infer<typeof webhook>;

/** What is done in place of a vendor's own answer. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

export const json = (status: number, body: unknown): Reply => ({ status, body: JSON.stringify(body) });
