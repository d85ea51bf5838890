import { describe, expect, it } from 'vitest';
import { disposableIn, planDecoding, secondsUnseen, workOf } from '../../engine/video-plan.ts';

/** Ten frames a second, 100 bytes each, every fifth a key frame. */
const packets = Array.from({ length: 30 }, (_, index) => ({
  time: index / 10,
  key: index % 5 === 0,
  bytes: 100,
  disposable: index % 2 === 1,
}));
const framePixels = 10_000;
const budget = (frames: number) => ({
  framePixels,
  work: workOf(packets.slice(0, frames), framePixels),
  gapSeconds: 0.5,
});

describe('The plan of decoding', () => {
  it('takes all frames where the budget allows, then those that others refer to, then key frames', () => {
    expect(planDecoding(packets, budget(30), true)?.skip).toBe('default');
    expect(planDecoding(packets, budget(29), true)).toMatchObject({ skip: 'noref' });
    expect(planDecoding(packets, budget(29), true)?.packets).toHaveLength(18); // key frames, too
    expect(planDecoding(packets, budget(10), true)?.packets).toHaveLength(6);
    expect(planDecoding(packets, budget(5), true)).toBeUndefined();
  });

  it('skips no frames where it does not know what refers to what', () => {
    expect(planDecoding(packets, budget(29), false)).toBeUndefined();
  });

  it('takes no frames that leave more than half a second unseen', () => {
    const sparse = packets.map((packet, index) => ({ ...packet, key: index % 10 === 0, disposable: false }));
    expect(planDecoding(sparse, budget(10), true)).toBeUndefined();
  });

  it('counts bytes as work, too', () => {
    const heavy = packets.map((packet) => ({ ...packet, bytes: 100_000 }));
    expect(planDecoding(heavy, budget(30), false)).toBeUndefined();
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
});

describe('A frame that no other refers to', () => {
  const unit = (...bytes: number[]) => [0, 0, 0, bytes.length, ...bytes];
  /** avcC and hvcC say how many bytes the length of a NAL unit has: here, four. */
  const setUps = { h264: [1, 0, 0, 0, 0xff], hevc: [1, ...Array(20).fill(0), 0xff] };
  const isDisposable = (codec: 'h264' | 'hevc', bytes: number[]) =>
    disposableIn(codec, Uint8Array.from(setUps[codec]))?.(Uint8Array.from(bytes));

  it('is known by its first slice, behind whatever else comes before', () => {
    expect(isDisposable('h264', [...unit(0x06, 1, 2), ...unit(0x01, 9)])).toBe(true);
    expect(isDisposable('h264', [...unit(0x06, 1, 2), ...unit(0x41, 9)])).toBe(false);
    expect(isDisposable('h264', unit(0x65, 9))).toBe(false);
    expect(isDisposable('hevc', [...unit(0x4e, 1, 2), ...unit(0x00, 1)])).toBe(true);
    expect(isDisposable('hevc', unit(0x02, 1))).toBe(false);
    expect(isDisposable('hevc', unit(0x26, 1))).toBe(false);
  });

  it('is found behind lengths of two bytes, too', () => {
    const short = disposableIn('h264', Uint8Array.of(1, 0, 0, 0, 0xfd));
    expect(short?.(Uint8Array.of(0, 3, 0x06, 1, 2, 0, 2, 0x01, 9))).toBe(true);
    expect(short?.(Uint8Array.of(0, 3, 0x06, 1, 2, 0, 2, 0x41, 9))).toBe(false);
  });

  it('is none where the bytes make no sense', () => {
    expect(isDisposable('h264', [0xff, 0xff, 0xff, 0xff, 0x06, 1])).toBe(false);
    expect(isDisposable('hevc', [])).toBe(false);
    expect(isDisposable('hevc', [0, 0, 0, 0, 0, 0])).toBe(true);
  });

  it('is not looked for in any other codec, or without its set-up', () => {
    expect(disposableIn('vp9', Uint8Array.from(setUps.hevc))).toBeUndefined();
    expect(disposableIn('h264', new Uint8Array())).toBeUndefined();
    expect(disposableIn('hevc', Uint8Array.of(1, 2, 3))).toBeUndefined();
  });
});
