/** More of the videos of `video-verdicts.test.ts`. */
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis, Engine } from '../../../engine/engine.ts';
import { portrait } from '../../../tools/samples.ts';
import { fixture } from '../captures.ts';
import { outcomeText, shippedEngine } from '../engine.ts';
import { turningAt } from '../head.ts';
import { idCard, selfieOfPairFurtherAway, stranger, strangerFurtherAway } from '../people.ts';
import { said, video } from '../videos.ts';

let engine: Engine;
let card: Uint8Array;
let honest: Uint8Array;
let analysed: Analysis;
beforeAll(async () => {
  engine = await shippedEngine();
  card = await idCard();
  honest = await video();
  analysed = await watch(honest);
});

const watch = (bytes: Uint8Array, challenge = said, thresholds = {}, round = {}) =>
  engine.analyseVideo(bytes, card, challenge, thresholds, round);

describe('A video of the person on the card who says the digits', () => {
  it('passes as MOV', async () => {
    expect(outcomeText(await watch(await video({ kind: 'mov' })))).toBe('passed');
  });

  it('is judged alike as WebM with VP9 and Opus, and with HEVC', async () => {
    const ofPortrait = await idCard({ of: 'portrait' });
    for (const file of ['portrait-407193.webm', 'portrait-407193-hevc.mp4']) {
      const { finding: failed } = await engine.analyseVideo(await fixture(file), ofPortrait, said, {});
      // The portrait itself sways, and is on its card: everything else is as it should be.
      expect(failed).toMatchObject({ outcome: 'failed', reasons: ['same_photo_as_id', 'face_does_not_move'] });
    }
  });

  it('gives the same numbers twice', async () => {
    const film = await video();
    const [once, again] = [await watch(film), await watch(film)];
    expect(again.measurements).toEqual(once.measurements);
    expect(again.finding).toEqual(once.finding);
  });
});

describe('A video that says', () => {
  it('the right digits too weakly for the threshold is asked for again once, then fails', async () => {
    const strict = { digits: 1 };
    const doubted = await watch(honest, said, strict);
    expect(outcomeText(doubted)).toBe('recapture digits_not_heard');
    expect(doubted.measurements).toMatchObject({ digits_doubted: 1 });
    const again = await watch(honest, said, strict, { digitsDoubted: true });
    expect(outcomeText(again)).toBe('failed wrong_digits');
    expect(again.measurements).not.toHaveProperty('digits_doubted');
  });

  it('accuses no one who had not said all digits', async () => {
    const sooner = await watch(await video({ seconds: 2.5 }));
    expect(sooner.transcript?.length).toBeLessThan(6);
    expect(outcomeText(sooner)).toBe('recapture digits_not_heard');
    expect(outcomeText(await watch(await video({ speechSeconds: 1.5 })))).toBe('recapture digits_not_heard');
  });
});

describe('A video that is asked for a turn of the head', () => {
  const watchFor = (bytes: Uint8Array, side: 'left' | 'right', second: number) =>
    watch(bytes, said, {}, { turn: { side, second } });
  let left: Uint8Array;
  beforeAll(async () => {
    left = await video({ seconds: 4.5, gesture: turningAt({ side: 'left', second: 2 }) });
  });

  it('passes where the head turns to that side then', async () => {
    const seen = await watchFor(left, 'left', 2);
    expect(outcomeText(seen)).toBe('passed');
    expect(seen.measurements.turn_ratio).toBeGreaterThan(0.25);
    expect(seen.measurements.turn_late_seconds).toBeCloseTo(0.5, 1);
    const right = await video({ seconds: 5, gesture: turningAt({ side: 'right', second: 3 }) });
    expect(outcomeText(await watchFor(right, 'right', 3))).toBe('passed');
    expect(outcomeText(await watch(right))).toBe('passed');
  });

  it.each([
    ['to the other side', 'right', 2],
    ['at another time', 'left', 4],
  ] as const)('is asked for again where it turns %s', async (_, side, second) => {
    expect(outcomeText(await watchFor(left, side, second))).toBe('recapture move_your_head');
  });

  it('is asked for again where it does not turn, and fails all the same for what fails it anyway', async () => {
    expect(outcomeText(await watchFor(honest, 'left', 2))).toBe('recapture move_your_head');
    const swaying = await video({ shown: 'photo' });
    expect(outcomeText(await watchFor(swaying, 'left', 2))).toBe('failed face_does_not_move');
  });
});

describe('A video that shows', () => {
  it('a face of which nothing but the mouth moves is asked for again: software draws that', async () => {
    const speaking = (_: number, loudness: number) => ({ yaw: 0, pitch: 0, blink: 0, mouth: loudness });
    expect(outcomeText(await watch(await video({ gesture: speaking })))).toBe('recapture move_your_head');
  });

  it("the card's own portrait fails, however it sways", async () => {
    const people = [await portrait(960)];
    const ofPortrait = await idCard({ of: 'portrait' });
    const filmed = await engine.analyseVideo(await video({ people, shown: 'photo' }), ofPortrait, said, {});
    expect(filmed.finding).toMatchObject({ outcome: 'failed', confidence: null });
    expect(filmed.finding.reasons[0]).toBe('same_photo_as_id');
    expect(analysed.measurements.match_photo_correlation).toBeLessThan(0.85);
  });

  it('another person halfway fails', async () => {
    const people = [await selfieOfPairFurtherAway(), await strangerFurtherAway()];
    const { finding: failed, measurements } = await watch(await video({ people }));
    expect(failed.outcome).toBe('failed');
    expect(failed.reasons).toContain('face_changed_in_video');
    expect(measurements.face_sameness_ratio).toBeLessThan(0.9);
  });

  it('another person who stands too near for the gate fails all the same', async () => {
    const { finding: failed, measurements } = await watch(
      await video({ people: [await selfieOfPairFurtherAway(), await stranger()] }),
    );
    expect(failed.outcome).not.toBe('passed');
    expect(measurements.face_sameness_ratio).toBeLessThan(0.9);
  });

  it("the card's own portrait mirrored fails, however it sways", async () => {
    const mirrored = await sharp(await portrait(960))
      .flop()
      .jpeg()
      .toBuffer();
    const ofPortrait = await idCard({ of: 'portrait' });
    const film = await video({ people: [mirrored], shown: 'photo' });
    const { finding: failed } = await engine.analyseVideo(film, ofPortrait, said, {});
    expect(failed).toMatchObject({ outcome: 'failed', confidence: null });
    expect(failed.reasons[0]).toBe('same_photo_as_id');
  });

  it('another person for a part of it fails, whichever comes first', async () => {
    const [person, other] = [await selfieOfPairFurtherAway(), await strangerFurtherAway()];
    for (const people of [
      [other, person],
      [person, person, person, other],
    ]) {
      const { finding: failed, measurements } = await watch(await video({ people }));
      expect(failed.outcome).toBe('failed');
      expect(failed.reasons).toContain('face_changed_in_video');
      expect(measurements.face_sameness_ratio).toBeLessThan(0.9);
    }
  });
});
