import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { deadLeases } from '../../local/dead-leases.ts';
import { readTemplate } from '../../local/template.ts';
import { epochSeconds } from '../../shared/domain/times.ts';
import type { InState } from '../../shared/domain/verification.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';
import { startTables } from '../stores/table.ts';
import { writeTemplate } from './fixtures/template-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

it('at a start what was being worked on is due at once; who waits for captures or a webhook goes on waiting', async () => {
  const { client, server, stop } = await startTables();
  const now = () => new Date();
  const verifications = dynamoVerifications({ client, table: 'verifications', now, newId: randomUUID });
  const later = epochSeconds(now()) + 600;
  const landed = landedFor('spoof_detect');

  const awaiting = async (sourceId: string) => {
    const created = await verifications.create(anAwaitingVerification({ sourceId, dueAt: later }));
    return created.verification as InState<'awaiting_captures'>;
  };
  const queued = async (sourceId: string) => {
    const from = await awaiting(sourceId);
    const fields = { landed, provider: 'builtin', dueAt: later };
    return (await verifications.move(from, 'queued', fields)) as { verification: InState<'queued'> };
  };
  const dispatched = async (sourceId: string) => {
    const { verification } = await queued(sourceId);
    const fields = { landed, provider: 'builtin', attempt: 1, waitingFor: 'answer' as const, dueAt: later };
    return (await verifications.move(verification, 'dispatched', fields)) as { verification: InState<'dispatched'> };
  };
  const all = {
    awaiting: (await awaiting('awaiting')).verificationId,
    queued: (await queued('queued')).verification.verificationId,
    asked: (await dispatched('asked')).verification.verificationId,
    accepted: '',
  };
  const { verification: accepted } = await dispatched('accepted');
  await verifications.accept(accepted, { attempts: accepted.attempts, dueAt: later });
  all.accepted = accepted.verificationId;

  const directory = temporaryDirectory();
  const template = readTemplate(writeTemplate(directory, {}, { VerificationsTable: { Value: 'verifications' } }));
  const setup = { template, dataDirectory: directory, port: 0, verbose: false, targets: new Map() };
  await deadLeases(setup, { dynamoDb: server, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

  const isDue = async (id: string) => {
    const record = await verifications.find(id);
    return record && 'dueAt' in record && Number(record.dueAt) <= epochSeconds(now());
  };
  expect(await Promise.all(Object.values(all).map(isDue))).toEqual([false, true, true, false]);
  await stop();
});
