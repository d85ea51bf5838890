import { expect, it } from 'vitest';
import { viewFor, viewHistory, viewPage, viewState, viewVerification } from '../../shared/api/verifications.ts';
import { eventOf } from '../../shared/domain/event.ts';
import { anAwaitingVerification, start } from '../builders/verification.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

const personal = '491701234567';

it('a list shows no source_id of what was erased, not even one that an earlier version left in its tombstone', () => {
  const { verificationId, sourceId, check, round, sequence, createdAt, updatedAt } = anAwaitingVerification({
    sourceId: personal,
  });
  const row = { verificationId, sourceId, check, round, sequence, createdAt, updatedAt };
  const items = [
    { ...row, state: 'erased' as const },
    { ...row, state: 'expired' as const },
  ];
  const { verifications } = viewPage({ items }, {});
  expect(verifications.map(({ source_id }) => source_id)).toEqual([null, personal]);
});

it('an erased verification answers under the source_id that it is asked for by', async () => {
  const store = memoryVerifications({ now: () => start, newId: () => 'id' });
  const record = anAwaitingVerification({ sourceId: personal });
  await store.create(record);
  const erased = await store.move(record, 'erased', {});
  if (erased.kind !== 'moved') throw new Error('moved');
  expect(JSON.stringify(erased.verification)).not.toContain(personal);
  expect(viewVerification(erased.verification, personal).source_id).toBe(personal);
  expect(viewHistory(erased.verification, personal).source_id).toBe(personal);
});

it.each([
  ['of a test tenant', { livemode: false }, false],
  ['of a live tenant, as a version before stored it', {}, true],
])('a verification %s says so in every answer and event, erased too', async (_, made, livemode) => {
  const store = memoryVerifications({ now: () => start, newId: () => 'id' });
  const record = anAwaitingVerification(made);
  await store.create(record);
  const erased = await store.move(record, 'erased', {});
  if (erased.kind !== 'moved') throw new Error('moved');
  for (const one of [record, erased.verification]) {
    expect(viewFor('key', one, 'visit-7')).toMatchObject({ livemode });
    expect(viewFor('client_token', one, 'visit-7')).toMatchObject({ livemode });
    expect(viewState(one, 'visit-7')).toMatchObject({ livemode });
  }
  expect(eventOf(record, erased.verification)).toMatchObject({ livemode });
  expect(viewPage({ items: [{ ...record, sourceId: 'visit-7' }] }, made).verifications).toMatchObject([{ livemode }]);
});
