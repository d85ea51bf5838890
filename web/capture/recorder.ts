import type { Turn } from '../../shared/domain/challenge.ts';
import { pause } from '../client/trying.ts';
import { lengthOf } from './recording-length.ts';
import type { Trouble } from './states.ts';

/** What is recorded in, the first that the browser supports. Firefox has VP8 alone, behind the bare `video/webm`. */
export const recordingTypes = [
  'video/mp4;codecs=avc1,mp4a.40.2',
  'video/mp4;codecs=avc1,opus',
  'video/mp4',
  'video/webm;codecs=vp9,opus',
  'video/webm',
] as const;

export const recordingType = (isSupported: (type: string) => boolean): string | undefined =>
  recordingTypes.find(isSupported);

/** Bits a second, picture and sound together at most 2 Mbit/s: so a slow line is not late for the digits' end. */
export const bitRates = {
  usual: { videoBitsPerSecond: 1_800_000, audioBitsPerSecond: 96_000 },
  smaller: { videoBitsPerSecond: 800_000, audioBitsPerSecond: 64_000 },
} as const;

/** Seconds. */
export const pace = {
  /** Between the first frames of the recording and the first digit. */
  before: 0.4,
  digit: 0.95,
  /** From the end of the last digit's time to the recording's. */
  after: 0.5,
  /** How long a turn of the head is asked for. */
  turn: 2,
} as const;

/** How long a recording of so many digits is, from the first digit on. */
export const secondsFor = (digits: string): number => digits.length * pace.digit + pace.after;

/** What is shown so many seconds after the first digit; undefined before it and after the last one. */
export function digitAt(digits: string, seconds: number): number | undefined {
  const index = Math.floor(seconds / pace.digit);
  return index >= 0 && index < digits.length ? index : undefined;
}

/** Whether the turn is asked for so many seconds after the recording began. */
export const isTurnAsked = (turn: Turn | undefined, seconds: number): boolean =>
  turn !== undefined && seconds >= turn.second && seconds < turn.second + pace.turn;

/** Root mean square of samples −1..1 over which something was said; a muted microphone gives zeros, a quiet room 0.002. */
export const silence = 0.008;

/** Of what the recorder wrote: the least of the wanted seconds that its picture has to cover, and frames a second. */
export const leastRecorded = { share: 0.85, framesPerSecond: 6 } as const;

/** What is wrong with a recording that should cover `wantedSeconds`; `loudest` is undefined where the page could not listen. */
export function troubleOfRecording(
  {
    loudest,
    length,
    bytes,
  }: { loudest: number | undefined; length: { seconds: number; frames: number } | undefined; bytes: number },
  wantedSeconds: number,
): Trouble | undefined {
  if (bytes === 0) return 'too_short';
  if (length && length.seconds < wantedSeconds * leastRecorded.share) return 'too_short';
  if (length && length.frames < length.seconds * leastRecorded.framesPerSecond) return 'too_short';
  return loudest !== undefined && loudest < silence ? 'silent' : undefined;
}

/** Loudness of the microphone, for the meter and to tell silence. */
export interface Listening {
  /** Root mean square of the last 50 ms, 0..1; undefined while the browser keeps sound asleep, as Firefox does without a loudspeaker. */
  readonly level: () => number | undefined;
  readonly stop: () => void;
}

/** To be called where the person has pressed something: browsers keep sound asleep before. */
export function listen(stream: MediaStream): Listening {
  const [track] = stream.getAudioTracks();
  if (!track) return { level: () => 0, stop: () => {} };
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  context.resume().catch(() => {});
  return {
    level: () => {
      if (context.state !== 'running') {
        context.resume().catch(() => {});
        return undefined;
      }
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((total, sample) => total + sample * sample, 0) / samples.length);
    },
    stop: () => {
      source.disconnect();
      context.close().catch(() => {});
    },
  };
}

