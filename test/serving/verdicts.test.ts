import { describe, expect, it } from 'vitest';
import { type Check, check } from '../../shared/domain/captures.ts';
import { Fault, type FaultCode, faultCodes } from '../../shared/domain/fault.ts';
import {
  failureReasons,
  type Measurements,
  type Reason,
  reason,
  recaptureReasons,
} from '../../shared/domain/verdict.ts';
import * as identify from '../../shared/providers/identify/answers.ts';
import { readDelivery } from '../../shared/providers/identify/delivery.ts';
import * as onesmartlab from '../../shared/providers/onesmartlab/answers.ts';
import { refusalIn } from '../../shared/providers/refusals.ts';
import type { Judged } from '../../shared/providers/served.ts';
import * as spoofsense from '../../shared/providers/spoofsense/answers.ts';
import { defaultThresholds, endpoint as endpoints } from '../../shared/providers/spoofsense/wire.ts';
import { invented } from '../../tools/vendor-simulator/invented.ts';
import { answering } from '../providers/answering.ts';

const reasons = reason.options;
const checks = check.options;
const about = { imageLink: 'https://pictures.example/1', sourceId: 'order-1', endedAt: '2026-01-01T00:00:03.260Z' };

const selfie = invented('spoof_detect');

/** A selfie's verdict with this live score; `changes` are to it. */
const withLive = (live: number | undefined, changes: Partial<Judged['verdict']>, own?: number): Judged => {
  const { verdict, ...judged } = selfie;
  const scores = live === undefined ? {} : { live };
  return { ...judged, verdict: { ...verdict, scores, ...changes }, thresholds: own === undefined ? {} : { live: own } };
};
const failedFor = (reason: Reason): Partial<Judged['verdict']> => ({ outcome: 'failed', reasons: [reason] });

describe("SpoofSense's rule, prob_real > THRESHOLD, and our verdict", () => {
  /** A tenant's own; undefined is the engine's. */
  const own = [undefined, 0, 0.001, 0.1, 0.25, 0.499, 0.5, 0.501, 0.55, 0.6, 0.75, 0.9, 0.99, 0.999, 1] as const;
  const steps = 10_000;
  const scores = Array.from({ length: steps + 1 }, (_, index) => index / steps);
  /** When a verdict passes: from its threshold on with the engine, above it where SpoofSense itself was asked. */
  const rules = {
    'from the threshold on': (live: number, threshold: number) => live >= threshold,
    'above the threshold': (live: number, threshold: number) => live > threshold,
  } as const;

  it('disagree about 0 of 10,001 scores with either endpoint and any threshold', () => {
    const counts = { compared: 0, passed: 0, failed: 0, failedForAnotherReason: 0, disagreed: 0, unordered: 0 };
    for (const endpoint of endpoints.options) {
      for (const threshold of own) {
        for (const rule of Object.values(rules)) {
          let before = -1;
          for (const live of scores) {
            const passes = rule(live, threshold ?? 0.5);
            const verdict = passes ? {} : failedFor('presentation_attack_suspected');
            const real = realOf(withLive(live, verdict, threshold), endpoint);
            counts.compared += 1;
            counts[passes ? 'passed' : 'failed'] += 1;
            if (!agrees(real, passes, endpoint)) counts.disagreed += 1;
            if (!(real >= before)) counts.unordered += 1;
            before = real;
            const reused = realOf(withLive(live, failedFor('capture_reused'), threshold), endpoint);
            counts.failedForAnotherReason += 1;
            if (!agrees(reused, false, endpoint)) counts.disagreed += 1;
          }
        }
      }
    }
    console.log(
      `${scores.length} scores × ${endpoints.options.length} endpoints × ${own.length} thresholds × 2 rules: ${JSON.stringify(counts)}`,
    );
    expect(counts).toMatchObject({ disagreed: 0, unordered: 0 });
  }, 600_000);

  const agrees = (real: number, passes: boolean, endpoint: spoofsense.Asked['endpoint']) =>
    real >= 0 && real <= 1 && real > defaultThresholds[endpoint] === passes;

  /** As it is sent and read again. `pred_idx` must say the same, or it is no number and agrees with nothing. */
  function realOf(judged: Judged, endpoint: spoofsense.Asked['endpoint']): number {
    const body = spoofsense.answer(judged, { endpoint, edition: 'error_codes' });
    if (!body.success) return Number.NaN;
    const { pred_idx, prob_real } = body.model_output;
    const real = Number(JSON.stringify(prob_real));
    return (pred_idx === 'real') === real > defaultThresholds[endpoint] ? real : Number.NaN;
  }

  it.each(endpoints.options)('agree at equality, and hold what failed otherwise at the threshold: %s', (endpoint) => {
    const limit = defaultThresholds[endpoint];
    expect(realOf(withLive(0.5, {}), endpoint)).toBeCloseTo(limit, 5);
    expect(realOf(withLive(0.5, {}), endpoint)).toBeGreaterThan(limit);
    expect(Math.fround(realOf(withLive(0.5, {}), endpoint))).toBeGreaterThan(Math.fround(limit));
    expect(realOf(withLive(0.9, failedFor('capture_reused')), endpoint)).toBe(limit);
    expect(realOf(withLive(0.2, failedFor('capture_reused')), endpoint)).toBeCloseTo(limit * 0.4, 12);
  });

  it.each(endpoints.options)('keep to the threshold where no live score was given: %s', (endpoint) => {
    expect(realOf(withLive(undefined, {}), endpoint)).toBeCloseTo(defaultThresholds[endpoint], 5);
    expect(realOf(withLive(undefined, failedFor('presentation_attack_suspected')), endpoint)).toBe(
      defaultThresholds[endpoint],
    );
  });
});

