import * as z from 'zod';
import { Fault } from '../domain/fault.ts';
import type { Fetch } from './provider.ts';
import { readJson } from './wire-values.ts';

/** One POST to a vendor. */
export interface Call {
  /** The provider's name: the only thing about the call that a fault may tell. */
  readonly provider: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | ReadableStream<Uint8Array>;
  /** From the first byte sent to the last byte read. */
  readonly timeoutSeconds: number;
  readonly fetch: Fetch;
  /** Refusals whose body says more than their status; all others are faults already. */
  readonly readStatuses?: readonly number[];
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** No documented answer is larger than a few kilobytes. */
export const maximumAnswerBytes = 1024 * 1024;

/**
 * Calls a vendor and returns what it said, or throws the Fault that says whom to ask next. A vendor is a stranger: it may
 * be slow, send us elsewhere, never stop sending, or answer something else entirely; and its words, our key and our URL
 * stay out of every fault (so there is no `cause` either: undici's and JSON.parse's messages quote them).
 */
export async function callVendor(call: Call): Promise<Answered> {
  const { provider } = call;
  const deadline = AbortSignal.timeout(Math.ceil(call.timeoutSeconds * 1000));
  try {
    const response = await call.fetch(call.url, {
      method: 'POST',
      headers: { accept: 'application/json', ...call.headers },
      body: call.body,
      redirect: 'manual', // a redirect would take the capture and the key to another host
      // Otherwise Node 24.14 and 24.15 turn a 401 to a streamed body into a network error (nodejs/undici#5018).
      credentials: 'omit',
      signal: deadline,
      ...(typeof call.body === 'string' ? {} : { duplex: 'half' as const }),
    });
    const refusal = refusalOf(response, provider, call.readStatuses ?? []);
    if (refusal) {
      await response.body?.cancel().catch(() => undefined);
      throw refusal;
    }
    return { status: response.status, text: await readCapped(response, provider) };
  } catch (error) {
    const fault = faultWithin(error);
    if (fault) throw fault;
    if (deadline.aborted) throw new Fault('provider_timed_out', `${provider} did not answer in time.`);
    throw new Fault('provider_unreachable', `The connection to ${provider} failed${networkCode(error)}.`);
  }
}

/** What `schema` reads in a vendor's answer; anything else is not the vendor, or not as we know it. */
export function readAnswer<Schema extends z.ZodType>(schema: Schema, text: string, provider: string): z.output<Schema> {
  const json = readJson(text);
  if (json === undefined) throw new Fault('provider_unreadable', `${provider} answered something that is not JSON.`);
  const read = schema.safeParse(json);
  if (!read.success) throw new Fault('provider_unreadable', `${provider} answered JSON of an unknown shape.`);
  return read.data;
}

/** Where a vendor is reached: https, or http on this computer (simulator, local mode). Nothing but a host and a path. */
export const baseUrl = z
  .string()
  .refine((text) => {
    if (!URL.canParse(text) || /[?#\s]/.test(text)) return false;
    const { protocol, hostname, username, password } = new URL(text);
    const here = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
    return (protocol === 'https:' || (protocol === 'http:' && here)) && username === '' && password === '';
  }, 'must be an https address without user, query or fragment')
  .transform((text) => text.replace(/\/+$/, ''));

/** A key or token as it may stand in a header: a line break in it would be another header. */
export const secret = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,512}$/);

function refusalOf({ status, type }: Response, provider: string, readStatuses: readonly number[]): Fault | undefined {
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return new Fault('provider_unreadable', `${provider} answered a redirect, which is not followed.`);
  }
  if ((status >= 200 && status < 300) || readStatuses.includes(status)) return undefined;
  const detail = `${provider} answered ${status}.`;
  if (status === 401 || status === 403) return new Fault('provider_unauthorized', detail);
  if (status === 402) return new Fault('provider_credits_spent', detail);
  if (status === 429) return new Fault('provider_throttled', detail);
  if (status >= 500) return new Fault('provider_failed', detail);
  return new Fault('provider_refused', detail);
}

async function readCapped(response: Response, provider: string): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  // The length a vendor declares is not believed: decompressed, a body may be any size.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maximumAnswerBytes) {
      throw new Fault('provider_unreadable', `${provider} answered more than ${maximumAnswerBytes} bytes.`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** A Fault thrown while a capture was streamed comes back wrapped by fetch. */
function faultWithin(error: unknown, depth = 0): Fault | undefined {
  if (error instanceof Fault) return error;
  return error instanceof Error && depth < 5 ? faultWithin(error.cause, depth + 1) : undefined;
}

function networkCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? ` (${code})` : '';
}
