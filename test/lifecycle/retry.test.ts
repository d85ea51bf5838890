import { describe, expect, it } from 'vitest';
import { maximumRetries } from '../../shared/domain/verification.ts';
import { retryVerification } from '../../shared/lifecycle/retry.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

describe('retrying', () => {
  async function errored(at: ReturnType<typeof setup>, overrides = {}) {
    const created = anAwaitingVerification(overrides);
    await at.verifications.create(created);
    const landed = landedFor('spoof_detect');
    const queued = await at.verifications.move(created, 'queued', { landed, provider: 'builtin', dueAt: 1 });
    if (queued.kind !== 'moved') throw new Error('moved');
    const result = await at.verifications.move(queued.verification, 'errored', { landed, fault: 'provider_failed' });
    if (result.kind !== 'moved') throw new Error('moved');
    return result.verification;
  }

  it('begins another pass while the captures are stored', async () => {
    const at = setup();
    const queued = await retryVerification(await errored(at), at);
    expect(queued).toMatchObject({ state: 'queued', pass: 2, retries: 1 });
    expect(at.sent).toEqual([['builtin', queued.sequence]]);
  });

  it('refuses when they are gone, when it was tried too often, or when it is not errored', async () => {
    const at = setup();
    const record = await errored(at);
    at.removed.push('v1-selfie');
    await expect(retryVerification(record, at)).rejects.toMatchObject({ code: 'captures_gone', status: 409 });
    await expect(retryVerification({ ...record, retries: maximumRetries }, at)).rejects.toMatchObject({
      code: 'retries_spent',
    });
    const awaiting = anAwaitingVerification({ sourceId: 'another' });
    await expect(retryVerification(awaiting, at)).rejects.toMatchObject({ code: 'state_conflict' });
    await expect(retryVerification(undefined, at)).rejects.toMatchObject({ code: 'verification_unknown' });
  });
});