describe.each(spoofsense.editions)('SpoofSense, %s', (edition) => {
  const asked = { endpoint: 'antispoofing', edition } as const;

  it.each(reasons)('%s is told in the words of the edition, and no probability of a recapture', (one) => {
    const body = spoofsense.answers[edition].parse(spoofsense.answer(invented('spoof_detect', one), asked));
    expect(body.success).toBe(failureReasons.some((failure) => failure === one));
  });

  it.each(reasons)('%s is read as what it is, by our own adapter', async (one) => {
    const body = JSON.stringify(spoofsense.answer(invented('spoof_detect', one), asked));
    const { outcome } = await answering('spoofsense', 'spoof_detect', { body });
    const failed = failureReasons.some((failure) => failure === one);
    expect(outcome.split(' ')[0]).toBe(failed ? 'failed' : 'recapture');
  });

  it.each(faultCodes)('%s is told', (code) => {
    const { status, body } = spoofsense.refusal(code, edition);
    if (status === 200) expect(spoofsense.answers[edition].parse(body)).toMatchObject({ success: false });
    else expect([403, 413, 500]).toContain(status);
  });

  it('reads a face that is too small with the box that was measured', () => {
    const small = invented('spoof_detect', 'face_too_small');
    const message = (judged: Judged) => spoofsense.answer(judged, asked);
    const says = (box: string) => ({
      success: false,
      message: `Detected face box: ${box}`,
      error_code: 'FACE_TOO_SMALL',
    });
    const notDetected = spoofsense.unprocessed('FACE_NOT_DETECTED', edition);
    const unmeasured = { ...small, measurements: {} };
    expect(message(unmeasured)).toEqual(notDetected);
    const stricter = { ...small, thresholds: { minimumFacePx: 200 } };
    const [first, second] = [
      '90x80 smaller than minimum required size: 128x128',
      '90x80 smaller than minimum required size: 200x200',
    ];
    expect(message(small)).toEqual(edition === 'messages' ? notDetected : says(first));
    expect(message(stricter)).toEqual(edition === 'messages' ? notDetected : says(second));
  });

  it('tells of several reasons the one it has a word for', () => {
    const { verdict, ...judged } = invented('spoof_detect', 'face_too_small');
    const several = {
      ...judged,
      verdict: { ...verdict, reasons: ['multiple_faces', 'face_too_small', 'too_dark'] as Reason[] },
    };
    expect(spoofsense.answer(several, asked)).toEqual(spoofsense.answer({ ...judged, verdict }, asked));
  });
});

