/** Ten thousand writes: `npm run test:slow` runs it and `npm test` does not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Verification } from '../../../shared/domain/verification.ts';
import { dynamoVerifications } from '../../../shared/stores/verifications.ts';
import { anAwaitingVerification, landedFor, start } from '../../builders/verification.ts';
import { startTables } from '../table.ts';

let ids = 0;
let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

it('a record stays under 32 KB and movable after 10,000 repeated answers', { timeout: 400_000 }, async () => {
  const { client } = tables;
  const store = dynamoVerifications({ client, table: 'verifications', now: () => start, newId: () => `id-${++ids}` });
  const record = anAwaitingVerification();
  await store.create(record);
  const queued = await store.move(record, 'queued', {
    landed: landedFor('spoof_detect'),
    provider: 'builtin',
    dueAt: 1,
  });
  if (queued.kind !== 'moved') throw new Error('not queued');
  let known: Verification = queued.verification;
  for (let batch = 0; batch < 100; batch += 1) {
    await Promise.all(
      Array.from({ length: 100 }, () =>
        store.note(known, 'answer_repeated', { provider: 'builtin', attempt: 1, outcome: 'passed' }),
      ),
    );
    known = (await store.find(record.verificationId)) as Verification;
  }
  expect(known.notes + known.notesDropped).toBe(10_000);
  expect(Buffer.byteLength(JSON.stringify(known))).toBeLessThan(32 * 1024);
  expect((await store.move(queued.verification, 'erased', {})).kind).toBe('moved');
});
