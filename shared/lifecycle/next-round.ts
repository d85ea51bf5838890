import { capturesOf, type Declared, entriesOf } from '../domain/captures.ts';
import { earlierOf } from '../domain/erasure.ts';
import { Fault } from '../domain/fault.ts';
import { isOneOf, outdated } from '../domain/later.ts';
import type { Verifications } from '../domain/ports.ts';
import { epochSeconds } from '../domain/times.ts';
import { outcome } from '../domain/verdict.ts';
import { found, type InState, maximumRounds, type Unerased, type Verification } from '../domain/verification.ts';
import { type Challenging, firstChallenge, renewChallenge } from './challenge.ts';
import { type Issued, type Issuing, issueUploads } from './issue-uploads.ts';
import { goneAt } from './keep.ts';
import { firstProvider, refuseUnfit } from './plan.ts';
import { refuseServed } from './refuse-served.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface NextRound extends Issuing, Challenging {
  readonly verifications: Pick<Verifications, 'move' | 'renew'>;
}

/**
 * Issues uploads again: fresh URLs for what the round still misses, with new digits where the old ones are dead; after a
 * recapture, the next round with a new challenge. `captures` says what will be uploaded where it differs from what was
 * declared before; `handOff` is the number of the device that asks, where the capture was handed over to it.
 */
export async function requestCaptures(
  read: Verification | undefined,
  captures: Declared | undefined,
  dependencies: NextRound,
  handOff?: number,
): Promise<Issued> {
  const awaiting = await settleOn(read, async (current) => {
    if (current.state === 'erased') throw new Fault('source_id_erased', 'This verification was erased.');
    refuseServed(current);
    const declared = redeclared(current, captures, dependencies);
    if (current.state === 'awaiting_captures') {
      const look = await renewChallenge(current, dependencies);
      return look.kind === 'settled' ? settled({ ...look.value, declared }) : look;
    }
    if (current.state === 'decided' && !isOneOf(outcome, current.verdict.outcome)) throw outdated('this outcome');
    if (current.state !== 'decided' || current.verdict.outcome !== 'recapture') {
      throw new Fault('state_conflict', `Captures cannot be taken while the verification is ${current.state}.`);
    }
    if (current.round === maximumRounds) {
      throw new Fault('rounds_spent', `A verification has ${maximumRounds} rounds; begin a new one.`);
    }
    return settledIfMoved(await openRound(current, declared, dependencies));
  });
  return issueUploads(found(awaiting), dependencies, handOff);
}

function openRound(recapture: InState<'decided'>, declared: Declared, dependencies: NextRound) {
  const { verifications, now } = dependencies;
  // Captures of this round may still be stored: by policy, or because the worker that should delete them was killed.
  // Where policy keeps them, the next round ends in time for the first of them.
  const keptUntil = goneAt(recapture);
  const ends = epochSeconds(now()) + recapture.plan.capturesSeconds;
  return verifications.move(recapture, 'awaiting_captures', {
    round: recapture.round + 1,
    pass: recapture.pass + 1,
    missing: [...capturesOf[recapture.check]],
    landed: {},
    declared,
    dueAt: recapture.dueAt === undefined ? ends : Math.min(ends, recapture.dueAt),
    keptUntil,
    earlier: earlierOf(recapture),
    ...firstChallenge(recapture, dependencies),
  });
}

function redeclared(record: Unerased, captures: Declared | undefined, dependencies: NextRound): Declared {
  const unknown = Object.keys(captures ?? {}).filter((name) => !Object.hasOwn(record.declared, name));
  if (unknown.length > 0) {
    throw new Fault('request_invalid', `${record.check} takes ${Object.keys(record.declared).join(' and ')}.`, {
      errors: unknown.map((name) => ({ field: `/captures/${name}`, message: `${record.check} does not take this` })),
    });
  }
  // What was said of the old bytes' length says nothing of new ones.
  const typesAlone = entriesOf(record.declared).map(([name, { contentType }]) => [name, { contentType }]);
  const declared =
    captures === undefined && record.state === 'awaiting_captures'
      ? record.declared
      : { ...Object.fromEntries(typesAlone), ...captures };
  refuseUnfit(declared, firstProvider(record.plan, dependencies));
  return declared;
}
