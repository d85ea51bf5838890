import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CaptureName, captureKey } from '../../shared/domain/captures.ts';
import type { Pinned } from '../../shared/domain/ports.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { aLandingMessage, ownBucket } from '../builders/landing.ts';
import { anAwaitingVerification } from '../builders/verification.ts';
import { startTables } from '../stores/table.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const orders: Record<string, readonly (readonly CaptureName[])[]> = {
  'at the same time': [['selfie', 'id_card']],
  'at the same time, each twice': [['selfie', 'id_card', 'selfie', 'id_card']],
  'one after the other': [['selfie'], ['id_card']],
  'the other way round': [['id_card'], ['selfie']],
  'one after the other, each twice': [['selfie'], ['selfie'], ['id_card'], ['id_card']],
  'the other way round, twins together': [
    ['id_card', 'id_card'],
    ['selfie', 'selfie'],
  ],
};

it.each(Object.entries(orders))('both captures landing %s: exactly one move, on a real table', async (how, waves) => {
  const store = dynamoVerifications({
    client: tables.client,
    table: 'verifications',
    now: () => new Date('2026-01-01T00:00:00Z'),
    newId: randomUUID,
  });
  const record = anAwaitingVerification({ check: 'photo_verify', sourceId: how.replaceAll(/\W/g, '-') });
  await store.create(record);
  const sent: number[] = [];
  const removed: Pinned[] = [];
  const dependencies = {
    verifications: store,
    captures: {
      removeVersion: async (pinned: Pinned) => void removed.push(pinned),
      stored: async () => ({ versions: [], more: false }),
      removeVersions: async () => undefined,
      keepsEtags: true,
    },
    send: async (_: string, { sequence }: { sequence: number }) => void sent.push(sequence),
    now: () => new Date('2026-01-01T00:00:00Z'),
    log: { info() {}, warn() {}, error() {} },
  };
  const notice = (name: CaptureName) =>
    landCapture(
      readLanding(
        aLandingMessage(captureKey(record.verificationId, 1, name), { 'version-id': `v-${name}` }),
        ownBucket,
      ),
      dependencies,
    );
  for (const wave of waves) await Promise.all(wave.map(notice));

  const landed = await store.find(record.verificationId);
  expect(landed).toMatchObject({
    state: 'queued',
    sequence: 2,
    landed: { selfie: { versionId: 'v-selfie' }, id_card: { versionId: 'v-id_card' } },
  });
  expect(landed?.history.filter(({ kind }) => kind === 'moved')).toHaveLength(2);
  expect(removed).toEqual([]);
  expect(new Set(sent)).toEqual(new Set([2]));
});
