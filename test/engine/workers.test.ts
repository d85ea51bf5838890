import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decodeConfined } from '../../engine/confined.ts';
import { videoLimits } from '../../engine/video.ts';

/** Runs the real video worker with `script` in the place of FFmpeg's own; answers what the script posts. */
async function postedBy(script: string): Promise<Record<string, unknown>> {
  const ffmpegScript = path.join(await mkdtemp(path.join(tmpdir(), 'bonafide-worker-')), 'script.cjs');
  await writeFile(
    ffmpegScript,
    `const post = (message) => require('node:worker_threads').parentPort.postMessage(message);\n${script}`,
  );
  const answer = await decodeConfined<{ kind: string }>(await requestWith(ffmpegScript), {
    worker: 'video-worker',
    milliseconds: 20_000,
    heapMegabytes: 64,
  });
  return { ...answer };
}

const requestWith = async (ffmpegScript: string) => ({
  bytes: new Uint8Array(8),
  format: 'mov',
  limits: videoLimits,
  ffmpeg: await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
  ffmpegScript,
});

/** An FFmpeg that finds one H.264 and one AAC stream, and posts the options it was run with. */
const recordingFfmpeg = `
  const options = [];
  const files = {
    streams: JSON.stringify({ streams: [
      { index: 0, codec_type: 'video', codec_name: 'h264', width: 720, height: 1280 },
      { index: 1, codec_type: 'audio', codec_name: 'aac', sample_rate: '48000', channels: 1 },
      { index: 2, codec_type: 'data', codec_name: 'constructor' },
    ] }),
    packets: '0,0.0,0.4,9,0,K_\\n0,0.4,0.4,9,9,__\\n1,0.0,0.8,9,18,K_\\n',
    frames: 'P6\\n1 1\\n255\\nrgb'.repeat(2),
    times: 'pts_time:0.0\\npts_time:0.4\\n',
  };
  const run = (...given) => { options.push(given); if (given.at(-1) === 'sound') post({ kind: 'options', options }); return 0; };
  module.exports = async () => ({
    exec: run, ffprobe: run, reset() {}, setLogger() {},
    FS: {
      writeFile() {},
      unlink() {},
      lookupPath: (name) => {
        const contents = new TextEncoder().encode(files[name] ?? '');
        return { node: { contents, usedBytes: contents.length } };
      },
    },
  });`;

describe('The worker that decodes videos', () => {
  it('has no way to the network for FFmpeg, whose sockets are WebSockets, and an empty environment', async () => {
    const script = `post({
      kind: 'seen',
      globals: ['fetch', 'WebSocket', 'XMLHttpRequest', 'EventSource'].filter((name) => name in globalThis),
      environment: Object.keys(process.env),
    });`;
    expect(await postedBy(script)).toEqual({ kind: 'seen', globals: [], environment: [] });
  });

  it('lets wasm memory grow up to the limit and no further', async () => {
    const pages = videoLimits.memoryBytes / 65_536;
    const script = `
      const grown = (pages) => { try { new WebAssembly.Memory({ initial: 1 }).grow(pages); return true; } catch { return false; } };
      post({ kind: 'seen', within: grown(${pages} - 1), beyond: grown(${pages}) });`;
    expect(await postedBy(script)).toEqual({ kind: 'seen', within: true, beyond: false });
  });

  it("opens files only with FFmpeg's file protocol, one demuxer and the decoders of the streams", async () => {
    const { options } = await postedBy(recordingFfmpeg);
    expect(options).toHaveLength(4); // streams, packets, frames, sound
    for (const each of options as string[][]) {
      const before = each.slice(0, each.indexOf('in')).join(' ');
      expect(before).toContain('-protocol_whitelist file -f mov');
    }
    const [, , frames, sound] = options as string[][];
    expect(frames?.join(' ')).toContain(`-codec_whitelist h264 -copyts -t ${videoLimits.seconds + 1} `);
    expect(frames?.join(' ')).toContain(` -max_pixels ${(720 + 64) * (1280 + 64)} `);
    expect(sound?.join(' ')).toContain(`-codec_whitelist aac -copyts -t ${videoLimits.seconds + 1} `);
  });

  it('takes no file with more streams than a phone records', async () => {
    const fileOf = (streams: number) => {
      const more = Array.from({ length: streams - 3 }, (_, index) => `{ index: ${index + 3}, codec_type: 'data' },`);
      return recordingFfmpeg.replace(/(?=\n {4}\] \}\))/, more.join(' '));
    };
    expect(await postedBy(fileOf(videoLimits.streams))).toMatchObject({ kind: 'options' });
    expect(await postedBy(fileOf(videoLimits.streams + 1))).toEqual({ kind: 'unreadable' });
  });

  it('keeps what the decoder prints out of the logs: it may be parts of a capture', async () => {
    const printing = `
      console.log('PART OF A CAPTURE'); console.error('PART OF A CAPTURE'); process.stdout.write('PART OF A CAPTURE');
      post({ kind: 'seen' });`;
    expect(await postedBy(printing)).toEqual({ kind: 'seen' });
    const program = path.join(await mkdtemp(path.join(tmpdir(), 'bonafide-worker-')), 'program.ts');
    const ffmpegScript = path.join(path.dirname(program), 'script.cjs');
    await writeFile(
      ffmpegScript,
      `const post = (message) => require('node:worker_threads').parentPort.postMessage(message);${printing}`,
    );
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
    expect(stdout.trim()).toBe('seen');
    expect(stderr).not.toContain('CAPTURE');
  });

  it.runIf(process.platform === 'linux')(
    'is no boundary for script, as docs/security.md says: only wasm is',
    async () => {
      const script = `post({
      kind: 'seen',
      environment: require('node:fs').readFileSync('/proc/self/environ').length > 0,
      child: require('node:child_process').execFileSync('/bin/echo', ['ran']).toString(),
    });`;
      expect(await postedBy(script)).toEqual({ kind: 'seen', environment: true, child: 'ran\n' });
    },
  );
});
