import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../tools/evaluate/csv.ts';
import { curveOf, equalErrorRate, falseRejectAt } from '../../tools/evaluate/curves.ts';
import { mulberry32 } from '../../tools/evaluate/random.ts';
import { rateOf } from '../../tools/evaluate/rates.ts';
import { circumstances } from '../../tools/evaluate/sounds.ts';

describe('A rate', () => {
  it('has a Wilson interval, which is honest about few captures and no errors', () => {
    const [low, high] = rateOf(0, 10).interval ?? [];
    expect(low).toBe(0);
    expect(high).toBeCloseTo(0.2775, 3);
    expect(rateOf(8, 10).interval?.map((value) => Number(value.toFixed(3)))).toEqual([0.49, 0.943]);
    expect(rateOf(0, 0)).toEqual({ errors: 0, of: 0, rate: null, interval: null });
  });
});

describe('A curve', () => {
  const curve = curveOf({ genuine: [0.9, 0.8, 0.7, 0.2], impostor: [0.1, 0.3, 0.2, 0.75] });

  it('goes through every threshold from accepting all to accepting none', () => {
    expect(curve[0]).toEqual({ threshold: 0.1, falseAccept: 1, falseReject: 0 });
    expect(curve.at(-1)).toMatchObject({ falseAccept: 0, falseReject: 1 });
    expect(curve.find(({ threshold }) => threshold === 0.7)).toMatchObject({ falseAccept: 0.25, falseReject: 0.25 });
  });

  it('tells the equal error rate, and the false rejects at so many false accepts', () => {
    expect(equalErrorRate(curve)).toBe(0.25);
    expect(falseRejectAt(curve, 0.25)).toBe(0.25);
    expect(falseRejectAt(curve, 0)).toBe(0.5);
    expect(equalErrorRate(curveOf({ genuine: [1], impostor: [] }))).toBeNull();
  });
});

describe('A table of captures', () => {
  it('may end its lines as Windows does and lack columns', () => {
    expect(parseCsv('\uFEFFfile,label\r\na.jpg,attack\r\n\r\nb.jpg\r\n')).toEqual([
      { file: 'a.jpg', label: 'attack' },
      { file: 'b.jpg', label: '' },
    ]);
  });
});

describe('Digits heard', () => {
  const said = Float32Array.from({ length: 16_000 }, (_, at) => (at % 8000 < 4000 ? 0.3 * Math.sin(at / 3) : 0));
  const voices = [Float32Array.from({ length: 3000 }, (_, at) => 0.2 * Math.sin(at / 5))];
  const heard = (name: string, seed = 1) =>
    circumstances.find((one) => one.name === name)?.heard(said, mulberry32(seed), voices) ?? new Float32Array();
  const decibels = (sound: Float32Array) => 10 * Math.log10(sound.reduce((sum, sample) => sum + sample ** 2, 0));
  const added = (name: string) => heard(name).map((sample, at) => sample - (said[at] ?? 0));

  it.each(circumstances)('$name are as long as said, and the same for the same seed', ({ name }) => {
    expect(heard(name)).toHaveLength(said.length);
    expect(heard(name)).toEqual(heard(name));
  });

  it('in noise or babble are so many decibels above it', () => {
    for (const [name, expected] of Object.entries({ 'noise 20 dB': 20, 'babble 20 dB': 20, 'noise 10 dB': 10 })) {
      expect(decibels(said) - decibels(added(name))).toBeCloseTo(expected, 0);
    }
  });

  it('in a room are followed by an echo, and through eight bits are nearly the same', () => {
    const pause = (sound: Float32Array) => decibels(sound.subarray(4000, 8000));
    expect(pause(said)).toBe(Number.NEGATIVE_INFINITY);
    expect(pause(heard('room'))).toBeGreaterThan(0);
    expect(decibels(said) - decibels(added('µ-law'))).toBeGreaterThan(25);
  });
});
