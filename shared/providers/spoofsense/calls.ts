import * as z from 'zod';
import { type ContentType, imageTypes, sniffContentType } from '../../domain/captures.ts';
import { Fault } from '../../domain/fault.ts';

/** Body of `/antispoofing` and `/robust`. */
export const call = z.object({ data: z.string() });

/** A picture, and what it is by its magic bytes. */
export interface Picture {
  readonly contentType: ContentType;
  readonly bytes: Uint8Array;
}

/**
 * The picture in a call's body, which is JSON whatever its content type says. Base64 may have a data URL's prefix, line
 * breaks, and its padding left out, as clients send it. Throws `request_unreadable` where there is no picture.
 */
export function readCall(body: Uint8Array): Picture {
  const parsed = call.safeParse(parsedJson(body));
  const bytes = parsed.success ? base64Bytes(parsed.data.data) : undefined;
  const contentType = bytes && sniffContentType(bytes);
  if (bytes && contentType && isImage(contentType)) return { contentType, bytes };
  throw new Fault('request_unreadable', 'data: send a picture as base64.');
}

const isImage = (type: ContentType): boolean => imageTypes.some((image) => image === type);

function parsedJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** `Buffer.from` refuses nothing: it reads around what is not base64. */
function base64Bytes(text: string): Uint8Array | undefined {
  const bare = text.replace(/^data:[^,]{0,100};base64,/i, '').replaceAll(/\s+/g, '');
  const digits = bare.replace(/={1,2}$/, '');
  const isBase64 = /^[A-Za-z0-9+/]+$/.test(digits) && digits.length % 4 !== 1;
  if (!isBase64 || (bare.length !== digits.length && bare.length % 4 !== 0)) return undefined;
  return Buffer.from(digits, 'base64');
}
