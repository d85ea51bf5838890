import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis, Engine } from '../../../engine/engine.ts';
import { decodeVideo, videoLimits } from '../../../engine/video.ts';
import { finding } from '../../../shared/domain/verdict.ts';
import { portrait, textNamedJpeg } from '../../../tools/samples.ts';
import { fixture } from '../captures.ts';
import { outcomeText, shippedEngine } from '../engine.ts';
import { idCard, strangerFurtherAway } from '../people.ts';
import { clip, decodedFrom, plain, said, video, withSampleRate } from '../videos.ts';

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
  it('passes, with scores in the words of the domain; whether lips go with the voice is told and decides nothing', async () => {
    expect(outcomeText(analysed)).toBe('passed');
    expect(finding.parse(analysed.finding)).toEqual(analysed.finding);
    const { live = 0, match = 0, digits = 0 } = analysed.finding.scores;
    expect([live, match, digits].every((score) => score > 0.8)).toBe(true);
    expect(analysed.finding.confidence).toBeCloseTo(live * match * digits);
    expect(analysed.finding.scores.sync).toBeGreaterThan(0);
    expect(analysed.transcript).toBe(said);
  });

  it('carries every number that One Smart Lab reports', () => {
    expect(analysed.measurements).toMatchObject({
      video_width_px: 540,
      video_height_px: 960,
      video_frames: 40,
      video_frames_per_second: 10,
      frames_good: expect.any(Number),
      single_face_ratio: 1,
      face_sameness_ratio: 1,
      largest_face_width_ratio: expect.closeTo(0.37, 1),
      match_distance_average: expect.any(Number),
      digits_confidence: expect.any(Number),
    });
  });

  it('counts frames a second itself where the container says nothing, as browsers do', async () => {
    const silent = Buffer.from(await fixture('portrait-407193.webm'));
    // DefaultDuration becomes as many bytes of nothing.
    const at = silent.indexOf('23e38384', 'hex');
    silent.writeUInt16BE(0xec86, at);
    expect(decodedFrom(await decodeVideo(silent)).framesPerSecond).toBeCloseTo(10);
  });

  it('passes when a phone stored it on its side', async () => {
    const { finding: turned, measurements } = await watch(await video({ sideways: true }));
    expect(turned.outcome).toBe('passed');
    expect(measurements).toMatchObject({ video_width_px: 540, video_height_px: 960 });
  });

  it('is asked for again where it looks live by its colours alone', async () => {
    const sideways = await video({ sideways: true });
    const { live_score: live = 0, live_score_plain: plain = 1 } = (await watch(sideways)).measurements;
    expect(plain).toBeLessThan(live);
    const between = await watch(sideways, said, { live: (live + plain) / 2 });
    expect(outcomeText(between)).toBe('recapture unnatural_colours');
  });
});

describe('A video that says', () => {
  it('other digits fails', async () => {
    const { finding: failed, transcript } = await watch(honest, '528806');
    expect(failed).toMatchObject({ outcome: 'failed', reasons: ['wrong_digits'] });
    expect(failed.scores.digits).toBeLessThan(0.01);
    expect(transcript).toBe(said);
  });

  it('one digit wrong never passes, and fails where it was doubted before', async () => {
    expect((await watch(honest, '407198')).finding.outcome).not.toBe('passed');
    expect(outcomeText(await watch(honest, '407198', {}, { digitsDoubted: true }))).toBe('failed wrong_digits');
  });

  it('nothing is asked for again: no sound at all, or silence', async () => {
    expect(outcomeText(await watch(await video({ sound: 'none' })))).toBe('recapture audio_missing');
    expect(outcomeText(await watch(await video({ sound: 'silence' })))).toBe('recapture digits_not_heard');
  });
});

describe('A video that is cut short', () => {
  it('is asked for again, longer, when there is no time for six digits or too few frames', async () => {
    expect(outcomeText(await watch(await video({ seconds: 0.9 })))).toBe('recapture video_too_short');
    expect(outcomeText(await watch(await video({ seconds: 1.9 })))).toBe('recapture video_too_short');
    expect(outcomeText(await watch(await plain(640, 480)))).toContain('recapture video_too_short');
  });
});

