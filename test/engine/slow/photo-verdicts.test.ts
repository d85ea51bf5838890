import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../../engine/engine.ts';
import { idCardLimits, personLimits } from '../../../engine/id-card.ts';
import { distanceOf, matchScoreOf } from '../../../engine/matching.ts';
import { samePhotoCorrelation } from '../../../engine/same-photo.ts';
import { type Fingerprint, isRepeat, sharedKinds } from '../../../shared/domain/fingerprint.ts';
import { finding } from '../../../shared/domain/verdict.ts';
import { faceOnScreen, landscape, portrait, textNamedJpeg } from '../../../tools/samples.ts';
import { fixture, twoPeople } from '../captures.ts';
import { decoders, modelsDirectory, outcomeText, shippedEngine } from '../engine.ts';
import { group, holdingCard, idCard, otherPhotoOfPair, selfieOfPair, stranger } from '../people.ts';

let engine: Engine;
let selfie: Uint8Array;
beforeAll(async () => {
  engine = await shippedEngine();
  selfie = await selfieOfPair();
});

describe('What a selfie is recognised by', () => {
  const seenIn = async (bytes: Uint8Array): Promise<Fingerprint> => {
    const { bands } = await engine.analyseSelfie(bytes, {}, { fingerprinted: ['selfie'] });
    return { sha256: `${bytes.length}`, ...(bands?.selfie ?? { picture: [], face: [] }) };
  };
  const areOne = async (one: Uint8Array, other: Uint8Array) =>
    isRepeat(sharedKinds(await seenIn(one), await seenIn(other)));

  it.each<[string, (photo: Sharp) => Sharp]>([
    ['as JPEG 60', (photo) => photo.jpeg({ quality: 60 })],
    ['as WebP', (photo) => photo.webp({ quality: 75 })],
    ['at half its size', (photo) => photo.resize({ width: 480 })],
    ['with EXIF that lays it on its side and up again', (photo) => photo.rotate(90).withMetadata({ orientation: 8 })],
    ['cropped a little', (photo) => photo.extract({ left: 19, top: 20, width: 922, height: 1240 })],
  ])('is the same when it is stored again %s', async (_, change) => {
    expect(await areOne(selfie, await change(sharp(selfie)).toBuffer())).toBe(true);
  });

  it('is not that of another photo of the same person, or of another person', async () => {
    for (const other of [await idCard(), await stranger(), await portrait()]) {
      expect(await areOne(selfie, other)).toBe(false);
    }
  });

  it('is its bytes alone where there is no face, and nothing where it was not asked for', async () => {
    expect((await engine.analyseSelfie(await landscape(), {}, { fingerprinted: ['selfie'] })).bands).toBeUndefined();
    expect((await engine.analyseSelfie(selfie, {})).bands).toBeUndefined();
    const both = await engine.analysePhotos(selfie, await idCard(), {}, { fingerprinted: ['selfie', 'id_card'] });
    expect(both.bands?.selfie).toEqual(
      (await engine.analyseSelfie(selfie, {}, { fingerprinted: ['selfie'] })).bands?.selfie,
    );
    expect(both.bands?.id_card?.picture).toHaveLength(4);
  });
});

