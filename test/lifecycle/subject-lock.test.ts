import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { askedOf, replyOfBegun, verificationRequest, viewVerification } from '../../shared/api/verifications.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import type { Tenant } from '../../shared/domain/ports.ts';
import { subjectLockSeconds } from '../../shared/domain/times.ts';
import type { Outcome } from '../../shared/domain/verdict.ts';
import { failuresToLock } from '../../shared/domain/verification.ts';
import { beginVerification } from '../../shared/lifecycle/begin.ts';
import { decide } from '../../shared/lifecycle/decide.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { lockedSeconds } from '../../shared/lifecycle/subject-lock.ts';
import { registry } from '../../shared/providers/registry.ts';
import { idOf, ids, signingSecretOf } from '../builders/deployment.ts';
import { setup } from '../builders/setup.ts';
import { landedFor } from '../builders/verification.ts';

const person = '+49 170 1234567';
const tenant: Tenant = { id: 'acme', policy: defaultPolicy, credentials: {} };

let world: ReturnType<typeof setup>;
beforeEach(() => {
  world = setup();
});

async function request(source_id: string, subject: string | null = person, by = tenant) {
  const asked = { ...requestOf(source_id), ...(subject !== null && { subject }) };
  const begun = await beginVerification(askedOf(asked), by, {
    ...world,
    ids,
    registry,
    tenants: { deploymentCredentials: async () => ({}), hasWebhook: async () => true },
    uploads: { presign: async () => ({ put: { url: 'https://put', headers: {} }, post: { url: '', fields: {} } }) },
    clientTokenSecret: signingSecretOf('secret'),
    newId: () => 'id',
    randomBelow: () => 7,
  });
  return { kind: begun.kind, ...replyOfBegun(begun, 'https://api.example') };
}

/** A verification of the person that is judged as `outcome`, however often the answer is delivered. */
async function judged(source: string, outcome: Outcome, { deliveries = 1, by = tenant, subject = person } = {}) {
  await request(source, subject, by);
  const record = await world.verifications.find(idOf(source, by.id));
  if (record?.state !== 'awaiting_captures') throw new Error('awaiting');
  const landed = landedFor('spoof_detect');
  await world.verifications.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  const finding = { outcome, confidence: null, reasons: [], scores: {} };
  for (let delivery = 0; delivery < deliveries; delivery += 1) {
    const queued = await world.verifications.find(record.verificationId);
    if (!queued) throw new Error('queued');
    await decide(queued, { attempt: 1, provider: 'builtin', round: 1, finding }, world);
  }
}

async function failed(times: number, named = 'u', options = {}) {
  for (let time = 1; time <= times; time += 1) {
    await judged(`${named}-${time}`, 'failed', options);
    world.advance(60);
  }
}

describe('a subject', () => {
  it('that failed five times within half an hour is locked until the first of the five is over', async () => {
    await failed(5); // at minutes 0 to 4
    const locked = { code: 'subject_locked', status: 429, retry: false, retryAfterSeconds: 25 * 60 };
    await expect(request('u-6')).rejects.toMatchObject(locked);
    world.advance(25 * 60 - 1);
    await expect(request('u-6')).rejects.toMatchObject({ ...locked, retryAfterSeconds: 1 });
    world.advance(1);
    expect((await request('u-6')).kind).toBe('created');
  });

  it('may begin after four failures, and after any number of recaptures and passes', async () => {
    await failed(4);
    for (const outcome of ['recapture', 'passed'] as const) {
      for (let time = 0; time < 6; time += 1) await judged(`${outcome}-${time}`, outcome);
    }
    expect((await request('u-5')).kind).toBe('created');
  });

  it('has failed once where one decision is delivered five times, or two answers decide the same round', async () => {
    await failed(1, 'u', { deliveries: 5 });
    expect((await request('u-2')).kind).toBe('created');
  });

  it('that is locked gets an answer to the request of a verification that was begun before', async () => {
    await request('begun-before');
    await failed(5);
    expect(await request('begun-before')).toMatchObject({ kind: 'repeated', status: 200 });
    await expect(request('not-begun-before')).rejects.toMatchObject({ code: 'subject_locked' });
  });

  it('is one tenant’s: another tenant’s failures of the same subject do not count, nor those of another subject', async () => {
    await failed(5);
    expect((await request('other-tenant', person, { ...tenant, id: 'other' })).kind).toBe('created');
    expect((await request('other-subject', 'somebody else')).kind).toBe('created');
    expect((await request('no-subject', null)).kind).toBe('created');
  });

  it('has failed once less when one of the five is erased', async () => {
    await failed(5);
    await eraseVerification(await world.verifications.find(idOf('u-3')), world);
    expect((await request('u-6')).kind).toBe('created');
  });

  it('is part of the request: under a source_id that was taken with another subject it is a conflict', async () => {
    await request('u-1');
    await expect(request('u-1', 'another')).rejects.toMatchObject({ code: 'source_id_conflict' });
    await expect(request('u-1', null)).rejects.toMatchObject({ code: 'source_id_conflict' });
  });

  it('stands in no record and no answer, and no hash of the record can be tried with a guess', async () => {
    const { body } = await request('u-1');
    const record = await world.verifications.find(idOf('u-1'));
    if (!record || record.state === 'erased') throw new Error('record');
    await request('u-2', 'another subject');
    const other = await world.verifications.find(idOf('u-2'));
    for (const told of [body, viewVerification(record, 'u-1'), record]) {
      expect(JSON.stringify(told)).not.toContain('1234567');
    }
    expect(JSON.stringify(viewVerification(record, 'u-1'))).not.toContain(record.subject);
    expect(record.subject).toMatch(/^[0-9a-f]{64}$/);
    expect(record.requestHash).toBe(askedOf({ ...requestOf('u-1'), subject: 'a guess' }).requestHash);
    expect(other).not.toMatchObject({ subject: record.subject });
  });
});

const requestOf = (source_id: string) =>
  verificationRequest.parse({
    source_id,
    check: 'spoof_detect',
    captures: { selfie: { content_type: 'image/jpeg' } },
  });

describe('how long a subject is locked', () => {
  const now = new Date('2026-01-01T12:00:00.000Z');

  it('is never longer than half an hour, and ends when fewer than five are left of the last half hour', async () => {
    const agoMilliseconds = fc.array(fc.integer({ min: 0, max: 2 * subjectLockSeconds * 1000 }), { maxLength: 12 });
    await fc.assert(
      fc.property(agoMilliseconds, (agos) => {
        const times = agos.sort((a, b) => a - b).map((ago) => new Date(now.getTime() - ago));
        const within = (at: number) => times.filter((time) => time.getTime() > at - subjectLockSeconds * 1000).length;
        const seconds = lockedSeconds(
          times.map((time) => time.toISOString()),
          now,
        );
        if (within(now.getTime()) < failuresToLock) return seconds === undefined;
        if (seconds === undefined || seconds > subjectLockSeconds) return false;
        return within(now.getTime() + seconds * 1000) < failuresToLock;
      }),
    );
  });
});