describe.each(checks)('One Smart Lab, %s', (check) => {
  const bodyOf = (judged: Judged) => onesmartlab.answer(check, judged);
  const read = async (judged: Judged) => answering('onesmartlab', check, { body: JSON.stringify(bodyOf(judged)) });

  it.each(reasons)('%s is told by fields or by words', (one) => {
    const body = bodyOf(invented(check, one));
    expect(onesmartlab.statusOf(body)).toBe('error' in body ? 400 : 200);
    if ('error' in body) expect(onesmartlab.problem.parse(body).error).toMatch(/^[a-z_]+: [A-Z].*\.$/);
    else {
      const { predictions } = onesmartlab.answers[check].parse(body);
      expect(predictions.verification.status).toBe(false);
    }
  });

  it('passes with every flag true', async () => {
    expect(bodyOf(invented(check))).toMatchObject({ predictions: { verification: { status: true } } });
    expect((await read(invented(check))).outcome).toBe('passed');
  });

  it.each([undefined, ...reasons])('has a status that is the AND of its breakdown: %s', (one) => {
    const body = bodyOf(invented(check, one));
    if ('error' in body) return;
    const { breakdown, status } = body.predictions.verification;
    const flags = Object.values(breakdown).filter((flag): flag is boolean => typeof flag === 'boolean');
    expect(flags.length).toBe({ spoof_detect: 3, photo_verify: 0, video_verify: 5 }[check]);
    if (flags.length > 0) expect(status).toBe(flags.every(Boolean));
  });

  it.each(recaptureReasons)('%s is read as a recapture, or asks the next provider: it accuses nobody', async (one) => {
    const certain = invented(check, one);
    const doubted = { ...certain, measurements: { ...certain.measurements, live_score: 0.01 } };
    for (const judged of [certain, doubted]) {
      const { outcome } = await read(judged);
      if ('error' in bodyOf(judged)) expect(outcome).toBe('provider_refused');
      else expect(outcome).toMatch(/^recapture /);
    }
  });

  it.each(failureReasons)('%s is read as a failure', async (one) => {
    expect((await read(invented(check, one))).outcome).toMatch(/^failed /);
  });

  it('without a face is read as face_not_detected, not as an attack', async () => {
    const judged = invented(check, 'face_not_detected');
    const spoofed = { ...judged, measurements: { ...judged.measurements, live_score: 0.01 } };
    expect((await read(spoofed)).outcome).toBe('recapture face_not_detected');
    const { predictions } = { predictions: undefined, ...bodyOf(spoofed) };
    expect(predictions).toMatchObject(
      {
        spoof_detect: {
          metadata: { num_faces: 0, not_spoof_confidence: '0.00', not_spoof_passed: false, single_face: false },
        },
        photo_verify: {
          verification: {
            breakdown: { photo: { num_faces: 0, not_spoof_confidence: '0.00', not_spoof_passed: false } },
          },
        },
        video_verify: {
          model_output: { single_face_in_frames: 0, non_spoof_detected: 0 },
          verification: { breakdown: { not_spoof_passed: false } },
        },
      }[check],
    );
  });

  it.each(recaptureReasons)('has words for %s that no adapter takes for a refusal of the key', (one) => {
    const body = bodyOf(invented(check, one));
    if ('error' in body) expect(refusalIn(body.error)).toBeUndefined();
  });
});

