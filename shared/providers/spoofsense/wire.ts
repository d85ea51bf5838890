import * as z from 'zod';
import type { Measurements } from '../../domain/verdict.ts';
import { ifReadable, looseProbability } from '../wire-values.ts';

/** The endpoints, and above which `prob_real` each calls a face real. */
export const defaultThresholds = { antispoofing: 0.55, robust: 0.5 } as const;
export const endpoint = z.enum(['antispoofing', 'robust']);
export type Endpoint = z.infer<typeof endpoint>;

/** `POST /antispoofing` and `/robust`: what a client sends. */
export const request = z.object({ data: z.string() });
export type Request = z.infer<typeof request>;

/** The longest content either endpoint takes, and what a longer one is told with 413. */
export const maximumContentBytes = 10_485_760;
export const contentTooLong = `HTTP content length exceeded ${maximumContentBytes} bytes.`;

export const processed = z.object({
  success: z.literal(true),
  message: z.unknown().optional(),
  /** The class is not asked: `prob_real` decides. */
  model_output: z.object({ pred_idx: z.unknown().optional(), prob_real: looseProbability }),
});

export const errorCode = z.enum(['FACE_NOT_DETECTED', 'INVALID_IMAGE_PAYLOAD', 'FACE_TOO_SMALL']);
export type ErrorCode = z.infer<typeof errorCode>;

/** The older edition says why in `message` alone, the newer one in `error_code`. */
export const unprocessed = z.object({
  success: z.literal(false),
  message: ifReadable(z.string()),
  error_code: z.string().nullish(),
});

export const response = z.discriminatedUnion('success', [processed, unprocessed]);

/** The older edition's words for what the newer one has codes for. It knows no size of face. */
export const messagesWithoutCode = {
  'face not detected': 'FACE_NOT_DETECTED',
  'Invalid base64 string': 'INVALID_IMAGE_PAYLOAD',
} as const satisfies Record<string, ErrorCode>;

/** Which documented problem this is, in either edition; undefined for one in neither document. */
export function problemOf({ message, error_code }: z.output<typeof unprocessed>): ErrorCode | undefined {
  if (error_code) return errorCode.safeParse(error_code).data;
  const said = message?.trim().toLowerCase();
  return Object.entries(messagesWithoutCode).find(([words]) => words.toLowerCase() === said)?.[1];
}

/** Of a face that is too small: its height and width, which the message alone has. */
export function faceBoxIn({ message }: z.output<typeof unprocessed>): Measurements {
  const [, height, width] = /^Detected face box: (\d{1,5})x(\d{1,5}) /.exec(message ?? '') ?? [];
  return height && width ? { face_height_px: Number(height), face_width_px: Number(width) } : {};
}
