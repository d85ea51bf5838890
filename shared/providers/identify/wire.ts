import * as z from 'zod';
import { anError, ifReadable, looseBoolean, looseNumber, looseProbability, noError } from '../wire-values.ts';

/** The only service of Identify there is a document of. */
export const service = 'identify-anti-spoof';

/** `POST`: what a client sends. */
export const request = z.object({
  service: z.literal(service),
  payload: z.object({ image_link: z.string(), webhook_name: z.string(), source_id: z.string() }),
});
export type Request = z.infer<typeof request>;

/** 2xx: the request was taken, the result comes by webhook. */
export const received = z
  .object({ message: z.unknown().optional(), remaining_credits: ifReadable(looseNumber) })
  .refine(({ message, remaining_credits }) => message !== undefined || typeof remaining_credits === 'number');

/** 401 and 422: "a message from the json response describing the error". */
export const refused = z.object({ message: z.string() });

/** ISO 8601, says the document. It is not read, so that no way of writing a time costs a verdict. */
const completedAt = z.unknown().optional();

/** Not read: they may be links of ours, which are signed. */
const links = { image_link: z.unknown().optional(), image_source_link: z.unknown().optional() };

/** What is posted to the client's webhook when the image was processed. Both spellings of the link are documented. */
export const result = z.object({
  source_event: z.literal(service),
  payload: z.object({
    passed: looseBoolean,
    /** That the *result* is correct, whichever it is. */
    probability: looseProbability.nullish(),
    source_id: z.string(),
    ...links,
  }),
  error: noError.optional(),
  completed_at: completedAt,
});

/** What is posted when it could not be processed. Only what names the request matters then, and even that may be missing. */
export const failure = z.object({
  source_event: z.literal(service),
  payload: ifReadable(z.object({ source_id: ifReadable(z.string()) })),
  error: anError,
  completed_at: completedAt,
});
