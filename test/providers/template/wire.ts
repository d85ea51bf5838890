import * as z from 'zod';
import { looseProbability } from '../../../shared/providers/wire-values.ts';

/** What a client sends. Their spelling stays in this file. */
export const request = z.object({ image: z.string() });
export type Request = z.infer<typeof request>;

/** What comes back. Read leniently what does not matter, and not at all what is not documented. */
export const response = z.discriminatedUnion('result', [
  z.object({ result: z.literal('ok'), live_score: looseProbability }),
  z.object({ result: z.literal('no_face') }),
]);
export type Response = z.input<typeof response>;
