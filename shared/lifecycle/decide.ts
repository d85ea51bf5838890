import { pinnedOf } from '../domain/captures.ts';
import type { Fingerprints } from '../domain/fingerprint.ts';
import type { Captures, Verifications } from '../domain/ports.ts';
import { type Finding, type Measurements, ourselves } from '../domain/verdict.ts';
import {
  type FieldsOf,
  firstVerdict,
  type InState,
  type NoteCode,
  type Verification,
  withEnded,
} from '../domain/verification.ts';
import { earlier, goneAt, postDueAt } from './keep.ts';
import { type Recognising, recognise } from './recognise.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

/** An authentic answer, and the attempt it belongs to. */
export interface Answered {
  readonly attempt: number;
  readonly provider: string;
  readonly round: number;
  readonly finding: Finding;
  readonly measurements?: Measurements | undefined;
  readonly fingerprints?: Fingerprints | undefined;
  readonly transcript?: string | undefined;
}

export interface Deciding {
  readonly verifications: Pick<Verifications, 'move' | 'note'>;
  readonly captures: Pick<Captures, 'removeVersion'>;
  readonly now: () => Date;
  /** Where answers bring fingerprints: vendors' do not. */
  readonly recognising?: Omit<Recognising, 'now'>;
}

/**
 * Makes an answer the decision of its round, if it is the first one: the record is queued or dispatched and in the
 * answer's round, whichever attempt is under way by now. Anything later is noted. Either way the captures of a decided
 * round are gone afterwards: a repeated answer finishes what a killed one left. True where this answer decided.
 */
export async function decide(
  read: Verification,
  answered: Answered,
  { verifications, captures, now, recognising }: Deciding,
): Promise<boolean> {
  const { attempt, provider, round, measurements, fingerprints, transcript } = answered;
  const outcome = await settleOn(read, async (current) => {
    if ((current.state !== 'queued' && current.state !== 'dispatched') || current.round !== round) {
      const { outcome } = answered.finding;
      await verifications.note(current, lateNote(current, answered), { provider, attempt, outcome });
      return settled({ record: current, decided: false });
    }
    const unrecognised = { finding: answered.finding, sightings: [] };
    const { finding, sightings } =
      recognising && fingerprints
        ? await recognise(current, { finding: answered.finding, fingerprints }, { ...recognising, now })
        : unrecognised;
    const ended = {
      endedAt: now().toISOString(),
      result: 'decided' as const,
      ...(measurements && { measurements }),
      ...(transcript !== undefined && { transcript }),
    };
    const result = await verifications.move(
      current,
      'decided',
      {
        ...decidedBy(current, provider, finding, now()),
        attempts: withEnded(current.attempts, attempt, ended),
        ...(sightings.length > 0 && {
          sightings: [...(current.sightings ?? []), ...sightings.map(({ place }) => place)],
        }),
      },
      { outcome: finding.outcome, provider, attempt, ...(finding.seenBefore && { code: 'capture_reused' as const }) },
      sightings,
    );
    const look = settledIfMoved(result);
    return look.kind === 'settled' ? settled({ record: look.value, decided: true }) : look;
  });
  const record = outcome?.record;
  if (record?.state === 'decided' && record.round === round) await removeDecided(record, { captures });
  return outcome?.decided ?? false;
}

/**
 * Decides a round that is queued by what we know ourselves: no provider is asked and no attempt is counted. Lost means
 * that another worker decided the same, or that the verification was erased: nothing to do.
 */
export async function decideUnasked(
  queued: InState<'queued'>,
  finding: Finding,
  { verifications, captures, now }: Deciding,
): Promise<void> {
  const remark = { outcome: finding.outcome, provider: ourselves };
  const result = await verifications.move(queued, 'decided', decidedBy(queued, ourselves, finding, now()), remark);
  if (result.kind === 'moved') await removeDecided(result.verification, { captures });
}

/** What a decided record has of its own; where captures may still be stored, or a result is to be posted, the sweep looks at it once more. */
function decidedBy(
  current: InState<'queued' | 'dispatched'>,
  provider: string,
  finding: Finding,
  now: Date,
): FieldsOf<'decided'> {
  const { landed, plan, keptUntil } = current;
  const kept = plan.keepCaptures || keptUntil !== undefined ? goneAt(current) : undefined;
  const dueAt = earlier(kept, postDueAt(current, now));
  return {
    landed,
    verdict: { ...finding, provider, policyVersion: plan.policyVersion },
    ...(dueAt !== undefined && { dueAt }),
  };
}

/** Captures outlive their decision only where the policy keeps them, and then until the sweep deletes them. */
export async function removeDecided(
  record: InState<'decided'>,
  { captures }: Pick<Deciding, 'captures'>,
): Promise<void> {
  if (record.plan.keepCaptures) return;
  await Promise.all(pinnedOf(record).map((pinned) => captures.removeVersion(pinned)));
}

function lateNote(current: Verification, { attempt, round, finding }: Answered): NoteCode {
  if (current.state !== 'decided' || current.round !== round) return 'answer_late';
  const { outcome, reasons } = firstVerdict(current).verdict; // a review says nothing of what vendors answer
  // That a capture was seen before is our own finding, of which the answer knows nothing.
  if (outcome !== finding.outcome && !reasons.includes('capture_reused')) return 'answer_contradictory';
  const decidedBy = current.attempts.find((one) => one.result === 'decided' && one.round === round);
  return decidedBy?.attempt === attempt ? 'answer_repeated' : 'answer_late';
}