describe('photo_verify', () => {
  it('reads the card while the selfie is still being decoded', async () => {
    const cardRead = Promise.withResolvers<void>();
    /** Both are begun to be decoded, the card has been, and is read from beginning to end. */
    const timesAskedUntilThen = 5;
    let asked = 0;
    const card = await idCard();
    const impatient = await openEngine({
      modelsDirectory: await modelsDirectory(),
      now: () => {
        asked += 1;
        if (asked === timesAskedUntilThen) cardRead.resolve();
        return asked;
      },
      decoders: {
        ...decoders,
        use: (work) =>
          decoders.use((decoder) =>
            work({
              ...decoder,
              pixels: async (bytes, recipe) => {
                if (bytes.length === selfie.length) await cardRead.promise;
                return decoder.pixels(bytes, recipe);
              },
            }),
          ),
      },
    });
    const both = await impatient.analysePhotos(selfie, card, {});
    expect(outcomeText(both)).toBe('passed');
    expect(both.measurements).toEqual((await engine.analysePhotos(selfie, card, {})).measurements);
  });
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

  it('with a screen that looks live by its colours alone are asked for again, unless something else fails', async () => {
    const sepia = await sharp(await faceOnScreen())
      .recomb([
        [0.393, 0.769, 0.189],
        [0.349, 0.686, 0.168],
        [0.272, 0.534, 0.131],
      ])
      .jpeg({ quality: 95 })
      .toBuffer();
    expect(outcomeText(await compare(sepia, await idCard(), { match: 0 }))).toBe('recapture unnatural_colours');
    expect(outcomeText(await compare(sepia, await idCard()))).toBe('failed face_mismatch');
  });

  it("follow the tenant's thresholds", async () => {
    expect(outcomeText(await compare(selfie, await idCard(), { match: 1 }))).toBe('failed face_mismatch');
    expect(outcomeText(await compare(await stranger(), await idCard(), { match: 0 }))).toBe('passed');
  });

  it('carry every number that One Smart Lab reports', async () => {
    const { measurements } = await compare(selfie, await idCard({ facePx: 112 }));
    expect(measurements).toMatchObject({
      face_count: 1,
      face_width_ratio: expect.closeTo(0.35, 1),
      live_score: expect.closeTo(0.99, 1),
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

  it('may come as WebP and as HEIC', async () => {
    expect(
      outcomeText(
        await compare(
          selfie,
          await sharp(await idCard())
            .webp()
            .toBuffer(),
        ),
      ),
    ).toBe('passed');
    const ofPortrait = await compare(await portrait(), await fixture('portrait-sideways.heic'));
    expect(outcomeText(ofPortrait)).toBe('failed same_photo_as_id');
  });
});

describe('A picture of a person in place of a card', () => {
  it('is asked for again: another photo of the same person, and of another one', async () => {
    for (const picture of [await otherPhotoOfPair(), await portrait()]) {
      const { finding: refused, measurements } = await compare(selfie, picture);
      expect(refused).toEqual({ outcome: 'recapture', confidence: null, reasons: ['card_not_seen'], scores: {} });
      expect(measurements.id_frame_contrast).toBeLessThan(personLimits.frameContrast);
      expect(measurements.id_printed_lines).toBeLessThan(personLimits.printedLines);
    }
  });

  it('will do where the tenant takes bare portraits', async () => {
    const chip = await engine.analysePhotos(selfie, await otherPhotoOfPair(), {}, { barePortraits: true });
    expect(outcomeText(chip)).toBe('passed');
  });

  it('is one photo twice before anything else', async () => {
    expect(outcomeText(await compare(selfie, selfie))).toBe('failed same_photo_as_id');
  });

  it('may hold a card: its face is read', async () => {
    const card = await idCard({ facePx: 200 });
    const { finding: read, measurements } = await compare(selfie, await holdingCard(1, card));
    expect(read.outcome).toBe('passed');
    expect(measurements.id_face_width_px).toBeCloseTo(93, -1);
  });
});

describe("The card's own portrait as a selfie", () => {
  const jpeg = (image: Sharp, quality = 90) => image.jpeg({ quality }).toBuffer();
  const transforms: Record<string, (photo: Buffer) => Promise<Buffer> | Buffer> = {
    'as it is': (photo) => photo,
    're-encoded': (photo) => jpeg(sharp(photo), 60),
    mirrored: (photo) => jpeg(sharp(photo).flop()),
    halved: (photo) => jpeg(sharp(photo).resize(800)),
    cropped: (photo) => jpeg(sharp(photo).extract({ left: 280, top: 60, width: 1100, height: 1300 })),
    'rotated by 6°': (photo) => jpeg(sharp(photo).rotate(6, { background: '#888' })),
    blurred: (photo) => jpeg(sharp(photo).blur(2)),
    dimmed: (photo) => jpeg(sharp(photo).linear(0.6, 0)),
  };

  it.each(Object.entries(transforms))('%s fails', async (_, transformed) => {
    const photo = await transformed(await portrait(1600));
    const { finding: failed, measurements } = await compare(photo, await idCard({ of: 'portrait' }));
    expect(failed).toMatchObject({ outcome: 'failed', confidence: null });
    expect(failed.reasons[0]).toBe('same_photo_as_id');
    expect(failed.scores.match).toBeGreaterThan(0.99);
    expect(measurements.match_photo_correlation).toBeGreaterThan(samePhotoCorrelation);
  });

  it('fails beside any print of it, and beside the photo itself', async () => {
    for (const facePx of [64, 200]) {
      const card = await idCard({ of: 'portrait', facePx });
      expect(outcomeText(await compare(await portrait(), card))).toBe('failed same_photo_as_id');
    }
    expect((await compare(await portrait(), await portrait())).finding.reasons).toContain('same_photo_as_id');
    expect((await compare(selfie, selfie)).finding.reasons).toContain('same_photo_as_id');
  });

  it('is told first, and what else is wrong beside it', async () => {
    const { finding: failed } = await compare(await portrait(), await idCard({ of: 'portrait' }), { live: 1 });
    expect(failed.reasons).toEqual(['same_photo_as_id', 'presentation_attack_suspected']);
  });

  it('is no other photo of the same person, nor a photo of another one', async () => {
    const cards = await Promise.all([64, 110, 200].map((facePx) => idCard({ facePx })));
    for (const photo of [selfie, await sharp(selfie).flop().jpeg().toBuffer(), await stranger()]) {
      for (const card of cards) {
        const { finding: found, measurements } = await compare(photo, card);
        expect(found.reasons).not.toContain('same_photo_as_id');
        expect(measurements.match_photo_correlation).toBeLessThan(samePhotoCorrelation - 0.1);
      }
    }
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
