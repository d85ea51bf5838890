import { describe, expect, it } from 'vitest';
import { leaseMarginSeconds } from '../../shared/domain/times.ts';
import { askProvider } from '../../shared/lifecycle/ask.ts';
import { openGate } from '../../shared/lifecycle/gate.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import type { Submission } from '../../shared/providers/provider.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

describe('attempting', () => {
  /** A queued record, and what its message needs; `stall` is how long the worker stands still while it claims. */
  async function claiming(stall: number, bytes = 1000, record = anAwaitingVerification()) {
    const at = setup();
    const created = await at.verifications.create(record);
    const landed = { selfie: { versionId: 'v1-selfie', etag: 'e', bytes, landedAt: record.createdAt } };
    const queued = await at.verifications.move(created.verification, 'queued', {
      landed,
      provider: 'builtin',
      dueAt: 1,
    });
    if (queued.kind !== 'moved') throw new Error('moved');
    const submitted: Submission[] = [];
    const toldToGate: unknown[] = [];
    await askProvider(
      { verificationId: record.verificationId, sequence: queued.verification.sequence },
      {
        ...at,
        verifications: {
          ...at.verifications,
          move: async (from, to, fields, remark) => {
            if (to === 'dispatched') at.advance(stall); // the lease is already counted from before
            return at.verifications.move(from, to, fields, remark);
          },
        },
        captures: { ...at.captures, open: unused, stream: unused, link: unused },
        provider: builtin,
        open: async () => ({
          submit: async (submission) => {
            submitted.push(submission);
            return { kind: 'accepted' };
          },
        }),
        gate: () => ({ ...openGate, ended: async (fault) => void toldToGate.push(fault) }),
        reference: unused,
        random: () => 0.5,
      },
    );
    return {
      at,
      submitted,
      calls: submitted.length,
      toldToGate,
      ended: await at.verifications.find(record.verificationId),
    };
  }
  const unused = () => Promise.reject(new Error('not used here'));

  it('calls with the whole of a call’s time left of the lease', async () => {
    const { calls, toldToGate, ended } = await claiming(leaseMarginSeconds);
    expect({ calls, toldToGate }).toEqual({ calls: 1, toldToGate: [undefined] });
    expect(ended).toMatchObject({ state: 'dispatched', waitingFor: 'webhook' });
  });

  it('asks by what the policy said when the verification began', async () => {
    const record = anAwaitingVerification();
    const plan = { ...record.plan, thresholds: { builtin: { live: 0.7 } }, barePortraits: true };
    const { submitted } = await claiming(0, 1000, { ...record, plan });
    expect(submitted).toMatchObject([{ thresholds: { live: 0.7 }, barePortraits: true }]);
  });

  it('asks no provider about a capture that is larger than any may be, reads none of it, and closes no breaker', async () => {
    const { calls, toldToGate, ended } = await claiming(0, 10 * 1024 * 1024 + 1);
    expect({ calls, toldToGate }).toEqual({ calls: 0, toldToGate: [] });
    expect(ended).toMatchObject({
      state: 'decided',
      verdict: { outcome: 'recapture', reasons: ['capture_too_large'] },
      attempts: [{ measurements: { capture_bytes: 10 * 1024 * 1024 + 1 } }],
    });
  });

  it('does not call where the worker stalled while it claimed: the takeover would call beside it', async () => {
    const { at, calls, ended } = await claiming(leaseMarginSeconds + 1);
    expect(calls).toBe(0);
    expect(ended).toMatchObject({ state: 'queued', attempts: [{ attempt: 1, result: 'lease_expired' }] });
    expect(at.sent).toEqual([['builtin', ended?.sequence]]);
  });

  it.each<{ where: string; round: number; measurements: Record<string, number>; doubted: boolean }>([
    { where: 'an earlier round', round: 1, measurements: { digits_doubted: 1 }, doubted: true },
    {
      where: 'a call of this round that came to nothing',
      round: 2,
      measurements: { digits_doubted: 1 },
      doubted: false,
    },
    { where: 'no round', round: 1, measurements: { digits_heard: 6 }, doubted: false },
  ])('tells the provider that digits were doubted in $where: $doubted', async ({ round, measurements, doubted }) => {
    const startedAt = '2026-01-01T00:00:00.000Z';
    const before = {
      attempt: 1,
      provider: 'builtin',
      round,
      pass: 1,
      startedAt,
      result: 'decided',
      measurements,
    } as const;
    const { submitted } = await claiming(0, 1000, anAwaitingVerification({ round: 2, pass: 2, attempts: [before] }));
    expect(submitted).toMatchObject([{ round: 2, digitsDoubted: doubted }]);
  });
});
