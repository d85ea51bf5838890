import type { IncomingMessage } from 'node:http';
import type { Check } from '../../shared/domain/captures.ts';
import { type Problem, answer as written } from '../../shared/providers/onesmartlab/answers.ts';
import { endpoints } from '../../shared/providers/onesmartlab/wire.ts';
import { json, type Reply, type Says } from './behaviour.ts';
import { canFind, invented, reasonOf } from './invented.ts';
import { describeCapture, type Parsed, type ReceivedCapture } from './request.ts';

/** Which check a path under `/v1.1` is. */
export function checkOf(path: string): Check | undefined {
  return (Object.keys(endpoints) as Check[]).find((check) => `/v1.1${endpoints[check].path}` === path);
}

/** Multipart, read by the platform's own parser: not by anything that shares code with our client. */
export async function parse(incoming: IncomingMessage, body: Buffer): Promise<Parsed> {
  const form = await new Response(new Uint8Array(body), {
    headers: { 'content-type': incoming.headers['content-type'] ?? '' },
  })
    .formData()
    .catch(() => undefined);
  if (!form) return { key: undefined, fields: { problem: 'multipart' }, captures: {} };
  const fields: Record<string, string> = {};
  const captures: Record<string, ReceivedCapture> = {};
  for (const [name, value] of form.entries()) {
    if (typeof value === 'string') fields[name] = value;
    else captures[name] = describeCapture(new Uint8Array(await value.arrayBuffer()), value.type);
  }
  const { api_key: key, ...others } = fields;
  return { key, fields: others, captures };
}

export const problem = (error: string): Reply => json(200, { error } satisfies Problem);

export function missing(check: Check, { captures, fields }: Parsed): boolean {
  const files = Object.keys(endpoints[check].files).some((name) => !captures[name]);
  return files || (check === 'video_verify' && !(fields.audiochallenge && fields.languageCode));
}

export function answer(check: Check, said: Says, { fields }: Parsed): Reply {
  if (!canFind(check, said)) return problem(`Could not process: ${said}`);
  const { audiochallenge: challenge, languageCode } = fields;
  return json(200, written(check, invented(check, reasonOf[said], { challenge, languageCode })));
}
