import { describe, expect, it } from 'vitest';
import { disposableIn, planDecoding, secondsUnseen, workOf } from '../../engine/video-plan.ts';

/** Ten frames a second, 100 bytes each, every fifth a key frame. */
const packets = Array.from({ length: 30 }, (_, index) => ({
  time: index / 10,
  key: index % 5 === 0,
  position: index * 100,
  bytes: 100,
}));
const framePixels = 10_000;
const budget = (frames: number) => ({
  framePixels,
  work: workOf(packets.slice(0, frames), framePixels),
  gapSeconds: 0.5,
});
const everySecondIsDisposable = ({ position }: { position: number }) => (position / 100) % 2 === 1;

describe('The plan of decoding', () => {
  it('takes all frames where the budget allows, then those that others refer to, then key frames', () => {
    expect(planDecoding(packets, budget(30), everySecondIsDisposable)?.skip).toBe('default');
    expect(planDecoding(packets, budget(29), everySecondIsDisposable)).toMatchObject({ skip: 'noref' });
    expect(planDecoding(packets, budget(29), everySecondIsDisposable)?.packets).toHaveLength(18); // key frames, too
    expect(planDecoding(packets, budget(10), everySecondIsDisposable)?.packets).toHaveLength(6);
    expect(planDecoding(packets, budget(5), everySecondIsDisposable)).toBeUndefined();
  });

  it('skips no frames where it does not know what refers to what', () => {
    expect(planDecoding(packets, budget(29))).toBeUndefined();
  });

  it('takes no frames that leave more than half a second unseen', () => {
    const sparse = packets.map((packet, index) => ({ ...packet, key: index % 10 === 0 }));
    expect(planDecoding(sparse, budget(10), () => false)).toBeUndefined();
  });

  it('counts bytes as work, too', () => {
    const heavy = packets.map((packet) => ({ ...packet, bytes: 100_000 }));
    expect(planDecoding(heavy, budget(30))).toBeUndefined();
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
  const isDisposable = (codec: 'h264' | 'hevc', bytes: number[]) =>
    disposableIn(Uint8Array.from(bytes), codec)({ time: 0, key: false, position: 0, bytes: bytes.length });

  it('is known by its first slice, behind whatever else comes before', () => {
    expect(isDisposable('h264', [...unit(0x06, 1, 2), ...unit(0x01, 9)])).toBe(true);
    expect(isDisposable('h264', [...unit(0x06, 1, 2), ...unit(0x41, 9)])).toBe(false);
    expect(isDisposable('h264', unit(0x65, 9))).toBe(false);
    expect(isDisposable('hevc', [...unit(0x4e, 1, 2), ...unit(0x00, 1)])).toBe(true);
    expect(isDisposable('hevc', unit(0x02, 1))).toBe(false);
    expect(isDisposable('hevc', unit(0x26, 1))).toBe(false);
  });

  it('is none where the bytes make no sense or lie outside the file', () => {
    expect(isDisposable('h264', [0xff, 0xff, 0xff, 0xff, 0x06, 1])).toBe(false);
    expect(disposableIn(new Uint8Array(8), 'hevc')({ time: 0, key: false, position: -1, bytes: 100 })).toBe(false);
    expect(disposableIn(new Uint8Array(8), 'hevc')({ time: 0, key: false, position: 4, bytes: 1e9 })).toBe(false);
  });
});
