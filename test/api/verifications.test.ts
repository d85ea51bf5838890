import { describe, expect, it } from 'vitest';
import { viewFor } from '../../shared/api/verifications.ts';
import { failureReasons, type Reason, recaptureReasons, type Verdict } from '../../shared/domain/verdict.ts';
import type { InState } from '../../shared/domain/verification.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

function decidedAs(outcome: Verdict['outcome'], reasons: Reason[]): InState<'decided'> {
  const { missing: _, dueAt: __, ...record } = anAwaitingVerification();
  const verdict = { outcome, confidence: 0.9, reasons, scores: { live: 0.1 }, provider: 'builtin', policyVersion: 1 };
  return { ...record, state: 'decided', landed: landedFor('spoof_detect'), verdict };
}

describe('a client token', () => {
  it.each(failureReasons)('is not told that a verification failed for %s, which a key is', (reason) => {
    const record = decidedAs('failed', [reason, 'too_dark']);
    expect(viewFor('client_token', record, 'visit-7').verdict).toEqual({ outcome: 'failed', reasons: [] });
    expect(viewFor('key', record, 'visit-7').verdict?.reasons).toEqual([reason, 'too_dark']);
  });

  it.each(recaptureReasons)('is told that another capture is needed for %s', (reason) => {
    const record = decidedAs('recapture', [reason]);
    expect(viewFor('client_token', record, 'visit-7').verdict).toEqual({ outcome: 'recapture', reasons: [reason] });
  });

  it('is told nothing of an attack that a provider suspects beside what the person can put right', () => {
    const record = decidedAs('recapture', ['too_blurred', 'presentation_attack_suspected', 'too_dark']);
    expect(viewFor('client_token', record, 'visit-7').verdict?.reasons).toEqual(['too_blurred', 'too_dark']);
  });
});
