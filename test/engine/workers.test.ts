import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decodeConfined } from '../../engine/confined.ts';
import { videoLimits } from '../../engine/video.ts';
import type { DecodedVideo } from '../../engine/video-worker.ts';

/**
 * Runs the real video worker with a script in the place of FFmpeg's own. The realm it runs in has no way out but the
 * video it decodes to: what the script reports is JSON in the sound's samples.
 */
async function reportedBy(script: string, file: object = soundFile): Promise<unknown> {
  const answer = await answerOf(`${script}\n${reportingFfmpeg(file)}`);
  if (answer.kind !== 'decoded') return answer;
  const codes = (answer as DecodedVideo).audio?.samples ?? new Float32Array();
  return JSON.parse(String.fromCharCode(...codes.map((sample) => Math.round(sample * 256))));
}

async function answerOf(script: string): Promise<{ kind: string }> {
  const ffmpegScript = path.join(await mkdtemp(path.join(tmpdir(), 'bonafide-worker-')), 'script.cjs');
  await writeFile(ffmpegScript, script);
  const confinement = { worker: 'video-worker', milliseconds: 20_000, heapMegabytes: 64 } as const;
  return decodeConfined<{ kind: string }>(await requestWith(ffmpegScript), confinement);
}

const requestWith = async (ffmpegScript: string) => ({
  bytes: new Uint8Array(8),
  format: 'mov',
  limits: videoLimits,
  ffmpeg: await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
  ffmpegScript,
});

const soundFile = {
  streams: [
    { index: 0, codec_type: 'video', codec_name: 'h264', width: 720, height: 1280 },
    { index: 1, codec_type: 'audio', codec_name: 'aac', sample_rate: '48000', channels: 1 },
    { index: 2, codec_type: 'data', codec_name: 'constructor' },
  ],
};

/** An FFmpeg that finds one H.264 and one AAC stream; the sound says `report`, and with which options it was run. */
const reportingFfmpeg = (file: object) => `
  const options = [];
  const bytesOf = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const files = {
    streams: () => bytesOf('${JSON.stringify(file)}'),
    packets: () => bytesOf('0,0.0,0.4,9,0,K_\\n0,0.4,0.4,9,9,__\\n1,0.0,0.8,9,18,K_\\n'),
    frames: () => bytesOf('P6\\n1 1\\n255\\nrgb'.repeat(2)),
    times: () => bytesOf('pts_time:0.0\\npts_time:0.4\\n'),
    sound: () => new Uint8Array(Float32Array.from(bytesOf(JSON.stringify({ options, ...report })), (code) => code / 256).buffer),
  };
  const run = (...given) => { options.push(given); return 0; };
  module.exports = async () => ({
    exec: run, ffprobe: run, reset() {}, setLogger() {},
    FS: {
      writeFile() {},
      unlink() {},
      lookupPath: (name) => { const contents = files[name](); return { node: { contents, usedBytes: contents.length } }; },
    },
  });`;

describe('The worker that decodes videos', () => {
  it('lets wasm memory grow up to the limit and no further', async () => {
    const pages = videoLimits.memoryBytes / 65_536;
    const script = `
      const { constructor: Memory } = WebAssembly.Memory.prototype; // as wasm makes its own
      const grown = (pages) => { try { new Memory({ initial: 1 }).grow(pages); return true; } catch { return false; } };
      const report = { within: grown(${pages} - 1), beyond: grown(${pages}) };`;
    expect(await reportedBy(script)).toMatchObject({ within: true, beyond: false });
  });

  it("opens files only with FFmpeg's file protocol, one demuxer and the decoders of the streams", async () => {
    const { options } = (await reportedBy('const report = {};')) as { options: string[][] };
    expect(options).toHaveLength(4); // streams, packets, frames, sound
    for (const each of options) {
      const before = each.slice(0, each.indexOf('in')).join(' ');
      expect(before).toContain('-protocol_whitelist file -f mov');
    }
    const [, , frames, sound] = options;
    expect(frames?.join(' ')).toContain(`-codec_whitelist h264 -copyts -t ${videoLimits.seconds + 1} `);
    expect(frames?.join(' ')).toContain(` -max_pixels ${(720 + 64) * (1280 + 64)} `);
    expect(sound?.join(' ')).toContain(`-codec_whitelist aac -copyts -t ${videoLimits.seconds + 1} `);
  });

  it('takes no file with more streams than a phone records', async () => {
    const fileOf = (streams: number) => {
      const more = Array.from({ length: streams - 3 }, (_, index) => ({ index: index + 3, codec_type: 'data' }));
      return { streams: [...soundFile.streams, ...more] };
    };
    expect(await reportedBy('const report = {};', fileOf(videoLimits.streams))).toHaveProperty('options');
    expect(await reportedBy('const report = {};', fileOf(videoLimits.streams + 1))).toEqual({ kind: 'unreadable' });
  });

  it('keeps what the decoder prints out of the logs: it may be parts of a capture', async () => {
    const program = path.join(await mkdtemp(path.join(tmpdir(), 'bonafide-worker-')), 'program.ts');
    const ffmpegScript = path.join(path.dirname(program), 'script.cjs');
    const printing = "console.log('PART OF A CAPTURE'); console.error('PART OF A CAPTURE'); throw 'PART OF A CAPTURE';";
    await writeFile(ffmpegScript, printing);
    await writeFile(
      program,
      `import { decodeConfined } from '${path.resolve('engine/confined.ts')}';
       import { videoLimits as limits } from '${path.resolve('engine/video.ts')}';
       const ffmpeg = await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
       const request = { bytes: new Uint8Array(8), format: 'mov', limits, ffmpeg, ffmpegScript: '${ffmpegScript}' };
       const answer = await decodeConfined(request, { worker: 'video-worker', milliseconds: 20_000, heapMegabytes: 64 });
       console.log(answer.kind);`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program]);
    expect(stdout.trim()).toBe('unreadable');
    expect(stderr).not.toContain('CAPTURE');
  });
});