describe('A video that shows', () => {
  it('a photo that sways while a voice says the digits fails, whoever is on it', async () => {
    const swaying = await watch(await video({ shown: 'photo' }));
    expect(outcomeText(swaying)).toBe('failed face_does_not_move');
    expect(swaying.finding.confidence).toBeNull();
    expect(swaying.measurements.motion_depth_percent).toBeLessThan(0.1);
    expect(analysed.measurements.motion_depth_percent).toBeGreaterThan(1);
  });

  it('another person fails', async () => {
    const other = await strangerFurtherAway();
    expect(outcomeText(await watch(await video({ people: [other] })))).toBe('failed face_mismatch');
  });

  it('a face too small on the card is asked for again', async () => {
    const small = await engine.analyseVideo(honest, await idCard({ facePx: 40 }), said, {});
    expect(outcomeText(small)).toBe('recapture id_face_too_small');
  });
});

describe('A video in a format that is not decoded', () => {
  /** A clip whose pictures are called another codec's, by its four letters. */
  async function named(letters: string): Promise<Uint8Array> {
    const mov = Buffer.from(await clip({ seconds: 1 }));
    mov.write(letters, mov.lastIndexOf('avc1'), 'latin1');
    return mov;
  }

  it('is asked for again in another, and the verdict names it', async () => {
    const { finding: asked } = await watch(await named('apch'));
    expect(asked).toMatchObject({ outcome: 'recapture', reasons: ['format_unsupported'], format: 'prores' });
    expect(finding.parse(asked)).toEqual(asked);
    expect(await decodeVideo(await named('Vxyz'))).toEqual({ kind: 'format_unsupported', format: 'vxyz' });
    expect(await decodeVideo(await clip({ seconds: 1, sound: 'pcm_s32le' }))).toMatchObject({ format: 'pcm_s32le' });
  });

  it('is heard all the same where another track is in one that is', async () => {
    const both = ['-map', '0:v', '-map', '1:a', '-map', '1:a', '-c:a:0', 'pcm_s32le'];
    expect(decodedFrom(await decodeVideo(await clip({ seconds: 1, options: both }))).audio?.samples).toBeDefined();
  });

  it('is unreadable where its name is none', async () => {
    expect((await decodeVideo(await named('<b> '))).kind).toBe('unreadable');
  });
});

describe('A video that is no video, or too much of one', () => {
  it('is unreadable: text, a picture, the magic bytes alone, half of a header', async () => {
    const header = Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1');
    const ebml = Buffer.from('1a45dfa3934282886d6174726f736b61', 'hex');
    for (const bytes of [new Uint8Array(), textNamedJpeg(), await portrait(), header, ebml, honest.subarray(0, 200)]) {
      expect(outcomeText(await watch(bytes))).toBe('recapture capture_unreadable');
    }
  });

  it('is unreadable when it is cut off', async () => {
    expect(outcomeText(await watch(honest.subarray(0, honest.length * 0.9)))).toBe('recapture capture_unreadable');
  });

  it('is unreadable when the last of its frames cannot be decoded', async () => {
    const damaged = Buffer.from(await clip({ sound: 'pcm_s16le', options: ['-g', '5'] }));
    const [media, index] = [damaged.indexOf('mdat') + 4, damaged.lastIndexOf('moov') - 4];
    expect((await decodeVideo(damaged)).kind).toBe('decoded');
    damaged.fill(0, media + Math.floor((index - media) * 0.6), index);
    expect((await decodeVideo(damaged)).kind).toBe('unreadable');
  });

  it('multiplies no number of its container: sample rates that none has are refused', async () => {
    expect(decodedFrom(await decodeVideo(await withSampleRate(48_000))).audio?.samples.length).toBeCloseTo(48_000, -3);
    expect((await decodeVideo(await withSampleRate(1))).kind).toBe('unreadable');
    // Short enough to fit the picture.
    expect((await decodeVideo(await withSampleRate(4_000, ['-filter:a', 'atrim=0:0.2']))).kind).toBe('unreadable');
    // Six times as many samples as its times have room for: cut to those.
    const slowed = decodedFrom(await decodeVideo(await withSampleRate(8_000))).audio?.samples.length ?? 0;
    expect(slowed / 16_000).toBeLessThanOrEqual(3.3);
  });

  it('ends with its worker when it takes too long, and the next one is decoded', async () => {
    expect((await decodeVideo(honest, { ...videoLimits, decodeMilliseconds: 20 })).kind).toBe('unreadable');
    expect((await decodeVideo(honest)).kind).toBe('decoded');
  });
});
