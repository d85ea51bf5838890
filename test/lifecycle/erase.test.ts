import { expect, it } from 'vitest';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const record = anAwaitingVerification();

it('erasing leaves no object when it answers', async () => {
  const at = setup();
  await at.verifications.create(record);
  const tombstone = await eraseVerification(record, at);
  expect(tombstone.state).toBe('erased');
  expect(at.erased).toEqual([record.verificationId]);
  expect(await at.verifications.find(record.verificationId)).not.toHaveProperty('dueAt');
});
