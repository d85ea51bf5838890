import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ffmpeg } from '../../tools/evaluate/encode.ts';
import { lengthOf } from '../../web/capture/recording-length.ts';
import { video } from '../engine/videos.ts';

describe('the length of a recording', () => {
  const seconds = 3;
  let whole: Promise<Uint8Array>;
  const recorded = () => {
    whole ??= video({ seconds, shown: 'photo' });
    return whole;
  };

  it('is that of the picture in a whole MP4', async () => {
    const length = lengthOf(await recorded());
    expect(length?.frames).toBe(30);
    expect(Math.abs((length?.seconds ?? 0) - seconds)).toBeLessThan(0.15);
  });

  it('is that of the picture in an MP4 of fragments, as recorders write it', async () => {
    const fragments = [
      '-c',
      'copy',
      '-movflags',
      'frag_keyframe+empty_moov+default_base_moof',
      '-frag_duration',
      '500000',
    ];
    const length = lengthOf(await ffmpeg({ 'in.mp4': await recorded() }, 'out.mp4', ['-i', 'in.mp4', ...fragments]));
    expect(length?.frames).toBe(30);
    expect(Math.abs((length?.seconds ?? 0) - seconds)).toBeLessThan(0.15);
  });

  it('is less than that of its sound where the picture ends sooner', async () => {
    const parts = ['-i', 'in.mp4', '-t', '1', '-i', 'in.mp4', '-map', '1:v', '-map', '0:a', '-c', 'copy'];
    const length = lengthOf(await ffmpeg({ 'in.mp4': await recorded() }, 'out.mp4', parts));
    expect(length?.seconds).toBeLessThan(1.5);
  });

  it('is counted where a WebM states none', async () => {
    const live = [
      '-i',
      'in.mp4',
      '-an',
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-s',
      '270x480',
      '-f',
      'webm',
      '-live',
      '1',
    ];
    const length = lengthOf(await ffmpeg({ 'in.mp4': await recorded() }, 'out.webm', live));
    expect(length?.frames).toBe(30);
    expect(length?.seconds).toBeCloseTo(seconds, 0);
  });

  it('is unknown for bytes of another kind, and for those that are cut off before any frame', async () => {
    expect(lengthOf(new TextEncoder().encode('%PDF-1.7 and so on'))).toBeUndefined();
    expect(lengthOf(new Uint8Array())).toBeUndefined();
    expect(lengthOf((await recorded()).subarray(0, 40))).toBeUndefined();
    const jpeg = await readFile('test/fixtures/portrait.jpg').catch(() => new Uint8Array([0xff, 0xd8]));
    expect(lengthOf(jpeg)).toBeUndefined();
  });
});