describe('One Smart Lab', () => {
  const errorOf = (check: Check, reason: Reason, measurements: Measurements = {}, changes: Partial<Judged> = {}) => {
    const judged = invented(check, reason);
    const body = onesmartlab.answer(check, {
      ...judged,
      measurements: { ...judged.measurements, ...measurements },
      ...changes,
    });
    return 'error' in body ? body.error.split(':')[0] : body;
  };

  it('names the part that has to be made again', () => {
    expect(errorOf('photo_verify', 'too_dark')).toBe('photo');
    expect(errorOf('video_verify', 'too_dark')).toBe('video');
    expect(errorOf('photo_verify', 'card_not_seen')).toBe('id_card');
    expect(errorOf('photo_verify', 'id_face_too_small')).toBe('id_card');
    expect(errorOf('photo_verify', 'capture_unreadable')).toBe('photo');
    expect(errorOf('photo_verify', 'capture_unreadable', { id_card_refused: 1 })).toBe('id_card');
    expect(errorOf('photo_verify', 'capture_too_large', { id_capture_bytes: 20_000_000 })).toBe('id_card');
    expect(errorOf('video_verify', 'challenge_expired')).toBe('audiochallenge');
  });

  it('tells by words where a card in a video has no face, or most of its frames have none', () => {
    expect(errorOf('video_verify', 'face_not_detected', { single_face_ratio: 0.9, id_face_count: 0 })).toBe('id_card');
    expect(errorOf('video_verify', 'face_not_detected', { single_face_ratio: 0.2 })).toBe('video');
  });

  it('tells by words that digits are doubtful: a field would say that they are wrong', () => {
    expect(errorOf('video_verify', 'digits_not_heard', {}, { transcript: '12345' })).toBe('video');
  });

  it('tells by words that a face is too large for a limit that is not of its width', () => {
    expect(errorOf('photo_verify', 'face_too_large', { face_width_ratio: 0.6 })).toBe('photo');
  });

  it('says of a card without a face that it has none, and of the selfie what was measured', async () => {
    const body = errorOf('photo_verify', 'face_not_detected', { face_count: 1, id_face_count: 0 });
    expect(body).toMatchObject({
      predictions: {
        verification: {
          breakdown: {
            id_card: {
              num_faces: 0,
              not_spoof_confidence: '0.00',
              not_spoof_passed: false,
              face_to_frame_width_ratio: null,
            },
            photo: { num_faces: 1, not_spoof_confidence: '1.00', not_spoof_passed: true },
          },
        },
      },
    });
    const { outcome } = await answering('onesmartlab', 'photo_verify', { body: JSON.stringify(body) });
    expect(outcome).toBe('recapture face_not_detected');
  });

  it('tells no score that would accuse of a capture that has to be taken again', () => {
    const judged = invented('photo_verify', 'multiple_faces');
    const photoOf = (live_score: number, thresholds: Judged['thresholds'] = {}) => {
      const measurements = { ...judged.measurements, live_score };
      const body = onesmartlab.answer('photo_verify', { ...judged, measurements, thresholds });
      return onesmartlab.answers.photo_verify.parse(body).predictions.verification.breakdown.photo;
    };
    expect(photoOf(0.5)).toMatchObject({ not_spoof_confidence: '0.50', not_spoof_passed: true });
    expect(photoOf(0.49)).toMatchObject({ not_spoof_confidence: null, not_spoof_passed: true });
    expect(photoOf(0.8, { live: 0.9 })).toMatchObject({ not_spoof_confidence: null, not_spoof_passed: true });
  });

  it("does not count a card's ghost image, so that a mismatch is read as one", async () => {
    const judged = invented('photo_verify', 'face_mismatch');
    const measurements = { ...judged.measurements, id_face_count: 2, id_faces_ignored: 1 };
    const body = JSON.stringify(onesmartlab.answer('photo_verify', { ...judged, measurements }));
    expect((await answering('onesmartlab', 'photo_verify', { body })).outcome).toBe('failed face_mismatch');
  });

  it.each(checks)('has null for what the provider that decided did not measure: %s', (check) => {
    const body = onesmartlab.answers[check].parse(
      onesmartlab.answer(check, { ...invented(check), measurements: {}, transcript: undefined }),
    );
    expect(JSON.stringify(body)).toContain('null');
    expect(body.predictions.verification.status).toBe(true);
  });

  it('keeps what One Smart Lab itself measured, where it was the one that decided', () => {
    const judged = invented('photo_verify');
    const measurements = {
      face_count: 1,
      face_width_ratio: 0.44,
      face_distance: 0.57,
      id_card_not_spoof_confidence: 0.65,
      id_card_not_spoof_passed: 1,
      id_card_face_count: 1,
      id_card_face_width_ratio: 0.1,
    };
    const { predictions } = onesmartlab.answers.photo_verify.parse(
      onesmartlab.answer('photo_verify', { ...judged, measurements }),
    );
    expect(predictions.verification.breakdown).toEqual({
      id_card: { face_to_frame_width_ratio: 0.1, not_spoof_confidence: '0.65', not_spoof_passed: true, num_faces: 1 },
      photo: {
        distance: 0.57,
        face_to_frame_width_ratio: 0.44,
        not_spoof_confidence: '1.00',
        not_spoof_passed: true,
        num_faces: 1,
      },
    });
  });

  it.each(faultCodes)('%s is told as an error with a status', (code) => {
    const { status, body } = onesmartlab.refusal(new Fault(code, 'photo: send it.'));
    expect([400, 401, 413, 500]).toContain(status);
    expect(() => onesmartlab.problem.parse(body)).not.toThrow();
  });

  it('says which part of a request is wrong, and what to do', () => {
    const told = (code: FaultCode, message: string) => onesmartlab.refusal(new Fault(code, message));
    expect(told('request_invalid', 'audiochallenge: send six digits.')).toEqual({
      status: 400,
      body: { error: 'audiochallenge: send six digits.' },
    });
    expect(told('request_unreadable', 'It is cut.')).toEqual({ status: 400, body: { error: 'request: It is cut.' } });
    expect(told('provider_failed', 'builtin failed')).toEqual(onesmartlab.refusals.failed);
    expect(told('language_unsupported', 'None of builtin understands th-TH.').body.error).toMatch(
      /^languageCode: send/,
    );
  });
});

