import { describe, expect, it } from 'vitest';
import type { Tracked } from '../../engine/motion/face-track.ts';
import { syncOf } from '../../engine/sync.ts';

const rateHz = 16_000;
/** As a voice that says digits: loud for a quarter of a second, and a pause; from half a second on. */
const voiceAt = (seconds: number): number => {
  const within = (seconds - 0.5) % 0.55;
  return seconds < 0.5 || seconds > 3.8 || within > 0.25 ? 0 : Math.sin((Math.PI * within) / 0.25);
};

const soundOf = (loudnessAt: (seconds: number) => number, begins = 0) => ({
  rateHz,
  begins,
  samples: Float32Array.from({ length: 4.5 * rateHz }, (_, index) => {
    const seconds = index / rateHz;
    return 0.5 * loudnessAt(seconds) * Math.sin(1000 * seconds) + 0.0001 * ((index % 7) - 3);
  }),
});

/** A face whose lips open so far at each moment; nothing else of it moves. */
function lipsThat(openAt: (seconds: number) => number, framesPerSecond = 15, begins = 0): readonly Tracked[] {
  return Array.from({ length: 4.5 * framesPerSecond }, (_, index) => {
    const landmarks = Array.from({ length: 68 }, () => ({ x: 50, y: 0 }));
    landmarks[33] = { x: 50, y: 40 };
    for (const upper of [50, 51, 52]) {
      landmarks[upper] = { x: 50, y: 60 };
      landmarks[108 - upper] = { x: 50, y: 70 + 10 * openAt(index / framesPerSecond) };
    }
    return { time: begins + index / framesPerSecond, landmarks };
  });
}

describe('Lips that open', () => {
  it('with the voice correlate with it, also where a recorder stores one of them a little late', () => {
    expect(syncOf(lipsThat(voiceAt), soundOf(voiceAt))).toBeGreaterThan(0.8);
    expect(syncOf(lipsThat(voiceAt, 10), soundOf(voiceAt))).toBeGreaterThan(0.8);
    for (const late of [-0.15, 0.15]) {
      expect(
        syncOf(
          lipsThat(voiceAt),
          soundOf((seconds) => voiceAt(seconds - late)),
        ),
      ).toBeGreaterThan(0.8);
    }
  });

  it('are laid beside the sound by the times of both', () => {
    const lips = lipsThat(voiceAt, 15, 7);
    expect(syncOf(lips, soundOf(voiceAt, 7))).toBeGreaterThan(0.8);
    expect(
      syncOf(
        lips,
        soundOf((seconds) => voiceAt(seconds + 1), 8),
      ),
    ).toBeGreaterThan(0.8);
  });

  it('to something else do not', () => {
    const toItself = (seconds: number) => Math.sin(2.3 * seconds) ** 2;
    expect(syncOf(lipsThat(toItself), soundOf(voiceAt))).toBeLessThan(0.5);
  });
});

describe('Nothing is said of lips', () => {
  it.each([
    ['that are not seen', [], soundOf(voiceAt)],
    ['that are seen too seldom', lipsThat(voiceAt, 8), soundOf(voiceAt)],
    ['that are not seen while there is speech', lipsThat(voiceAt).slice(0, 15), soundOf(voiceAt)],
    ['that do not move', lipsThat(() => 0), soundOf(voiceAt)],
    ['beside silence', lipsThat(voiceAt), soundOf(() => 0)],
    ['beside no sound', lipsThat(voiceAt), { rateHz, begins: 0, samples: new Float32Array() }],
  ])('%s', (_, track, sound) => {
    expect(syncOf(track, sound)).toBeNull();
  });
});
