/** Decodes many files: seconds each, so `npm run test:slow` runs it and `npm test` does not. */
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeVideo, videoLimits } from '../../../engine/video.ts';
import { fixture, withFlippedBits } from '../captures.ts';
import { outcomeText, shippedEngine } from '../engine.ts';
import { idCard } from '../people.ts';
import { amrClip, clip, decodedFrom, plain, repeated, said, video } from '../videos.ts';

const meanDifference = (one: Uint8Array, other: Uint8Array) =>
  one.reduce((sum, value, index) => sum + Math.abs(value - (other[index] ?? 0)), 0) / one.length;

let honest: Uint8Array;
beforeAll(async () => {
  honest = await video();
});

describe('What phones and browsers record', () => {
  it('is heard in every format of sound', async () => {
    const formats = ['pcm_f32le', 'pcm_f32be', 'pcm_s24le', 'pcm_u8', 'pcm_mulaw', 'pcm_alaw', 'alac', 'ac3', 'eac3'];
    for (const sound of [...formats, 'libmp3lame', 'flac']) {
      const file = sound === 'flac' ? 'clip.mp4' : 'clip.mov';
      const { audio } = decodedFrom(
        await decodeVideo(await clip({ seconds: 1, sound, file, options: ['-strict', '-2'] })),
      );
      expect({ sound, loudest: Math.max(...(audio?.samples ?? [])) }).toEqual({
        sound,
        loudest: expect.closeTo(0.125, 1),
      });
      expect((audio?.samples.length ?? 0) / 16_000).toBeCloseTo(1, 1);
    }
  });

  it('is heard in AMR', async () => {
    const { audio, frames } = decodedFrom(await decodeVideo(await amrClip()));
    expect(frames.length).toBeGreaterThan(8);
    expect(Math.max(...(audio?.samples ?? []))).toBeGreaterThan(0.01);
    expect((audio?.samples.length ?? 0) / 16_000).toBeCloseTo(1, 1);
  });

  it('is seen and heard in AV1 as in H.264', async () => {
    const av1 = decodedFrom(await decodeVideo(await fixture('portrait-407193-av1.mp4')));
    const h264 = decodedFrom(await decodeVideo(await fixture('portrait-407193-720p.mp4')));
    expect(av1.frames.length).toBeGreaterThan(15);
    expect([av1.widthPx, av1.heightPx]).toEqual([540, 960]);
    const [one, other] = [av1.frames[0], h264.frames[0]];
    expect(one && other && meanDifference(one.pixels, other.pixels)).toBeLessThan(3);
    expect(av1.motion).toHaveLength(av1.storedFrames); // at 10 a second; motion would be looked at more often
    expect(av1.audio?.samples.length).toBe(h264.audio?.samples.length);
  });

  it('is seen in high dynamic range, HLG and PQ, as in the standard one', async () => {
    const [standard] = decodedFrom(await decodeVideo(await fixture('portrait-sdr.mov'))).frames;
    for (const file of ['portrait-hlg.mov', 'portrait-pq.mov']) {
      const [frame] = decodedFrom(await decodeVideo(await fixture(file))).frames;
      expect([frame?.width, frame?.height]).toEqual([270, 480]);
      expect(frame && standard && meanDifference(frame.pixels, standard.pixels)).toBeLessThan(6);
    }
  });

  it('is heard on the first track that has sound', async () => {
    const muted = ['-map', '0:v', '-map', '1:a', '-map', '1:a', '-filter:a:0', 'volume=0'];
    const { audio } = decodedFrom(await decodeVideo(await clip({ seconds: 1, options: muted })));
    expect(Math.max(...(audio?.samples ?? []))).toBeGreaterThan(0.1);
    const { audio: silence } = decodedFrom(await decodeVideo(await clip({ seconds: 1, options: ['-af', 'volume=0'] })));
    expect(Math.max(...(silence?.samples ?? [1]))).toBe(0);
  });

  it('keeps its gaps between sounds, for sound and picture to stay together', async () => {
    const gap = ['-af', "aselect='not(between(t,1,2))'"];
    const { audio } = decodedFrom(await decodeVideo(await clip({ options: gap })));
    expect((audio?.samples.length ?? 0) / 16_000).toBeCloseTo(3, 0);
    expect(Math.max(...(audio?.samples.subarray(1.3 * 16_000, 1.7 * 16_000) ?? [1]))).toBe(0);
    expect(Math.max(...(audio?.samples.subarray(2.3 * 16_000, 2.7 * 16_000) ?? []))).toBeGreaterThan(0.1);
  });

  it('begins when it is heard first, also where that is later than the picture', async () => {
    const later = ['-bsf:a', 'setts=ts=TS+0.7*48000'];
    const { audio, times } = decodedFrom(await decodeVideo(await clip({ sound: 'pcm_s16le', options: later })));
    expect([audio?.begins, times[0]]).toEqual([expect.closeTo(0.7, 2), 0]);
    expect(Math.max(...(audio?.samples.subarray(0, 160) ?? []))).toBeGreaterThan(0.1);
  });

  it('may have more tracks than are listened to', async () => {
    const nine = Array.from({ length: 9 }, () => ['-map', '1:a']).flat();
    const many = await clip({ seconds: 1, options: ['-map', '0:v', ...nine] });
    expect(decodedFrom(await decodeVideo(many)).audio?.samples.length).toBeGreaterThan(15_000);
  });

  it('is looked at with square pixels, whichever way they were stretched', async () => {
    const wide = decodedFrom(await decodeVideo(await clip({ seconds: 1, options: ['-vf', 'setsar=2'] })));
    expect([wide.widthPx, wide.heightPx, wide.frames[0]?.width, wide.frames[0]?.height]).toEqual([320, 240, 320, 240]);
    const tall = decodedFrom(await decodeVideo(await clip({ seconds: 1, options: ['-vf', 'setsar=1/2'] })));
    expect([tall.widthPx, tall.heightPx, tall.frames[0]?.width, tall.frames[0]?.height]).toEqual([160, 480, 160, 480]);
    expect((await decodeVideo(await clip({ seconds: 1, options: ['-vf', 'setsar=8'] }))).kind).toBe('unreadable');
  });
});

