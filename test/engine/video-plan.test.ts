import { describe, expect, it } from 'vitest';
import {
  headerReader,
  looksBeforeGaps,
  planDecoding,
  type StoredFrame,
  secondsUnseen,
  spliced,
  timesShown,
  workOf,
} from '../../engine/video-plan.ts';

const framePixels = 10_000;
const gapSeconds = 0.5;

/** Ten frames a second for three seconds, 100 bytes each, an entry each second, every second one referred to by none. */
const frames = framesOf(({ index }) => ({ layer: index % 2 }));

function framesOf(about: (frame: { index: number }) => Partial<StoredFrame>): StoredFrame[] {
  return Array.from({ length: 30 }, (_, index) => ({
    ...{ time: index / 10, bytes: 100, shown: true, layer: 0, entry: index % 10 === 0, parameters: false },
    ...about({ index }),
  }));
}

const budget = (count: number) => {
  const work = workOf(frames.slice(0, count), framePixels);
  return { framePixels, gapSeconds, work, thinningWork: work, leastFramesPerSecond: 0 };
};
const planned = (of: readonly StoredFrame[], count: number, thinnable = true) =>
  planDecoding(of, budget(count), thinnable);
/** Tenths of a second. */
const tenths = (plan: ReturnType<typeof planned>) => plan?.frames.map(({ time }) => Math.round(time * 10));

describe('The plan of decoding', () => {
  it('takes all frames where the budget allows, then those that others refer to', () => {
    expect(planned(frames, 30)?.frames).toEqual(frames);
    expect(tenths(planned(frames, 29))).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28]);
    expect(planned(frames, 15)?.restarts.size).toBe(0);
  });

  it('leaves out the highest layers first, and none that a lower one refers to', () => {
    const layered = framesOf(({ index }) => ({ layer: [0, 5, 3, 5][index % 4] ?? 0, entry: index % 20 === 0 }));
    expect(new Set(planned(layered, 29)?.frames.map(({ layer }) => layer))).toEqual(new Set([0, 3]));
    expect(new Set(planned(layered, 14)?.frames.map(({ layer }) => layer))).toEqual(new Set([0]));
  });

  it('then leaves out the last frames before each entry, as few as the budget allows', () => {
    expect(tenths(planned(frames, 14))?.at(-1)).toBe(26);
    expect(tenths(planned(frames, 12))).toEqual([0, 2, 4, 6, 10, 12, 14, 16, 20, 22, 24, 26]);
    const forward = framesOf(() => ({}));
    expect(tenths(planned(forward, 18))).toEqual([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25]);
    expect(planned(forward, 17)).toBeUndefined();
  });

  it('leaves out as much as can be where that is still more than it should be, and not too much', () => {
    const forward = framesOf(() => ({}));
    const limits = { ...budget(30), thinningWork: budget(5).work };
    expect(planDecoding(forward, limits, true)?.frames).toHaveLength(18);
    expect(planDecoding(forward, limits, false)?.frames).toHaveLength(30);
    expect(planDecoding(forward, { ...limits, ...budget(17) }, true)).toBeUndefined();
  });

  it('takes entries alone where they are half a second apart', () => {
    const often = framesOf(({ index }) => ({ entry: index % 5 === 0 }));
    expect(tenths(planned(often, 6))).toEqual([0, 5, 10, 15, 20, 25]);
    expect(planned(often, 5)).toBeUndefined();
  });

  it('keeps as many as motion is told from, of a video that has them', () => {
    const often = framesOf(({ index }) => ({ entry: index % 5 === 0 }));
    const limits = { ...budget(30), thinningWork: 0 };
    expect(planDecoding(often, { ...limits, leastFramesPerSecond: 3 }, true)?.frames).toHaveLength(17);
    expect(planDecoding(often, { ...limits, leastFramesPerSecond: 100 }, true)?.frames).toHaveLength(30);
    expect(planDecoding(often, { ...limits, leastFramesPerSecond: 100, work: budget(29).work }, true)).toBeUndefined();
  });

  it('begins anew where frames are missing, without those that refer to them', () => {
    // As B-frames of an open group are stored: the entry, then two frames that are shown before it.
    const open = framesOf(() => ({})).map((frame, index) => {
      const shift = [0.2, -0.1, -0.1][index % 10] ?? 0;
      return index < 10 ? frame : { ...frame, time: frame.time + shift };
    });
    const plan = planned(open, 18);
    expect(tenths(plan)?.filter((tenth) => tenth >= 8 && tenth < 12)).toEqual([]);
    expect([...(plan?.restarts ?? [])].map(({ time }) => time)).toEqual([1.2, 2.2]);
    expect(secondsUnseen(timesShown(open), timesShown(plan?.frames ?? []))).toBeLessThanOrEqual(gapSeconds);
  });

  it('leaves out nothing where it does not know what refers to what', () => {
    expect(planned(frames, 29, false)).toBeUndefined();
  });

  it('leaves out nothing where parameters lie between frames, which others may need', () => {
    const inBetween = frames.map((frame, index) => ({ ...frame, parameters: index === 13 }));
    expect(planned(inBetween, 30)?.frames).toEqual(inBetween);
    expect(planned(inBetween, 29)).toBeUndefined();
    const atEntries = frames.map((frame) => ({ ...frame, parameters: frame.entry }));
    expect(planned(atEntries, 29)?.frames).toHaveLength(15);
  });

  it('takes no frames that leave more than half a second unseen', () => {
    const sparse = framesOf(({ index }) => ({ entry: index === 0, layer: index % 10 === 0 ? 0 : 1 }));
    expect(planned(sparse, 10)).toBeUndefined();
  });

  it('counts bytes as work, too, and frames that are decoded and not shown', () => {
    const heavy = frames.map((frame) => ({ ...frame, bytes: 100_000 }));
    expect(planned(heavy, 30, false)).toBeUndefined();
    const hidden = frames.map((frame, index) => ({ ...frame, shown: index > 20 }));
    expect(planned(hidden, 29, false)).toBeUndefined();
  });
});