export interface RecordingOptions {
  readonly stream: MediaStream;
  /** The preview: its frames tell that the camera gives pictures. */
  readonly video: HTMLVideoElement;
  readonly digits: string;
  readonly turn?: Turn | undefined;
  readonly smaller?: boolean | undefined;
  readonly listening: Listening;
  readonly signal: AbortSignal;
  /** The first digit is shown: from here on the person speaks. */
  readonly onSpeak: () => void;
  readonly onShown: (shown: { readonly digit: number | undefined; readonly isTurnAsked: boolean }) => void;
}

export interface Recording {
  readonly blob: Blob;
  readonly contentType: string;
  readonly trouble: Trouble | undefined;
}

/** Records a person who says digits. Undefined: this browser records no video. Throws where the signal ends it. */
export async function record(options: RecordingOptions): Promise<Recording | undefined> {
  const type = typeof MediaRecorder === 'function' && recordingType((one) => MediaRecorder.isTypeSupported(one));
  if (!type) return undefined;
  const { stream, video, digits, turn, listening, signal, onSpeak, onShown } = options;
  const recorder = new MediaRecorder(stream, { mimeType: type, ...bitRates[options.smaller ? 'smaller' : 'usual'] });
  const chunks: Blob[] = [];
  recorder.addEventListener('dataavailable', ({ data }) => chunks.push(data));
  const stopped = new Promise<void>((resolve, reject) => {
    recorder.addEventListener('stop', () => resolve());
    recorder.addEventListener('error', () => reject(new Error('The recorder failed')));
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  stopped.catch(() => {}); // it is awaited below, after what may fail before
  const end = () => {
    if (recorder.state !== 'inactive') recorder.stop();
  };
  signal.addEventListener('abort', end);
  try {
    const isHeard = (listening.level() ?? 0) > 0;
    if (!(await within(startSeconds, begun(recorder, signal)))) {
      // A microphone that gives no samples at all holds the recorder up for ever.
      return { blob: new Blob(), contentType: type, trouble: isHeard ? 'too_short' : 'silent' };
    }
    const began = performance.now();
    if (!(await within(startSeconds, firstFrames(video, signal)))) {
      return { blob: new Blob(), contentType: type, trouble: 'too_short' };
    }
    await pause(pace.before, signal);
    const spoke = performance.now();
    onSpeak();
    let loudest: number | undefined;
    const total = secondsFor(digits);
    for (let seconds = 0; seconds < total; seconds = (performance.now() - spoke) / 1000) {
      const level = listening.level();
      if (level !== undefined) loudest = Math.max(loudest ?? 0, level);
      onShown({ digit: digitAt(digits, seconds), isTurnAsked: isTurnAsked(turn, (performance.now() - began) / 1000) });
      await pause(0.05, signal);
    }
    const wanted = (performance.now() - began) / 1000;
    end();
    await stopped;
    const contentType = type.split(';')[0] ?? type;
    const blob = new Blob(chunks, { type: contentType });
    const length = lengthOf(new Uint8Array(await blob.arrayBuffer()));
    return { blob, contentType, trouble: troubleOfRecording({ loudest, length, bytes: blob.size }, wanted) };
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** A recorder or a camera that gives nothing for so long gives nothing more. */
const startSeconds = 8;

/** Whether it was done in time. */
async function within(seconds: number, work: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `start` comes up to 0.8 s late on a busy device: what is said before is not recorded. */
function begun(recorder: MediaRecorder, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    recorder.addEventListener('start', () => resolve(), { once: true });
    recorder.addEventListener('error', () => reject(new Error('The recorder failed')), { once: true });
    signal.addEventListener('abort', () => reject(signal.reason));
    recorder.start();
  });
}

const frames = 3;

/** Resolves after three more frames of the camera, or, where a browser does not tell of frames, half a second. */
async function firstFrames(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  if (!('requestVideoFrameCallback' in video)) return pause(0.5, signal);
  for (let seen = 0; seen < frames; seen += 1) {
    await new Promise<void>((resolve, reject) => {
      video.requestVideoFrameCallback(() => resolve());
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
}
