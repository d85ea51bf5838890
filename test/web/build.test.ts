import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import models from '../../engine/models.json' with { type: 'json' };
import { buildPages } from '../../web/build.ts';

/** A pack whose weights are small: what is in them is the engine's business. */
function pack(): string {
  const directory = mkdtempSync(join(tmpdir(), 'pack-'));
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(models));
  for (const { file } of [models.faceDetection, models.faceLandmarks]) writeFileSync(join(directory, file), file);
  return directory;
}

const parts = { models: pack(), quick: true };
const output = mkdtempSync(join(tmpdir(), 'pages-'));
const built = buildPages(output, parts);
const scripts = Object.keys(built.files).filter((name) => name.endsWith('.js'));
const textOf = (name: string) => readFileSync(join(output, name), 'utf8');

describe('what is built', () => {
  it('is the same bytes under the same names, whatever the directory', () => {
    const again = mkdtempSync(join(tmpdir(), 'pages-'));
    expect(buildPages(again, parts)).toEqual(built);
    expect(readdirSync(again).sort()).toEqual(readdirSync(output).sort());
    for (const file of readdirSync(output)) {
      expect(readFileSync(join(again, file)).equals(readFileSync(join(output, file))), file).toBe(true);
    }
  });

  it('unpacks to itself, in every form', () => {
    for (const name of scripts) {
      expect(brotliDecompressSync(readFileSync(join(output, `${name}.br`))).toString()).toBe(textOf(name));
      expect(gunzipSync(readFileSync(join(output, `${name}.gz`))).toString()).toBe(textOf(name));
    }
  });

  it('fits into what Lambda answers, as base64', () => {
    for (const [name, { bytes }] of Object.entries(built.files)) {
      for (const size of Object.values(bytes)) expect([name, size * (4 / 3) < 5_500_000]).toEqual([name, true]);
    }
  });

  it('holds no path of this machine, and nothing of a server', () => {
    const carried = /zod|@aws-sdk|middy|dynamodb/i;
    for (const name of scripts) {
      expect(textOf(name)).not.toContain(process.cwd());
      expect([name, carried.exec(textOf(name))?.[0]]).toEqual([name, undefined]);
    }
  });

  it('names the licence of everything that is inside', () => {
    const licences = textOf(built.licences);
    for (const name of ['lit', 'lit-html', '@lit/reactive-element', 'onnxruntime-web']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+: [\\w-]+$`, 'm'));
    }
    for (const holder of ['2017 Google LLC', 'Microsoft Corporation']) expect(licences).toContain(holder);
    expect(licences).toContain('fr_detect (RFB-320): MIT');
  });

  it('loads no part of guidance with a page: its script names them, and fetches them when the camera runs', () => {
    const loaded = [built.capture, built.console, built.element].flatMap(({ script, imports }) => [script, ...imports]);
    expect(built.guidance).toHaveLength(4);
    expect(loaded.filter((name) => built.guidance.includes(name))).toEqual([]);
  });
});
