/** Videos that are too much work as a whole, small ones with a small budget: what is decoded of them is as it was recorded. */
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeVideo, videoLimits } from '../../../engine/video.ts';
import { secondsUnseen } from '../../../engine/video-plan.ts';
import type { DecodedVideo } from '../../../engine/video-worker.ts';
import { fixture } from '../captures.ts';
import { clip, decodedFrom, repeated } from '../videos.ts';

/** Looks at every frame that is decoded. */
const everyFrame = { ...videoLimits, frames: 100_000, framesPerSecond: 1_000 };

/** So many times what all frames cost. */
function within(share: number, bytes: Uint8Array, framePixels: number, frames = 180) {
  const work = share * (frames * framePixels + 60 * bytes.length);
  return { ...everyFrame, work, thinningWork: work };
}

/** Of a fixture: 128 × 96, 60 frames a second for 3 s. */
const thinned = async (bytes: Uint8Array, share: number) =>
  decodedFrom(await decodeVideo(bytes, within(share, bytes, 128 * 96)));

/** Frames that look otherwise than in the whole video. */
function changed(whole: DecodedVideo, part: DecodedVideo): number[] {
  const pixels = new Map(whole.times.map((time, index) => [time.toFixed(3), whole.frames[index]?.pixels]));
  return part.times.filter((time, index) => {
    const expected = pixels.get(time.toFixed(3));
    return !expected || Buffer.compare(expected, part.frames[index]?.pixels ?? new Uint8Array()) !== 0;
  });
}

describe.each([
  { file: 'pyramid', shares: { 0.9: 91, 0.4: 48 } },
  { file: 'layers', shares: { 0.9: 96, 0.4: 50, 0.25: 21 } },
  { file: 'forward', shares: { 0.9: 161, 0.6: 93 } },
])('HEVC with frames in the order "$file"', ({ file, shares }) => {
  let bytes: Uint8Array;
  let whole: DecodedVideo;
  beforeAll(async () => {
    bytes = await fixture(`frames-${file}-hevc.mp4`);
    whole = decodedFrom(await decodeVideo(bytes, everyFrame));
    expect(whole.frames).toHaveLength(180);
  });

  it('is looked at without a gap over half a second, each frame as in the whole video', async () => {
    for (const [share, count] of Object.entries(shares)) {
      const part = await thinned(bytes, Number(share));
      expect({ share, count: part.frames.length }).toEqual({ share, count });
      expect(changed(whole, part)).toEqual([]);
      expect(secondsUnseen(whole.times, part.times)).toBeLessThanOrEqual(videoLimits.gapSeconds);
      expect(part.storedFrames).toBe(180);
    }
  });

  it('leaves no half second unseen where fewer frames are looked at', async () => {
    for (const share of Object.keys(shares)) {
      const { work } = within(Number(share), bytes, 128 * 96);
      const { frames, times } = decodedFrom(await decodeVideo(bytes, { ...videoLimits, work, framesPerSecond: 2 }));
      expect(frames.length).toBeLessThan(20);
      expect(secondsUnseen(whole.times, times)).toBeLessThanOrEqual(videoLimits.gapSeconds);
    }
  });

  it('is too large where even that is too much', async () => {
    const refused = await decodeVideo(bytes, within(0.05, bytes, 128 * 96));
    expect(refused).toMatchObject({ kind: 'too_large', measurements: { video_pixels: 180 * 128 * 96 } });
  });
});

it('Half a minute is looked at to its end, and twice a second', async () => {
  const bytes = await repeated(await fixture('frames-forward-hevc.mp4'), 10);
  const limits = { ...videoLimits, thinningWork: 0 };
  const { frames, times, storedFrames, seconds } = decodedFrom(await decodeVideo(bytes, limits));
  expect(storedFrames).toBe(1_800);
  expect(seconds - (times.at(-1) ?? 0)).toBeLessThanOrEqual(0.5);
  expect(frames.length).toBeLessThanOrEqual(62);
  for (const [index, time] of times.entries()) expect(time - (times[index - 1] ?? 0)).toBeLessThanOrEqual(0.5001);
});

describe('H.264', () => {
  it('is thinned likewise', async () => {
    const options = ['-r', '30', '-preset', 'fast', '-g', '30', '-bf', '3', '-b_strategy', '0', '-sc_threshold', '0'];
    const bytes = await clip({ options, sound: 'aac' });
    const whole = decodedFrom(await decodeVideo(bytes, everyFrame));
    for (const [share, most] of [
      [0.6, 48],
      [0.45, 40],
    ] as const) {
      const part = decodedFrom(await decodeVideo(bytes, within(share, bytes, 160 * 240, 90)));
      expect(part.frames.length).toBeLessThanOrEqual(most);
      expect(changed(whole, part)).toEqual([]);
      expect(secondsUnseen(whole.times, part.times)).toBeLessThanOrEqual(videoLimits.gapSeconds);
    }
  });
});

describe('Frames that say no other refers to them', () => {
  it('while others do are told by the decoder, and nothing of the video is judged', async () => {
    const bytes = Buffer.from(await fixture('frames-forward-hevc.mp4'));
    // The header of every second slice: TRAIL_R becomes TRAIL_N.
    let lies = 0;
    for (let at = bytes.indexOf('mdat') + 4; at + 4 < bytes.length; at += 4 + bytes.readUInt32BE(at)) {
      if (bytes.readUInt8(at + 4) >> 1 === 1 && lies++ % 2 === 0) bytes[at + 4] = 0;
    }
    expect((await decodeVideo(bytes, everyFrame)).kind).toBe('decoded');
    expect((await decodeVideo(bytes, within(0.6, bytes, 128 * 96))).kind).toBe('unreadable');
  });
});
