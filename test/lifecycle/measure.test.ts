import { describe, expect, it } from 'vitest';
import { Fault, type FaultCode } from '../../shared/domain/fault.ts';
import type { Finding } from '../../shared/domain/verdict.ts';
import type { InState, Unerased, Verification } from '../../shared/domain/verification.ts';
import { announceChanges, type Change } from '../../shared/lifecycle/announce.ts';
import { recordAnswer } from '../../shared/lifecycle/answer.ts';
import { claim } from '../../shared/lifecycle/claim.ts';
import { endWithFault } from '../../shared/lifecycle/next-step.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import type { Answer } from '../../shared/providers/provider.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

const finding: Finding = { outcome: 'passed', confidence: 0.9, reasons: [], scores: {} };
const answer: Answer = { kind: 'decided', finding };

/** A verification that was handed to the engine, and the changes that the table's stream has of it. */
async function queued() {
  const at = setup();
  const record = anAwaitingVerification();
  await at.verifications.create(record);
  const changes: Change[] = [];
  let before: Unerased = record;
  /** Does something to the record, and writes down what the stream would say. */
  const through = async (doing: () => Promise<unknown>) => {
    await doing();
    const after = (await at.verifications.find(record.verificationId)) as Unerased;
    changes.push({ sequenceNumber: String(changes.length + 1), before, after });
    before = after;
  };
  const now = () => before as Verification;
  await through(() => {
    const fields = { landed: landedFor('spoof_detect'), provider: 'builtin', dueAt: 1 };
    return at.verifications.move(record, 'queued', fields);
  });
  const claiming = {
    ...at,
    provider: builtin,
    gate: () => ({ mayCall: async () => true, ended: async () => undefined }),
  };
  const claimed = () =>
    through(() => claim(now(), { verificationId: record.verificationId, sequence: now().sequence }, claiming));
  const measured = async (put = async (): Promise<number[]> => []) => {
    const result = await announceChanges(changes, { ...at, put });
    return { ...result, measured: at.measured };
  };
  return { at, through, now, claimed, measured };
}

describe('metrics of moves', () => {
  it('are 0 for captures that are in, 1 for a verdict, and 0 for an attempt that its provider answered', async () => {
    const { at, through, now, claimed, measured } = await queued();
    await claimed();
    await through(() => recordAnswer(now() as InState<'dispatched'>, answer, at));
    expect((await measured()).measured).toEqual([
      { metric: 'Decided', value: 0 },
      { metric: 'Decided', value: 1 },
      { metric: 'ProviderFaults', value: 0, provider: 'builtin' },
    ]);
  });

  it.each<[FaultCode, number[]]>([
    ['provider_timed_out', [1]],
    ['provider_credits_spent', [1]],
    ['lease_expired', [1]],
    ['webhook_overdue', [1]],
    ['capture_missing', []], // says nothing of the provider
    ['capture_type_unsupported', []],
  ])('of an attempt that ended with %s', async (code, faults) => {
    const { at, through, now, claimed, measured } = await queued();
    await claimed();
    await through(() => recordAnswer(now() as InState<'dispatched'>, new Fault(code, ''), at));
    const of = (await measured()).measured.filter(({ metric }) => metric === 'ProviderFaults');
    expect(of.map(({ value }) => value)).toEqual(faults);
  });

  it('count a provider that is passed over as one that failed: with its breaker open, none of its calls does', async () => {
    const { at, through, now, measured } = await queued();
    await through(() => endWithFault(now() as InState<'queued'>, 'breaker_open', at));
    expect((await measured()).measured).toContainEqual({ metric: 'ProviderFaults', value: 1, provider: 'builtin' });
  });

  it('are written once for changes that were announced, and not for those that come again', async () => {
    const { at, through, now, claimed, measured } = await queued();
    await claimed();
    await through(() => recordAnswer(now() as InState<'dispatched'>, answer, at));
    const refused = await measured(async () => [0, 1, 2].slice(0, 3));
    expect(refused).toMatchObject({ failed: '1', measured: [] });
    expect((await measured()).measured).toHaveLength(3);
  });
});
