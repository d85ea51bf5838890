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

describe('a verification as it is read', () => {
  const attempt = { attempt: 1, provider: 'builtin', round: 1, pass: 1, startedAt: '2026-01-01T00:00:01.000Z' };
  const record: InState<'decided'> = {
    ...decidedAs('passed', []),
    challenge: '271828',
    metadataText: '{"visit":7}',
    attempts: [
      { ...attempt, endedAt: '2026-01-01T00:00:02.000Z', result: 'accepted', measurements: { face_count: 1 } },
    ],
  };
  const named = { source_id: 'visit-7', livemode: true, check: 'spoof_detect' };
  const state = { ...named, state: 'decided', round: 1, sequence: 1 };
  const times = { created_at: record.createdAt, updated_at: record.updatedAt };

  it('answers a key with exactly these fields', () => {
    expect(viewFor('key', record, 'visit-7')).toEqual({
      ...state,
      verdict: {
        outcome: 'passed',
        confidence: 0.9,
        reasons: [],
        scores: { live: 0.1 },
        provider: 'builtin',
        policy_version: 1,
      },
      challenge: '271828',
      metadata: { visit: 7 },
      attempts: [
        {
          attempt: 1,
          provider: 'builtin',
          round: 1,
          started_at: '2026-01-01T00:00:01.000Z',
          ended_at: '2026-01-01T00:00:02.000Z',
          result: 'accepted',
          measurements: { face_count: 1 },
        },
      ],
      ...times,
    });
  });

  it('answers a client token with exactly these', () => {
    expect(viewFor('client_token', record, 'visit-7')).toEqual({
      ...state,
      verdict: { outcome: 'passed', reasons: [] },
      rounds_left: 2,
      handed_off: false,
      ...times,
    });
  });

  it('answers a client token beside them what the page has to know while captures are awaited', () => {
    const awaiting = anAwaitingVerification({ check: 'photo_verify', missing: ['id_card'], round: 3 });
    const returnUrl = 'https://shop.example/done?visit=7#end';
    const answered = viewFor('client_token', { ...awaiting, returnUrl, handOff: { state: 'claimed', number: 4 } }, 'v');
    expect(answered).toMatchObject({
      verdict: null,
      missing: ['id_card'],
      rounds_left: 0,
      handed_off: true,
      return_url: returnUrl,
    });
    const offered = { state: 'offered', number: 5, codeHash: 'secret', expiresAt: 9 } as const;
    const other = viewFor('client_token', { ...awaiting, handOff: offered }, 'v');
    expect(other).toMatchObject({ handed_off: false });
    expect(JSON.stringify(other)).not.toContain('secret');
  });
});

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

  it('names the format of a capture that is to be made in another one', () => {
    const recaptured = decidedAs('recapture', ['format_unsupported']);
    const record = { ...recaptured, verdict: { ...recaptured.verdict, format: 'av1' } };
    expect(viewFor('key', record, 'visit-7').verdict).toMatchObject({ format: 'av1' });
    expect(viewFor('client_token', record, 'visit-7').verdict).toEqual({
      outcome: 'recapture',
      reasons: ['format_unsupported'],
      format: 'av1',
    });
  });
});
