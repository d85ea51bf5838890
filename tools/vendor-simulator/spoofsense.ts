import type { IncomingMessage } from 'node:http';
import {
  contentTooLong,
  endpoint,
  maximumContentBytes,
  type Processed,
  request,
  type Unprocessed,
} from '../../shared/providers/spoofsense/wire.ts';
import { json, type Reply, type Says } from './behaviour.ts';
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

/** Both documented editions: without `error_code`, and with it. */
export type Edition = 'messages' | 'error_codes';

export function answer(said: Says, edition: Edition): Reply {
  const processed = (prob_real: number): Reply =>
    json(200, {
      success: true,
      message: 'Process finished successfully',
      model_output: { pred_idx: prob_real > 0.5 ? 'real' : 'spoof', prob_real },
    } satisfies Processed);
  const unprocessed = (message: string, error_code?: string): Reply =>
    json(200, { success: false, message, ...(error_code ? { error_code } : {}) } satisfies Unprocessed);
  const codes = edition === 'error_codes';
  switch (said) {
    case 'genuine':
      return processed(0.9997915625572205);
    case 'spoof':
      return processed(0.00045343424235454);
    case 'no_face':
      return codes ? unprocessed('Face detection failed', 'FACE_NOT_DETECTED') : unprocessed('face not detected');
    case 'unreadable':
      return codes
        ? unprocessed('Invalid input image payload', 'INVALID_IMAGE_PAYLOAD')
        : unprocessed('Invalid base64 string');
    case 'face_too_small':
      if (!codes) break;
      return unprocessed('Detected face box: 90x80 smaller than minimum required size: 128x128', 'FACE_TOO_SMALL');
  }
  return unprocessed('An undocumented message');
}
