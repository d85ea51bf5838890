import { describe, expect, it } from 'vitest';
import { decide } from '../../shared/lifecycle/decide.ts';
import { endWithFault } from '../../shared/lifecycle/next-step.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';

/** A queued verification whose capture landed at the start, under a policy that keeps captures. */
async function queued(overrides = {}) {
  const at = setup();
  const record = anAwaitingVerification(overrides);
  record.plan.keepCaptures = true;
  await at.verifications.create(record);
  const landed = landedFor('spoof_detect');
  const result = await at.verifications.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (result.kind !== 'moved') throw new Error('moved');
  return { at, record: result.verification, read: () => at.verifications.find(record.verificationId) };
}

const passed = { outcome: 'passed', confidence: null, reasons: [], scores: {} } as const;
const answered = { attempt: 1, provider: 'builtin', round: 1, finding: { ...passed, reasons: [] } };
const aDay = 24 * 60 * 60; // as docs/security.md promises
const aDayAfter = start.getTime() / 1000 + aDay;

describe('captures that are kept', () => {
  it('outlive their decision, and are gone a day after they landed, once', async () => {
    const { at, record, read } = await queued();
    await decide(record, answered, at);
    expect(await read()).toMatchObject({ state: 'decided', dueAt: aDayAfter });
    expect(at.removed).toEqual([]);

    at.advance(aDay - 1);
    await sweepVerifications(at);
    expect(at.erased).toEqual([]);
    at.advance(1);
    expect(await sweepVerifications(at)).toMatchObject({ swept: 1, failed: 0 });
    expect(at.erased).toEqual([record.verificationId]);
    expect(await read()).not.toHaveProperty('dueAt');
    await sweepVerifications(at);
    expect(at.erased).toHaveLength(1);
  });

  it('for a retry are gone a day after they landed, too', async () => {
    const { at, record, read } = await queued();
    await endWithFault(record, 'capture_missing', at);
    expect(await read()).toMatchObject({ state: 'errored', dueAt: aDayAfter });
    at.advance(aDay);
    await sweepVerifications(at);
    expect(at.erased).toEqual([record.verificationId]);
  });

  it('of an earlier round count from that round', async () => {
    const keptUntil = aDayAfter - 3600;
    const { at, record, read } = await queued({ keptUntil });
    await decide(record, answered, at);
    expect(await read()).toMatchObject({ state: 'decided', dueAt: keptUntil });
  });
});