describe('Identify', () => {
  const postedOf = (ended: identify.Ended) => JSON.stringify(identify.posted(ended, about));
  const decided = (reason?: Reason) => postedOf({ kind: 'decided', verdict: invented('spoof_detect', reason).verdict });

  it.each(recaptureReasons)('%s is posted as an error in words, without a result', (one) => {
    const body = identify.failure.parse(JSON.parse(decided(one)));
    expect(body.error).toMatch(/^[A-Z].*\.$/);
    expect(body.payload).toEqual({ image_link: about.imageLink, source_id: about.sourceId });
    expect(readDelivery(decided(one))?.answer.kind).toBe('fault');
  });

  it.each(failureReasons)('%s is posted as not passed, with the confidence as its probability', (one) => {
    expect(identify.result.parse(JSON.parse(decided(one)))).toMatchObject({
      payload: { passed: false, probability: 0.88 },
      error: null,
    });
    expect(readDelivery(decided(one))?.answer).toMatchObject({ kind: 'decided', finding: { outcome: 'failed' } });
  });

  it('posts null for a probability that is not known', () => {
    const { verdict } = invented('spoof_detect', 'capture_reused');
    const body = postedOf({ kind: 'decided', verdict: { ...verdict, confidence: null } });
    expect(identify.result.parse(JSON.parse(body)).payload.probability).toBeNull();
  });

  it.each(faultCodes)('%s is told to the caller, and where it ends a verification, in words', (code: FaultCode) => {
    const { status, body } = identify.refusal(code);
    expect([401, 413, 422, 500]).toContain(status);
    expect(() => identify.refused.parse(body)).not.toThrow();
    const { error } = identify.failure.parse(JSON.parse(postedOf({ kind: 'errored', fault: code })));
    expect(error).toMatch(/^The image .*\.$/);
  });

  it('posts that an image was never fetched', () => {
    expect(identify.failure.parse(JSON.parse(postedOf({ kind: 'expired' }))).error).toContain('image_link');
  });
});
