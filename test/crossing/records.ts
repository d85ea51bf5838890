import { orderExpirySeconds } from '../../shared/domain/times.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import type { InState, Verification } from '../../shared/domain/verification.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

const verdict: Verdict = {
  outcome: 'recapture',
  confidence: null,
  reasons: ['format_unsupported'],
  scores: { live: 0.5 },
  format: 'prores',
  seenBefore: ['selfie'],
  provider: 'builtin',
  policyVersion: 1,
};

interface Making {
  readonly tenant: string;
  /** Of the record in this state. */
  readonly idOf: (sourceId: string) => string;
  readonly sourceIdOf: (state: string) => string;
  readonly now: Date;
}

/** A record of each state, with every field that a state can have, and the histories that its moves wrote. */
export async function recordOfEachState({ tenant, idOf, sourceIdOf, now }: Making): Promise<Verification[]> {
  let clock = now.getTime() - 60_000;
  let moves = 0;
  const passing = () => {
    clock += 1000;
    return new Date(clock);
  };
  const store = memoryVerifications({ now: passing, newId: () => `move-${++moves}` });
  const seconds = Math.floor(now.getTime() / 1000);
  const dueAt = seconds + orderExpirySeconds;
  const landed = landedFor('spoof_detect');

  async function begun(state: string, overrides: Parameters<typeof anAwaitingVerification>[0] = {}) {
    const sourceId = sourceIdOf(state);
    const record = anAwaitingVerification({
      ...{ tenant, sourceId, verificationId: idOf(sourceId), dueAt, purgeAt: seconds + 86_400 },
      ...{ createdAt: now.toISOString(), metadataText: '{"visit":7}', returnUrl: 'https://shop.example' },
      plan: { ...anAwaitingVerification().plan, seenBefore: { selfie: 'note' }, keepCaptures: true },
      sightings: ['place.0'],
      handOff: { state: 'claimed', number: 1 },
      ...overrides,
    });
    await store.create(record);
    await store.note(record, 'capture_empty');
    return (await store.find(record.verificationId)) as InState<'awaiting_captures'>;
  }

  async function queued(state: string) {
    const from = await begun(state, { credit: 'taken' });
    return moved(store.move(from, 'queued', { landed, provider: 'builtin', dueAt }));
  }

  async function dispatched(state: string) {
    const from = await queued(state);
    const startedAt = now.toISOString();
    const attempts = [
      {
        attempt: 1,
        provider: 'builtin',
        round: 1,
        pass: 1,
        startedAt,
        endedAt: startedAt,
        result: 'lease_expired' as const,
      },
      { attempt: 2, provider: 'builtin', round: 1, pass: 1, startedAt, measurements: { face_width_px: 300 } },
    ];
    const fields = { landed, provider: 'builtin', attempt: 2, waitingFor: 'webhook' as const, dueAt, attempts };
    return moved(store.move(from, 'dispatched', fields, { code: 'lease_expired', provider: 'builtin', attempt: 1 }));
  }

  async function decided(state: string) {
    const remark = { outcome: verdict.outcome, provider: 'builtin', attempt: 2 };
    return moved(store.move(await dispatched(state), 'decided', { landed, verdict, dueAt }, remark));
  }

  const erased = await decided('erased');
  return [
    await begun('awaiting_captures'),
    await queued('queued'),
    await dispatched('dispatched'),
    await decided('decided'),
    await moved(
      store.move(
        await dispatched('errored'),
        'errored',
        { landed, fault: 'provider_failed', dueAt },
        { code: 'provider_failed' },
      ),
    ),
    await moved(store.move(await begun('expired'), 'expired', { dueAt })),
    await moved(store.move(erased, 'erased', { refundDue: true, dueAt })),
  ];
}

async function moved<Record>(
  result: Promise<{ kind: 'moved'; verification: Record } | { kind: 'lost' }>,
): Promise<Record> {
  const settled = await result;
  if (settled.kind !== 'moved') throw new Error('Nobody else writes these records');
  return settled.verification;
}
