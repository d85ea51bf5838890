import { expect, it } from 'vitest';
import { viewHistory, viewPage, viewVerification } from '../../shared/api/verifications.ts';
import { anAwaitingVerification, start } from '../builders/verification.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

const personal = '491701234567';

it('a list shows no source_id of what was erased, not even one that an earlier version left in its tombstone', () => {
  const { verificationId, sourceId, check, round, sequence, createdAt, updatedAt } = anAwaitingVerification({
    sourceId: personal,
  });
  const row = { verificationId, sourceId, check, round, sequence, createdAt, updatedAt };
  const { verifications } = viewPage({
    items: [
      { ...row, state: 'erased' },
      { ...row, state: 'expired' },
    ],
  });
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
