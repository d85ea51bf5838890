import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  bitRates,
  digitAt,
  isTurnAsked,
  listen,
  pace,
  recordingType,
  secondsFor,
  silence,
  troubleOfRecording,
} from '../../web/capture/recorder.ts';

describe('a video is recorded', () => {
  it('in the first format that the browser has', () => {
    const supporting = (...types: readonly string[]) => recordingType((type) => types.includes(type));
    expect(supporting('video/webm', 'video/webm;codecs=vp9,opus', 'video/mp4')).toBe('video/mp4');
    expect(supporting('video/webm', 'video/webm;codecs=vp9,opus')).toBe('video/webm;codecs=vp9,opus');
    expect(supporting('video/webm')).toBe('video/webm'); // Firefox
    expect(supporting()).toBeUndefined();
  });

  it('at no more than 2 Mbit/s, so that a slow line is not late', () => {
    for (const { videoBitsPerSecond, audioBitsPerSecond } of Object.values(bitRates)) {
      expect(videoBitsPerSecond + audioBitsPerSecond).toBeLessThanOrEqual(2_000_000);
    }
  });

  it('with one digit after the other, until half a second past the last', () => {
    const digits = '407193';
    expect(digitAt(digits, -0.1)).toBeUndefined();
    expect([0, 1, 2, 3, 4, 5].map((index) => digitAt(digits, (index + 0.5) * pace.digit))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(digitAt(digits, digits.length * pace.digit + 0.01)).toBeUndefined();
    expect(secondsFor(digits) - digits.length * pace.digit).toBeCloseTo(0.5);
  });

  it('with the turn at its second of the recording', () => {
    const turn = { side: 'left', second: 3 } as const;
    expect([2.9, 3, 4.9, 5.1].map((seconds) => isTurnAsked(turn, seconds))).toEqual([false, true, true, false]);
    expect(isTurnAsked(undefined, 3)).toBe(false);
  });
});

describe('a recording', () => {
  const good = { loudest: 0.1, length: { seconds: 6.4, frames: 190 }, bytes: 1_400_000 };
  const wanted = 6.6;

  it('is sent where its picture covers what was asked for and something was heard', () => {
    expect(troubleOfRecording(good, wanted)).toBeUndefined();
  });

  it('is sent where its length cannot be read: the backend decides', () => {
    expect(troubleOfRecording({ ...good, length: undefined }, wanted)).toBeUndefined();
  });

  it('is made again where it came out short, thin or empty', () => {
    expect(troubleOfRecording({ ...good, length: { seconds: 2.8, frames: 80 } }, wanted)).toBe('too_short');
    expect(troubleOfRecording({ ...good, length: { seconds: 6.4, frames: 25 } }, wanted)).toBe('too_short');
    expect(troubleOfRecording({ ...good, bytes: 0 }, wanted)).toBe('too_short');
  });

  it('is said to be silent before it is sent', () => {
    expect(troubleOfRecording({ ...good, loudest: silence / 2 }, wanted)).toBe('silent');
  });

  it('is sent where the page could not listen', () => {
    expect(troubleOfRecording({ ...good, loudest: undefined }, wanted)).toBeUndefined();
  });
});

describe('the level of the microphone', () => {
  const stream = { getAudioTracks: () => [{}] } as unknown as MediaStream;

  function sound(state: AudioContextState): void {
    const node = { connect: () => {}, disconnect: () => {} };
    const analyser = { fftSize: 0, getFloatTimeDomainData: (samples: Float32Array) => samples.fill(0.1) };
    class Context {
      readonly state = state;
      readonly createAnalyser = () => analyser;
      readonly createMediaStreamSource = () => node;
      readonly resume = () => Promise.resolve();
      readonly close = () => Promise.resolve();
    }
    vi.stubGlobal('AudioContext', Context);
    vi.stubGlobal('MediaStream', class {});
  }
  afterEach(() => vi.unstubAllGlobals());

  it('is how loud the last moment was', () => {
    sound('running');
    expect(listen(stream).level()).toBeCloseTo(0.1);
  });

  it('is unknown, and not nothing, while the browser keeps sound asleep: Firefox does without a sound device', () => {
    sound('suspended');
    expect(listen(stream).level()).toBeUndefined();
  });
});