describe('What goes unseen', () => {
  it('is measured from the last frame looked at to the last that was stored', () => {
    expect(secondsUnseen([0, 0.1, 0.2, 0.3], [0, 0.2])).toBeCloseTo(0.1);
    expect(secondsUnseen([0, 0.1, 0.2, 0.3], [0])).toBeCloseTo(0.3);
    expect(secondsUnseen([0, 1, 2], [0, 1, 2])).toBe(0); // nothing was stored in between
    expect(secondsUnseen([0, 0.1], [0.1])).toBe(Infinity);
    expect(secondsUnseen([0, 0.1], [])).toBe(Infinity);
  });

  it('is looked at just before it where looks at an interval would leave too long a gap', () => {
    const stored = Array.from({ length: 20 }, (_, index) => index / 10);
    const decoded = stored.filter((time) => time % 1 < 0.55);
    expect(looksBeforeGaps(stored, decoded, { everySeconds: 0.3, gapSeconds })).toEqual([0.5, 1.5]);
    expect(looksBeforeGaps(stored, stored, { everySeconds: 0.495, gapSeconds })).toEqual([]);
  });
});

describe('The header of a frame', () => {
  const unit = (...bytes: number[]) => [0, 0, 0, bytes.length, ...bytes];
  /** avcC and hvcC say how many bytes the length of a NAL unit has: here, four. */
  const setUps = { h264: [1, 0, 0, 0, 0xff], hevc: [1, ...Array(20).fill(0), 0xff] };
  const read = (codec: 'h264' | 'hevc', ...bytes: number[]) =>
    headerReader(codec, Uint8Array.from(setUps[codec]))?.(Uint8Array.from(bytes));
  const plainFrame = { layer: 0, entry: false, parameters: false };

  it('of H.264 says whether others refer to it, behind whatever else comes before', () => {
    expect(read('h264', ...unit(0x06, 1, 2), ...unit(0x01, 9))).toEqual({ ...plainFrame, layer: 1 });
    expect(read('h264', ...unit(0x06, 1, 2), ...unit(0x41, 9))).toEqual(plainFrame);
    expect(read('h264', ...unit(0x67, 1), ...unit(0x65, 9))).toEqual({ layer: 0, entry: true, parameters: true });
  });

  it('of HEVC says its sublayer, and whether others of it refer to it', () => {
    expect(read('hevc', ...unit(0x4e, 1, 2), ...unit(0x00, 1))?.layer).toBe(1);
    expect(read('hevc', ...unit(0x02, 1))).toEqual(plainFrame);
    expect(read('hevc', ...unit(0x02, 3))?.layer).toBe(4); // TRAIL_R of the third
    expect(read('hevc', ...unit(0x04, 3))?.layer).toBe(5); // TSA_N
    for (const idrOrCra of [0x26, 0x28, 0x2a]) {
      expect(read('hevc', ...unit(0x40, 1), ...unit(idrOrCra, 1))).toEqual({ layer: 0, entry: true, parameters: true });
    }
  });

  it('is that of the slice others need most, and of the first view', () => {
    expect(read('h264', ...unit(0x01, 9), ...unit(0x41, 9))?.layer).toBe(0);
    expect(read('hevc', ...unit(0x00, 1), ...unit(0x02, 9))?.layer).toBe(1); // 9: the second view's
  });

  it('is found behind lengths of two bytes, too', () => {
    const short = headerReader('h264', Uint8Array.of(1, 0, 0, 0, 0xfd));
    expect(short?.(Uint8Array.of(0, 3, 0x06, 1, 2, 0, 2, 0x01, 9)).layer).toBe(1);
    expect(short?.(Uint8Array.of(0, 3, 0x06, 1, 2, 0, 2, 0x41, 9)).layer).toBe(0);
  });

  it('keeps a frame whose bytes make no sense', () => {
    expect(read('h264', 0xff, 0xff, 0xff, 0xff, 0x06, 1)).toEqual(plainFrame);
    expect(read('hevc')).toEqual(plainFrame);
  });

  it('is not looked for in any other codec, or without its set-up', () => {
    expect(headerReader('vp9', Uint8Array.from(setUps.hevc))).toBeUndefined();
    expect(headerReader('h264', new Uint8Array())).toBeUndefined();
    expect(headerReader('hevc', Uint8Array.of(1, 2, 3))).toBeUndefined();
  });

  it('of clean random access becomes a broken link’s where decoding begins anew', () => {
    const cra = Uint8Array.from([...unit(0x4e, 1, 2), ...unit(0x2a, 1, 7)]);
    const link = Uint8Array.from([...unit(0x4e, 1, 2), ...unit(0x24, 1, 7)]);
    expect(spliced('hevc', Uint8Array.from(setUps.hevc), cra)).toEqual(link);
    const idr = Uint8Array.from(unit(0x26, 1, 7));
    expect(spliced('hevc', Uint8Array.from(setUps.hevc), idr)).toEqual(idr);
    expect(spliced('h264', Uint8Array.from(setUps.h264), cra)).toEqual(cra);
  });
});
