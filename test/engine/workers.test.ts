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
async function reportedBy(script: string): Promise<unknown> {
  const answer = await answerOf(`${script}\n${reportingFfmpeg}`);
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

/** A stream of H.264 and one of AAC, as they come out of a container. */
const requestWith = async (ffmpegScript: string) => ({
  bytes: new Uint8Array(8),
  picture: {
    ...{ codec: 'h264', begins: 0, shown: { from: 0, until: 1 }, widthPx: 720, heightPx: 1280, pixelShape: [0, 0] },
    ...{ squareWidthPx: 720, squareHeightPx: 1280, degrees: 0, mirrored: false, colours: {}, unframed: [] },
    ...{ times: [0, 0.4], decodedTimes: [0, 0.4] },
  },
  sounds: [
    { codec: 'aac', bytes: new Uint8Array(8), begins: 0, shown: { from: 0, until: 1 }, lastBegins: 0, ends: 0.8 },
  ],
  soundRefused: false,
  limits: videoLimits,
  ffmpeg: await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
  ffmpegScript,
});

/** An FFmpeg that decodes both; the sound says `report`, and with which options it was run. */
const reportingFfmpeg = `
  const options = [];
  const bytesOf = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const files = {
    frames: () => bytesOf('P6\\n1 1\\n255\\nrgb'.repeat(2)),
    times: () => bytesOf('pts_time:0.0\\npts_time:0.4\\n'),
    sound: () => new Uint8Array(Float32Array.from(bytesOf(JSON.stringify({ options, ...report })), (code) => code / 256).buffer),
  };
  module.exports = async () => ({
    exec: (...given) => { options.push(given); return 0; },
    reset() {}, setLogger() {},
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

  it('opens files only of our own framing, with the one decoder of the stream', async () => {
    const { options } = (await reportedBy('const report = {};')) as { options: string[][] };
    expect(options).toHaveLength(2); // picture, sound
    for (const [index, decoder] of ['h264', 'aac'].entries()) {
      const before = options[index]?.slice(0, options[index].indexOf('in') + 1).join(' ');
      expect(before).toContain(`-protocol_whitelist file -f nut -c ${decoder} -codec_whitelist ${decoder} -copyts `);
      expect(before).toMatch(/ -i in$/);
      expect(options[index]?.filter((option) => option === '-i')).toHaveLength(1);
    }
    expect(options[0]?.join(' ')).toContain(` -max_pixels ${(720 + 64) * (1280 + 64)} `);
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
       const picture = { times: [0], decodedTimes: [0], widthPx: 8, heightPx: 8 };
       const request = { bytes: new Uint8Array(8), picture, sounds: [], limits, ffmpeg, ffmpegScript: '${ffmpegScript}' };
       const answer = await decodeConfined(request, { worker: 'video-worker', milliseconds: 20_000, heapMegabytes: 64 });
       console.log(answer.kind);`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program]);
    expect(stdout.trim()).toBe('unreadable');
    expect(stderr).not.toContain('CAPTURE');
  });
});
