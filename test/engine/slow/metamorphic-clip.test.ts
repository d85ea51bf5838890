/** One clip in many containers, seconds each: `npm run test:slow` runs it and `npm test` does not. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis, Engine } from '../../../engine/engine.ts';
import { ffmpeg } from '../../../tools/evaluate/encode.ts';
import { outcomeText, shippedEngine } from '../engine.ts';
import { idCard } from '../people.ts';
import { said, video } from '../videos.ts';

const copied = ['-c:v', 'copy'] as const;
const sound = (codec: string) => [...copied, '-c:a', codec, '-strict', '-2'];

const fragments = ['-c', 'copy', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'];

/** FFmpeg's options, and the container they write; the picture is the same stream in all of them. */
const samePicture: Readonly<Record<string, { readonly file: string; readonly options: readonly string[] }>> = {
  'MP4 with its index first': { file: 'clip.mp4', options: ['-c', 'copy', '-movflags', 'faststart'] },
  'MP4 with another time scale': { file: 'clip.mp4', options: ['-c', 'copy', '-video_track_timescale', '90000'] },
  'MP4 with MP3': { file: 'clip.mp4', options: sound('libmp3lame') },
  'MP4 with AC-3': { file: 'clip.mp4', options: sound('ac3') },
  'MP4 with FLAC': { file: 'clip.mp4', options: sound('flac') },
  'MP4 with a silent track first': {
    file: 'clip.mp4',
    options: ['-map', '0:v', '-map', '0:a', '-map', '0:a', ...copied, '-c:a', 'aac', '-filter:a:0', 'volume=0'],
  },
  MOV: { file: 'clip.mov', options: ['-c', 'copy'] },
  'MOV with 16-bit PCM': { file: 'clip.mov', options: sound('pcm_s16le') },
  'MOV with float PCM': { file: 'clip.mov', options: sound('pcm_f32le') },
  'MOV with ALAC': { file: 'clip.mov', options: sound('alac') },
  'MOV with µ-law': { file: 'clip.mov', options: sound('pcm_mulaw') },
  Matroska: { file: 'clip.mkv', options: ['-c', 'copy'] },
  'Matroska with 16-bit PCM': { file: 'clip.mkv', options: sound('pcm_s16le') },
};

let engine: Engine;
let card: Uint8Array;
let clip: Uint8Array;
let asItIs: Analysis;
const watch = (bytes: Uint8Array) => engine.analyseVideo(bytes, card, said, {});
beforeAll(async () => {
  engine = await shippedEngine();
  card = await idCard();
  clip = await video();
  asItIs = await watch(clip);
});

describe('One clip', () => {
  it('passes as it was recorded', () => {
    expect(outcomeText(asItIs)).toBe('passed');
  });

  it.each(Object.entries(samePicture))(
    'has one verdict, and the same picture: %s',
    async (_name, { file, options }) => {
      const again = await watch(await ffmpeg({ 'in.mp4': clip }, file, ['-i', 'in.mp4', ...options]));
      expect(again.finding).toMatchObject({ outcome: 'passed', reasons: [] });
      const { live, match, digits } = asItIs.finding.scores;
      expect(again.finding.scores).toMatchObject({ live, match, digits: expect.closeTo(digits ?? 0, 1) });
      expect(again.measurements.motion_depth_percent).toBeCloseTo(asItIs.measurements.motion_depth_percent ?? 0, 6);
    },
  );

  it.each<readonly [string, () => Promise<Uint8Array>]>([
    // Without edits its sound begins before the picture, so other frames are looked at.
    ['in fragments', () => ffmpeg({ 'in.mp4': clip }, 'clip.mp4', ['-i', 'in.mp4', ...fragments])],
    ['with frames out of order', () => encodedAnew(['-bf', '2'])],
    ['with pixels that are not square', () => encodedAnew(['-vf', 'scale=270:960,setsar=2'])],
    ['stored on its side', () => video({ sideways: true })],
  ])('has one verdict when it is stored otherwise: %s', async (_name, make) => {
    const again = await watch(await make());
    expect(again.finding).toMatchObject({ outcome: 'passed', reasons: [] });
    expect(Math.abs((again.finding.scores.live ?? 0) - (asItIs.finding.scores.live ?? 0))).toBeLessThan(0.02);
  });
});

const encodedAnew = (options: readonly string[]) =>
  ffmpeg({ 'in.mp4': clip }, 'clip.mp4', [
    ...['-i', 'in.mp4', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-c:a', 'copy'],
    ...options,
  ]);
