import { beforeEach, expect, it } from 'vitest';
import type { Verdict } from '../../shared/domain/verdict.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { announceChanges, type Change } from '../../shared/lifecycle/announce.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

const verdict: Verdict = {
  outcome: 'failed',
  confidence: 0.9,
  reasons: ['face_mismatch'],
  scores: { live: 0.9, match: 0.1 },
  provider: 'builtin',
  policyVersion: 3,
};

let at: ReturnType<typeof setup>;
let changes: Change[];
beforeEach(async () => {
  at = setup();
  changes = [];
  at.verifications.onChange = (before, after) =>
    void changes.push({ sequenceNumber: `${changes.length}`, before, after });
});

const announce = (some: readonly Change[] = changes, more: object = {}) =>
  announceChanges(some, { ...at, put: async () => [], ...more });

async function moved(): Promise<Verification> {
  const record = anAwaitingVerification({ metadata: { visit: 7 } });
  await at.verifications.create(record);
  const landed = landedFor('spoof_detect');
  const queued = await at.verifications.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (queued.kind === 'lost') throw new Error('queued');
  const decided = await at.verifications.move(queued.verification, 'decided', { landed, verdict, dueAt: 2 });
  if (decided.kind === 'lost') throw new Error('decided');
  return decided.verification;
}

it('a tenant without an endpoint has nothing kept and nothing sent', async () => {
  await moved();
  expect(await announce()).toEqual({ failed: undefined });
  expect([at.keptEvents.all(), at.webhooksSent]).toEqual([[], []]);
});

it('an event is kept with its texts and sent to each endpoint that wants it, in the order of the moves', async () => {
  const [every, decided, off] = [
    anEndpoint(),
    anEndpoint({ types: ['verification.decided'] }),
    anEndpoint({ state: 'disabled' }),
  ];
  for (const endpoint of [every, decided, off]) await at.endpoints.create(endpoint);
  const { verificationId } = await moved();
  await announce();
  const sent = at.webhooksSent.map(({ eventId, endpointId }) => [eventId, endpointId]);
  expect(sent).toHaveLength(3);
  expect(sent).toEqual(
    expect.arrayContaining([
      [`evt_${verificationId}_2`, every.id],
      [`evt_${verificationId}_3`, every.id],
      [`evt_${verificationId}_3`, decided.id],
    ]),
  );
  expect(sent[0]?.[0]).toBe(`evt_${verificationId}_2`);
  const [queued, kept] = at.keptEvents.all();
  expect(queued).toMatchObject({ type: 'verification.queued', sequence: 2, metadata: '{"visit":7}' });
  expect(queued).not.toHaveProperty('verdict');
  expect(JSON.parse(kept?.data ?? '')).toMatchObject({ source_id: 'visit-7', sequence: 3, outcome: 'failed' });
  expect(kept?.data).not.toMatch(/score|visit"|face_mismatch/);
  expect(JSON.parse(kept?.verdict ?? '')).toEqual({
    outcome: 'failed',
    confidence: 0.9,
    reasons: ['face_mismatch'],
    scores: { live: 0.9, match: 0.1 },
    provider: 'builtin',
    policy_version: 3,
  });
});

it('announced twice, the first texts stay', async () => {
  await at.endpoints.create(anEndpoint());
  await moved();
  await announce();
  const kept = at.keptEvents.all();
  at.advance(60);
  await announce();
  expect(at.keptEvents.all()).toEqual(kept);
  expect(at.webhooksSent.slice(2)).toEqual(at.webhooksSent.slice(0, 2));
});

it('what cannot be kept or sent comes again from the first change, and the bus is not asked', async () => {
  await at.endpoints.create(anEndpoint());
  await moved();
  const fails = async () => {
    throw new Error('out of reach');
  };
  let puts = 0;
  const put = async () => {
    puts += 1;
    return [];
  };
  for (const broken of [{ webhooks: { send: fails } }, { keptEvents: { ...at.keptEvents, keep: fails } }]) {
    expect(await announce(changes, { ...broken, put })).toEqual({ failed: '0' });
  }
  expect(puts).toBe(0);
});

it('an erasure empties what was kept, and what a late writer would keep; its own event waits for who wants it', async () => {
  const [one, deaf] = [anEndpoint(), anEndpoint({ types: ['verification.decided'] })];
  for (const endpoint of [one, deaf]) await at.endpoints.create(endpoint);
  const record = await moved();
  await at.verifications.move(record, 'erased', {});
  const [created, queued, decided, erased] = changes as [Change, Change, Change, Change];
  await announce([created, queued]);
  await announce([erased]);
  await announce([decided]); // of a worker that was thought dead
  const kept = at.keptEvents.all();
  expect(kept).toHaveLength(3);
  expect(kept.filter(({ type }) => type !== 'verification.erased')).toEqual(
    [2, 3].map((sequence) => expect.not.objectContaining({ data: expect.anything(), sequence: sequence + 10 })),
  );
  for (const event of kept.filter(({ type }) => type !== 'verification.erased')) {
    expect(event).not.toHaveProperty('data');
    expect(event).not.toHaveProperty('verdict');
    expect(event).not.toHaveProperty('metadata');
  }
  expect(kept.find(({ type }) => type === 'verification.erased')).toMatchObject({
    data: expect.stringContaining('"source_id":"visit-7"'),
    awaitedBy: [one.id],
  });
});

it('an erasure that no endpoint wants to hear of names nothing', async () => {
  await at.endpoints.create(anEndpoint({ types: ['verification.decided'] }));
  const record = await moved();
  await at.verifications.move(record, 'erased', {});
  await announce();
  expect(at.keptEvents.all().map(({ data }) => data)).toEqual([undefined, undefined, undefined]);
});

it('an endpoint that awaits the event of an erasure is sent it though it was disabled since', async () => {
  const endpoint = anEndpoint();
  await at.endpoints.create(endpoint);
  const record = await moved();
  await at.verifications.move(record, 'erased', {});
  const killed = async () => {
    throw new Error('killed');
  };
  await announce(changes, { webhooks: { send: killed } });
  await at.endpoints.change(endpoint, { state: 'disabled' });
  await announce();
  expect(at.webhooksSent.map(({ eventId }) => eventId)).toEqual([`evt_${record.verificationId}_4`]);
});
