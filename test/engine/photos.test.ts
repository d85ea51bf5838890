import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { idCardLimits } from '../../engine/id-card.ts';
import { distanceOf, matchScoreOf } from '../../engine/matching.ts';
import { finding } from '../../shared/domain/verdict.ts';
import { faceOnScreen, landscape, portrait, textNamedJpeg } from '../../tools/samples.ts';
import { fixture, twoPeople, uprightPortrait } from './captures.ts';
import { outcomeText, shippedEngine } from './engine.ts';
import { group, idCard, stranger } from './people.ts';

let engine: Engine;
let selfie: Uint8Array;
beforeAll(async () => {
  engine = await shippedEngine();
  selfie = await portrait();
});

const compare = (photo: Uint8Array, card: Uint8Array, thresholds = {}) => engine.analysePhotos(photo, card, thresholds);

describe('A selfie and an ID card', () => {
  it('of one person pass, with scores in the words of the domain', async () => {
    const analysis = await compare(selfie, await idCard());
    expect(outcomeText(analysis)).toBe('passed');
    expect(finding.parse(analysis.finding)).toEqual(analysis.finding);
    const { live = 0, match = 0 } = analysis.finding.scores;
    expect(match).toBeGreaterThan(0.99);
    expect(analysis.finding.confidence).toBeCloseTo(live * match);
  });

  it.each([0, 1, 2, 3])('of two people are a mismatch: stranger %i', async (index) => {
    const { finding: mismatch, measurements } = await compare(await stranger(index), await idCard());
    expect(mismatch).toMatchObject({ outcome: 'failed', reasons: ['face_mismatch'] });
    expect(mismatch.scores.match).toBeLessThan(0.1);
    expect(mismatch.scores.live).toBeGreaterThan(0.9);
    expect(measurements.match_distance).toBeGreaterThan(0.9);
  });

  it('with a screen for a selfie are an attack and a mismatch, both said', async () => {
    expect(outcomeText(await compare(await faceOnScreen(), await idCard()))).toBe(
      'failed presentation_attack_suspected face_mismatch',
    );
  });

  it("follow the tenant's thresholds", async () => {
    expect(outcomeText(await compare(selfie, await idCard(), { match: 1 }))).toBe('failed face_mismatch');
    expect(outcomeText(await compare(await stranger(), await idCard(), { match: 0 }))).toBe('passed');
  });

  it('carry every number that One Smart Lab reports', async () => {
    const { measurements } = await compare(selfie, await idCard({ facePx: 112 }));
    expect(measurements).toMatchObject({
      face_count: 1,
      face_width_ratio: expect.closeTo(0.17, 2),
      live_score: expect.closeTo(0.997, 2),
      id_face_count: 1,
      id_face_width_ratio: expect.closeTo(0.0967, 1),
      id_live_score: expect.any(Number),
      match_distance: expect.any(Number),
    });
    expect(measurements.match_distance).toBeLessThan(0.9);
  });

  it('are asked for again, with the reasons of both', async () => {
    expect(outcomeText(await compare(await portrait(512), await landscape()))).toBe(
      'recapture face_too_small face_not_detected',
    );
    expect(outcomeText(await compare(textNamedJpeg(), await idCard()))).toBe('recapture capture_unreadable');
    const { finding: unreadable, measurements } = await compare(selfie, textNamedJpeg());
    expect(unreadable.reasons).toEqual(['capture_unreadable']);
    expect(measurements.id_card_refused).toBe(1);
  });

  it('with a group for a selfie are asked for again', async () => {
    expect((await compare(await group(), await idCard())).finding.reasons).toContain('multiple_faces');
    expect((await compare(await twoPeople(), await idCard())).finding.reasons).toContain('multiple_faces');
  });
});

describe('The face on the card', () => {
  it.each([0, 90, 180, 270] as const)('is found turned by %i°', async (turned) => {
    const { finding: read, measurements } = await compare(selfie, await idCard({ turned }));
    expect(read.outcome).toBe('passed');
    expect(measurements.id_rotation_degrees).toBe((360 - turned) % 360);
  });

  it.each([
    [64, 1200],
    [64, 2400],
    [56, 1200],
  ])('may be %i px wide on a card of %i px', async (facePx, widthPx) => {
    const { finding: read, measurements } = await compare(selfie, await idCard({ facePx, widthPx }));
    expect(measurements.id_face_width_px).toBeGreaterThanOrEqual(idCardLimits.minimumFacePx);
    expect(read.outcome).toBe('passed');
  });

  it('is refused below 48 px', async () => {
    const { finding: refused, measurements } = await compare(selfie, await idCard({ facePx: 40 }));
    expect(refused).toEqual({ outcome: 'recapture', confidence: null, reasons: ['id_face_too_small'], scores: {} });
    expect(measurements.id_face_width_px).toBeLessThan(idCardLimits.minimumFacePx);
  });

  it('is the largest one, and the others are counted', async () => {
    const { finding: read, measurements } = await compare(selfie, await idCard({ ghost: await stranger() }));
    expect(read.outcome).toBe('passed');
    expect(measurements).toMatchObject({ id_face_count: 2, id_faces_ignored: 1 });
  });

  it('may come as HEIC, and as a photo of the person', async () => {
    expect(outcomeText(await compare(selfie, await fixture('portrait-sideways.heic')))).toBe('passed');
    expect(outcomeText(await compare(selfie, await (await uprightPortrait()).webp().toBuffer()))).toBe('passed');
  });
});

describe("One Smart Lab's numbers", () => {
  it('meet ours at the threshold: distance 0.9 and score 0.5, both monotone', () => {
    const { faceMatching } = engine.manifest;
    const { cosine } = faceMatching.thresholds;
    expect(distanceOf(cosine, faceMatching)).toBeCloseTo(0.9, 10);
    expect(distanceOf(0.36, faceMatching)).toBeCloseTo((Math.sqrt(2 - 2 * 0.36) * 0.9) / 1.131, 3);
    expect(matchScoreOf(cosine, faceMatching)).toBe(0.5);
    const cosines = Array.from({ length: 41 }, (_, index) => index / 20 - 1);
    const distances = cosines.map((value) => distanceOf(value, faceMatching));
    const scores = cosines.map((value) => matchScoreOf(value, faceMatching));
    expect(distances).toEqual(distances.toSorted((a, b) => b - a));
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect([scores.at(0), scores.at(-1)].every((score = -1) => score >= 0 && score <= 1)).toBe(true);
  });
});
