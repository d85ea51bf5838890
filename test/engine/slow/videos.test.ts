/** More of the videos of `test/engine/videos.test.ts`: seconds each, so `npm run test:engine` runs it and `npm test` does not. */
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/engine.ts';
import { portrait } from '../../../tools/samples.ts';
import { fixture } from '../captures.ts';
import { outcomeText, shippedEngine } from '../engine.ts';
import { idCard, selfieOfPairFurtherAway, strangerFurtherAway } from '../people.ts';
import { said, video } from '../videos.ts';

let engine: Engine;
let card: Uint8Array;
beforeAll(async () => {
  engine = await shippedEngine();
  card = await idCard();
});

const watch = (bytes: Uint8Array) => engine.analyseVideo(bytes, card, said, {});

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

describe('A video that shows', () => {
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
