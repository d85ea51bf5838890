import type { IncomingMessage } from 'node:http';
import {
  accepted as acceptance,
  type Failure,
  posted,
  type Refused,
  type Result,
} from '../../shared/providers/identify/answers.ts';
import { request, service } from '../../shared/providers/identify/wire.ts';
import { json, type Reply, type Says } from './behaviour.ts';
import { canFind, invented, reasonOf } from './invented.ts';
import type { Parsed } from './request.ts';

/** `POST /identify`. The token may come in any header: the document does not name one. */
export function parse(incoming: IncomingMessage, body: Buffer): Parsed {
  const read = request.safeParse(tryJson(body));
  const token = incoming.headers.authorization ?? incoming.headers['x-api-key'] ?? incoming.headers['x-api-token'];
  const key = String(token ?? '')
    .split(' ')
    .at(-1);
  if (!read.success) return { key, fields: { problem: problemOf(tryJson(body)) }, captures: {} };
  const { image_link: imageLink, ...payload } = read.data.payload;
  return { key, fields: { service, ...payload }, captures: {}, imageLink };
}

const problemOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'service' in body && body.service === service ? 'payload' : 'service';

export const refusals = {
  unauthorized: json(401, { message: 'Invalid API token' } satisfies Refused),
  invalid_service: json(422, { message: 'Invalid service name' } satisfies Refused),
  no_credits: json(422, { message: 'Not enough credits' } satisfies Refused),
  invalid_payload: json(422, { message: 'Invalid payload' } satisfies Refused),
} as const;

export const accepted = (remainingCredits: number): Reply => json(200, acceptance(remainingCredits).body);

/** The webhook's body. Identify says passed or not; all else it could see in an image is an error of its own. */
export function resultOf(said: Says, sourceId: string, imageLink: string, now: Date): Result | Failure {
  const about = { imageLink, sourceId, endedAt: now.toISOString() };
  if (!canFind('spoof_detect', said)) return posted({ kind: 'errored', fault: 'provider_failed' }, about);
  return posted({ kind: 'decided', verdict: invented('spoof_detect', reasonOf[said]).verdict }, about);
}

function tryJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
