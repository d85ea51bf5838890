import type { IncomingMessage } from 'node:http';
import { type Edition, unprocessed, answer as written } from '../../shared/providers/spoofsense/answers.ts';
import { contentTooLong, endpoint, maximumContentBytes, request } from '../../shared/providers/spoofsense/wire.ts';
import { json, type Reply, type Says } from './behaviour.ts';
import { canFind, invented, reasonOf } from './invented.ts';
import { describeCapture, type Parsed } from './request.ts';

/** `POST /antispoofing` and `/robust`, also under `/prod`, the stage of the vendor's own address. */
export function parse(incoming: IncomingMessage, body: Buffer): Parsed {
  const key = String(incoming.headers['x-api-key'] ?? '');
  try {
    const { data } = request.parse(JSON.parse(body.toString()));
    const bytes = Buffer.from(data, 'base64');
    // Node skips what is not base64, and the vendor does not: only what comes back as it came was base64.
    if (data === '' || bytes.toString('base64') !== data) throw new Error('not base64');
    return { key, fields: {}, captures: { data: describeCapture(bytes) } };
  } catch {
    return { key, fields: { problem: 'payload' }, captures: {} };
  }
}

export const tooLarge: Reply = { status: 413, body: contentTooLong, contentType: 'text/plain; charset=utf-8' };
export const isTooLarge = (body: Buffer): boolean => body.length > maximumContentBytes;

const paths = endpoint.options.flatMap((name) => [`/${name}`, `/prod/${name}`]);
export const isPath = (path: string): boolean => paths.includes(path);

/** What its document has no words for, it says in words of its own. */
export const undocumented = json(200, { success: false, message: 'An undocumented message' });

export function answer(path: string, said: Says, edition: Edition): Reply {
  if (!canFind('spoof_detect', said)) return undocumented;
  const asked = { endpoint: endpoint.parse(path.split('/').at(-1)), edition };
  return json(200, written(invented('spoof_detect', reasonOf[said]), asked));
}

export const unreadable = (edition: Edition): Reply => json(200, unprocessed('INVALID_IMAGE_PAYLOAD', edition));