describe('The smallest face that is judged', () => {
  it("is the tenant's choice in a video, too", async () => {
    const engine = await shippedEngine();
    const watch = async (minimumFacePx?: number) =>
      outcomeText(await engine.analyseVideo(honest, await idCard(), said, { minimumFacePx }));
    expect(await watch()).toBe('passed');
    expect(await watch(256)).toBe('recapture face_too_small');
  });
});

describe('A video that is no video, or too much of one', () => {
  it('is unreadable when it is cut off, and never judged by what there is', async () => {
    const streamed = await fixture('portrait-407193.webm');
    const headerFirst = await clip({ options: ['-movflags', '+faststart'] });
    const fragments = await clip({ options: ['-movflags', 'frag_keyframe+empty_moov', '-g', '5'] });
    for (const whole of [honest, streamed, headerFirst, fragments]) {
      expect((await decodeVideo(whole)).kind).toBe('decoded');
      for (const share of [0.3, 0.6, 0.9]) {
        expect((await decodeVideo(whole.subarray(0, Math.floor(whole.length * share)))).kind).toBe('unreadable');
      }
    }
  });

  it('is looked at by key frames alone where all frames are too much work, and refused where they leave gaps', async () => {
    const [often, once] = [await clip({ options: ['-g', '4'] }), await clip({ options: ['-g', '30'] })];
    const work = 9 * 160 * 240 + 9 * 60 * 8_000;
    const limits = { ...videoLimits, work, thinningWork: work, leastFramesPerSecond: 2 };
    const { frames } = decodedFrom(await decodeVideo(often, limits));
    expect(frames).toHaveLength(8);
    expect(decodedFrom(await decodeVideo(often)).frames.length).toBeGreaterThan(frames.length);
    expect(await decodeVideo(once, { ...videoLimits, work: work / 4 })).toMatchObject({ kind: 'too_large' });
  });

  it('leaves no half second unseen, however long it is', async () => {
    const { frames, seconds } = decodedFrom(await decodeVideo(await clip({ seconds: 30, sound: 'aac' })));
    expect(seconds / (frames.length - 1)).toBeLessThanOrEqual(0.5);
  });

  it('is too large when it lasts ten minutes, whatever its header says, and is not decoded', async () => {
    const long = await repeated(honest, 150);
    const refused = await decodeVideo(long);
    expect(refused).toMatchObject({ kind: 'too_large', measurements: { video_seconds: expect.closeTo(600, -1) } });
  });

  it('is too large beyond 4K', async () => {
    expect(await decodeVideo(await plain(4096, 2304))).toMatchObject({
      kind: 'too_large',
      measurements: { video_pixels: 4096 * 2304 },
    });
  });

  it('ends in an answer when it is damaged', async () => {
    for (let seed = 0; seed < 8; seed += 1) {
      const { kind } = await decodeVideo(withFlippedBits(honest, 1 + seed * 8, seed));
      expect(['decoded', 'too_large', 'unreadable']).toContain(kind);
    }
  });
});
