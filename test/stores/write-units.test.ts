import { randomUUID } from 'node:crypto';
import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sizeOf, unitsOf } from '../../bench/write-units.ts';
import type { HistoryEntry } from '../../shared/domain/verification.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { anAwaitingVerification } from '../builders/verification.ts';
import { startTables } from './table.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

type Item = Record<string, AttributeValue>;

/** The row as it was before lines had hashes, and moves' ids were UUIDs. */
function withoutHashes({ history, moveId, ...row }: Item): Item {
  const lines = history?.L?.map(({ M: { hash: _, digest: __, ...line } = {} }) => ({ M: line }));
  return { ...row, history: { L: lines ?? [] }, moveId: { S: randomUUID() } };
}

const metadata = { metadataText: JSON.stringify({ visit: 'f3a1', branch: 'north' }), subject: 's'.repeat(43) };

it.each([
  ['alone', {}],
  ['with metadata and a subject', metadata],
])('the hashes cost a spoof_detect %s no write unit: of no move a kilobyte more', async (name, given) => {
  const store = dynamoVerifications({ client: tables.client, table: 'verifications', now: () => new Date() });
  const at = new Date().toISOString();
  const awaiting = anAwaitingVerification({ sourceId: randomUUID(), moveId: randomUUID(), ...given });
  const rows: Item[] = [];
  const keep = async () => {
    const Key = marshall({ verificationId: awaiting.verificationId });
    rows.push((await tables.client.send(new GetItemCommand({ TableName: 'verifications', Key }))).Item ?? {});
  };
  // As S3 and the engine fill a record: ids of 32 characters, nine places, seven measurements.
  const capture = { versionId: 'v'.repeat(32), etag: 'e'.repeat(34), bytes: 183_211, landedAt: at, storedAt: at };
  const landed = { selfie: capture };
  const attempt = { attempt: 1, provider: 'builtin', round: 1, pass: 1, startedAt: at };
  const names = [
    'face_width_px',
    'face_height_px',
    'sharpness_ratio',
    'brightness_ratio',
    'yaw_degrees',
    'noise_ratio',
  ];
  const measurements = Object.fromEntries(names.map((measured) => [measured, 0.4412]));
  const verdict = {
    outcome: 'passed' as const,
    confidence: 0.9731,
    reasons: [],
    scores: { live: 0.9731 },
    provider: 'builtin',
    policyVersion: 1,
  };
  await store.create(awaiting);
  await keep();
  const queued = await store.move(awaiting, 'queued', { landed, provider: 'builtin', dueAt: 1_764_000_000 });
  if (queued.kind !== 'moved') throw new Error('queued');
  await keep();
  const claim = { landed, provider: 'builtin', attempt: 1, waitingFor: 'answer', dueAt: 1_764_000_000 } as const;
  const remark = { provider: 'builtin', attempt: 1 };
  const dispatched = await store.move(queued.verification, 'dispatched', { ...claim, attempts: [attempt] }, remark);
  if (dispatched.kind !== 'moved') throw new Error('dispatched');
  await keep();
  const ended = { ...attempt, endedAt: at, result: 'decided' as const, measurements };
  const sightings = Array.from({ length: 9 }, () => `${'p'.repeat(22)}#0`);
  const decision = { landed, verdict, attempts: [ended], sightings };
  const decided = await store.move(dispatched.verification, 'decided', decision, { ...remark, outcome: 'passed' });
  if (decided.kind !== 'moved') throw new Error('decided');
  await keep();

  const units = rows.map(unitsOf);
  const before = rows.map(withoutHashes);
  const lines: readonly HistoryEntry[] = decided.verification.history;
  console.log(
    `${name}: ${lines.map(({ state }) => state).join(', ')}\n` +
      `  before: ${before.map(sizeOf).join(', ')} bytes, write units ${before.map(unitsOf).join(', ')}\n` +
      `  now:    ${rows.map(sizeOf).join(', ')} bytes, write units ${units.join(', ')}`,
  );
  expect(lines.map(({ hash }) => hash?.length)).toEqual([43, 43, 43, 43]);
  expect(units).toEqual(before.map(unitsOf));
});
