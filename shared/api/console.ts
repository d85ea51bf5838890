import * as z from 'zod';
import { captureName, check } from '../domain/captures.ts';
import { orLater } from '../domain/later.ts';
import { type Operator, operatorName, operatorRole, type Session, signatureOf } from '../domain/operator.ts';
import type { KeptOutcome } from '../domain/outcome.ts';
import type { Look } from '../domain/ports.ts';
import { isoOf } from '../domain/times.ts';
import { outcome, type Review, reason, review } from '../domain/verdict.ts';
import { maximumRounds, type Verification } from '../domain/verification.ts';
import type { ListedBreaker } from '../lifecycle/list-breakers.ts';
import type { KeptCapture } from '../lifecycle/look.ts';
import { readPlace, writePlace } from './cursor.ts';
import {
  faultCodeView,
  historyView,
  moment,
  verificationView,
  viewHistory,
  viewVerification,
} from './verifications.ts';

/** What an identity provider sends along when it sends a browser back. */
export const callbackQuery = z.looseObject({ state: z.string().max(2048).optional() });

/** The console's words on the wire: what an operator's browser asks under `/console`, and what it is answered. */

/** Body of `POST /console/session`. */
export const signInRequest = z.strictObject({
  code: z.string().max(200).describe('Of the invitation’s link: what stands behind `#i_`. It works once'),
});

const operatorView = z.object({ id: z.string(), name: operatorName, role: orLater(operatorRole) });

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
  content_type: z.string().describe('As it was declared'),
});

/** `GET /console/verifications/{source_id}/looks`: who looked at captures, the newest first. */
export const looksView = z.object({
  looks: z.array(
    z.object({
      at: z.string(),
      operator: z.string().describe('Name and id of the operator'),
      capture: orLater(captureName),
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
      if (place && moment.safeParse(place.after).success) return place.after;
      context.addIssue('is not a cursor of this list: send cursor as the answer before gave it');
      return z.NEVER;
    })
    .optional()
    .describe('cursor of an earlier answer: what is newer alone'),
});

export const outcomeView = z.object({
  id: z.string().describe('Of the decision. One that was answered within the last minute may come again: take it once'),
  at: z.string(),
  check: orLater(check),
  outcome: orLater(z.enum([...outcome.options, 'errored'])),
  reasons: z.array(orLater(reason)),
  fault: orLater(faultCodeView).optional(),
  provider: z.string().describe('Empty where none was asked'),
  seconds: z.number().nullable().describe('From the last landing of the round to the verdict'),
});

/** `GET /console/outcomes`: what was decided or errored, the newest first, 1,000 at the most. */
export const outcomesView = z.object({
  outcomes: z.array(outcomeView),
  cursor: z.string().describe('Send it as `after` to get what is newer'),
});

/** The session, as the page of the console shows it. */
export function viewSession({ operator, tenant, expiresAt }: Session): z.infer<typeof sessionView> {
  const { id, name, role } = operator;
  return { operator: { id, name, role }, tenant: tenant.id, expires_at: isoOf(expiresAt) };
}

/** All of a verification that an operator sees at once. */
export function viewForOperator(
  record: Verification,
  sourceId: string,
  captures: readonly KeptCapture[],
): z.infer<typeof consoleVerificationView> {
  const { history, notes_dropped } = viewHistory(record, sourceId);
  const kept = captures.map(({ name, round, contentType, bytes, storedAt }) => {
    return { name, round, content_type: contentType ?? null, bytes, landed_at: storedAt };
  });
  return { verification: viewVerification(record, sourceId), history, notes_dropped, captures: kept };
}

/** The review that an operator gives: signed with the operator's own name and id. */
export function reviewOf(body: z.infer<typeof consoleReviewRequest>, operator: Operator): Review {
  return { ...body, reviewer: signatureOf(operator) };
}

export function viewLook({
  url,
  expiresAt,
  contentType,
}: {
  readonly url: string;
  readonly expiresAt: Date;
  readonly contentType: string;
}): z.infer<typeof lookView> {
  return { url, expires_at: expiresAt.toISOString(), content_type: contentType };
}

/** Looks by the name of each operator; by the id alone where the operator is forgotten. */
export function viewLooks(looks: readonly Look[], operators: readonly Operator[]): z.infer<typeof looksView> {
  const signatures = new Map(operators.map((operator) => [operator.id, signatureOf(operator)]));
  const shown = looks.map(({ at, operatorId, capture, round }) => {
    return { at, operator: signatures.get(operatorId) ?? operatorId, capture, round };
  });
  return { looks: shown };
}

export function viewBreakers(breakers: readonly ListedBreaker[]): z.infer<typeof breakersView> {
  const shown = breakers.map(({ provider, breaker }) => {
    if (!breaker) return { provider, state: 'closed' as const };
    const { openUntil, openings, reason } = breaker;
    return { provider, state: 'open' as const, open_until: isoOf(openUntil), openings, ...(reason && { reason }) };
  });
  return { breakers: shown };
}

function viewOutcome({ id, at, check, outcome, reasons, fault, provider, seconds }: KeptOutcome) {
  return { id, at, check, outcome, reasons, ...(fault !== undefined && { fault }), provider, seconds };
}

export function viewOutcomes({
  outcomes,
  until,
}: {
  readonly outcomes: readonly KeptOutcome[];
  readonly until: string;
}): z.infer<typeof outcomesView> {
  return {
    outcomes: outcomes.map(viewOutcome),
    cursor: writePlace('outcomes', { after: until }),
  };
}
