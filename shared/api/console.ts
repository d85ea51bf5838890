import * as z from 'zod';
import { captureName, check } from '../domain/captures.ts';
import { operatorName, operatorRole } from '../domain/operator.ts';
import { outcome, reason, review } from '../domain/verdict.ts';
import { maximumRounds } from '../domain/verification.ts';
import { readPlace } from './cursor.ts';
import { faultCodeView, historyView, verificationView } from './verifications.ts';

/** The console's words on the wire: what an operator's browser asks under `/console`, and what it is answered. */

/** Body of `POST /console/session`. */
export const signInRequest = z.strictObject({
  code: z.string().max(200).describe('Of the invitation’s link: what stands behind `#i_`. It works once'),
});

const operatorView = z.object({ id: z.string(), name: operatorName, role: operatorRole });

/** `GET /console/session`. */
export const sessionView = z.object({
  operator: operatorView,
  tenant: z.string(),
  expires_at: z.string().describe('When the session ends: eight hours after the sign-in'),
});

/** `DELETE /console/session`. */
export const signedOutView = z.object({ signed_out: z.literal(true) });

/** `GET /console/settings`. */
export const consoleSettingsView = z.object({
  oidc: z.boolean().describe('Whether GET /console/sign-in leads to an identity provider'),
});

export const keptCaptureView = z.object({
  name: captureName,
  round: z.int(),
  content_type: z.string().nullable().describe('As it was declared. Null for a capture of an earlier round'),
  bytes: z.int(),
  landed_at: z.string(),
});

/** `GET /console/verifications/{source_id}`: all of a verification in one answer. */
export const consoleVerificationView = z.object({
  verification: verificationView,
  history: historyView.shape.history,
  notes_dropped: z.int(),
  captures: z.array(keptCaptureView).describe('Those that are still stored'),
});

/** Body of `POST /console/verifications/{source_id}/review`: who reviews is the operator of the session. */
export const consoleReviewRequest = z.strictObject({
  sequence: review.shape.sequence.describe('Of the verification as the reviewer saw it'),
  outcome: review.shape.outcome,
  reason: review.shape.reason.describe('The reviewer’s words: erased with the rest'),
});

/** Body of `POST /console/verifications/{source_id}/looks`. */
export const lookRequest = z.strictObject({
  capture: captureName,
  round: z.int().min(1).max(maximumRounds).optional().describe('The current round where absent'),
});

/** A capture for a reviewer's eyes. */
export const lookView = z.object({
  url: z.url().describe('Of the capture’s bytes. It works for a minute'),
  expires_at: z.string(),
  content_type: z.string(),
});

/** `GET /console/verifications/{source_id}/looks`: who looked at captures, the newest first. */
export const looksView = z.object({
  looks: z.array(
    z.object({
      at: z.string(),
      operator: z.string().describe('Name and id of the operator'),
      capture: captureName,
      round: z.int(),
    }),
  ),
});

/** `GET /console/breakers`: every provider that the tenant's policy can ask. */
export const breakersView = z.object({
  breakers: z.array(
    z.object({
      provider: z.string(),
      state: z.enum(['closed', 'open']).describe('Open: it is not asked until `open_until`, then once to try'),
      open_until: z.string().optional(),
      openings: z.int().optional().describe('How often it opened without closing: each time for longer'),
      reason: z.string().optional().describe('The fault code that opened it last'),
    }),
  ),
});

/** Query of `GET /console/outcomes`. */
export const outcomesQuery = z.object({
  after: z
    .string()
    .max(400)
    .transform((text, context) => {
      const place = readPlace('outcomes', text);
      if (place) return place.after;
      context.addIssue('is not a cursor of this list: send cursor as the answer before gave it');
      return z.NEVER;
    })
    .optional()
    .describe('cursor of an earlier answer: what is newer alone'),
});

export const outcomeView = z.object({
  id: z.string().describe('Of the decision. One that was answered within the last minute may come again: take it once'),
  at: z.string(),
  check,
  outcome: z.enum([...outcome.options, 'errored']),
  reasons: z.array(reason),
  fault: faultCodeView.optional(),
  provider: z.string().describe('Empty where none was asked'),
  seconds: z.number().nullable().describe('From the last landing of the round to the verdict'),
});

/** `GET /console/outcomes`: what was decided or errored, the newest first, 1,000 at the most. */
export const outcomesView = z.object({
  outcomes: z.array(outcomeView),
  cursor: z.string().describe('Send it as `after` to get what is newer'),
});

/** A page of HTML, as text. */
export const htmlPage = z.string();
