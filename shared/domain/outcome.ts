import { createHash } from 'node:crypto';
import * as z from 'zod';
import { check, entriesOf, type Landed } from './captures.ts';
import { faultCodes } from './fault.ts';
import { orLater, tolerant } from './later.ts';
import { outcome, reason } from './verdict.ts';
import { type InState, tenantId, type Verification } from './verification.ts';

/** What became of one pass of a verification, without whose it was: nothing in it leads to the record. */
export const keptOutcome = tolerant({
  tenant: tenantId,
  /** The same for every repeat of the same move, and a hash of what no erased record has any more. */
  id: z.string(),
  /** When it was decided or errored, ISO 8601. */
  at: z.string(),
  check: orLater(check),
  outcome: orLater(z.enum([...outcome.options, 'errored'])),
  reasons: z.array(orLater(reason)),
  fault: orLater(z.enum(faultCodes)).optional(),
  /** Empty where none was asked. */
  provider: z.string(),
  /** From the last landing of the round to the verdict. Null where a retry came in between. */
  seconds: z.number().nullable(),
});
export type KeptOutcome = z.infer<typeof keptOutcome>;

/** What a move came to, where it decided or errored: a reviewer's decision is none of the machine's. */
export function outcomeOf(before: Verification, after: Verification): KeptOutcome | undefined {
  if (after.state !== 'decided' && after.state !== 'errored') return undefined;
  if (before.state === after.state) return undefined;
  const { tenant, check, updatedAt: at } = after;
  const common = { tenant, id: outcomeId(after), at, check, seconds: secondsOf(after) };
  if (after.state === 'decided') {
    const { outcome, reasons, provider } = after.verdict;
    return { ...common, outcome, reasons, provider };
  }
  return {
    ...common,
    outcome: 'errored',
    reasons: [],
    fault: after.fault,
    provider: after.attempts.at(-1)?.provider ?? '',
  };
}

/** Made of the move's own id, which is chance and leaves the record with the next move. */
function outcomeId({ moveId }: Verification): string {
  return createHash('sha256').update(`outcome\0${moveId}`).digest('base64url').slice(0, 22);
}

function secondsOf({ landed, retries, updatedAt }: InState<'decided' | 'errored'>): number | null {
  const last = lastLanding(landed);
  if (last === undefined || retries > 0) return null;
  return Math.max(0, (Date.parse(updatedAt) - Date.parse(last)) / 1000);
}

function lastLanding(landed: Landed): string | undefined {
  return entriesOf(landed)
    .map(([, { landedAt }]) => landedAt)
    .sort()
    .at(-1);
}
