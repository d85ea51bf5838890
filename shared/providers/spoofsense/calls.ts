import * as z from 'zod';
import { type CaptureFile, captureFile } from '../../domain/captures.ts';
import { Fault } from '../../domain/fault.ts';
import { jsonOf } from '../wire-values.ts';

/** Body of `/antispoofing` and `/robust`. */
export const call = z.object({ data: z.string() });

/**
 * The picture in a call's body, which is JSON whatever its content type says. Base64 may have a data URL's prefix, line
 * breaks, and its padding left out, as clients send it. Throws `request_unreadable` where there is no picture.
 */
export function readCall(body: Uint8Array): CaptureFile {
  const parsed = call.safeParse(jsonOf(body));
  const bytes = parsed.success ? base64Bytes(parsed.data.data) : undefined;
  const picture = bytes && captureFile('selfie', bytes);
  if (!picture) throw new Fault('request_unreadable', 'data: send a picture as base64.');
  return picture;
}

/** `Buffer.from` refuses nothing: it reads around what is not base64. */
function base64Bytes(text: string): Uint8Array | undefined {
  const bare = text.replace(/^data:[^,]{0,100};base64,/i, '').replaceAll(/\s+/g, '');
  const digits = bare.replace(/={1,2}$/, '');
  const isBase64 = /^[A-Za-z0-9+/]+$/.test(digits) && digits.length % 4 !== 1;
  if (!isBase64 || (bare.length !== digits.length && bare.length % 4 !== 0)) return undefined;
  return Buffer.from(digits, 'base64');
}
