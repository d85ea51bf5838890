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

it('erasing leaves nothing that the caller chose, in words or in numbers', async () => {
  const at = setup();
  const personal = { ...record, sourceId: '491701234567', metadata: { name: 'A. Person' } };
  await at.verifications.create(personal);
  const tombstone = await eraseVerification(personal, at);
  expect(JSON.stringify(tombstone)).not.toMatch(/491701234567|Person/);
});

it('erasing again deletes again what may have come meanwhile', async () => {
  const at = setup();
  await at.verifications.create(record);
  const tombstone = await eraseVerification(record, at);
  expect(await eraseVerification(tombstone, at)).toMatchObject({ state: 'erased', sequence: tombstone.sequence });
  expect(at.erased).toEqual([record.verificationId, record.verificationId]);
});
