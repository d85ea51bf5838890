import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { maximumPixels } from '../../engine/decode.ts';
import type { Engine } from '../../engine/engine.ts';
import { portrait } from '../../tools/samples.ts';
import { claimingSize, fixture, pixelBomb, uprightPortrait } from './captures.ts';
import { decoders, outcomeText, shippedEngine } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await shippedEngine();
});

const text = (content: string) => new TextEncoder().encode(content);
const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);
const box = (type: string, brand: string) =>
  join(new Uint8Array([0, 0, 0, 24]), text(`${type}${brand}\0\0\0\0${brand}mif1`));

describe('A capture that is no image', () => {
  const garbage: Record<string, () => Uint8Array | Promise<Uint8Array>> = {
    'zero bytes': () => new Uint8Array(),
    'one byte': () => new Uint8Array([0xff]),
    'text named .jpg': () => text('not a photo'),
    'the magic bytes of a JPEG alone': () => new Uint8Array([0xff, 0xd8, 0xff]),
    'a JPEG start before a script': () => join(new Uint8Array([0xff, 0xd8, 0xff]), text('<script>alert(1)</script>')),
    'a PNG signature before a JPEG': async () => join(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), await portrait(640)),
    'a WebP header before zeros': () => join(text('RIFF\x10\0\0\0WEBPVP8 '), new Uint8Array(64)),
    'a HEIC header before zeros': () => join(box('ftyp', 'heic'), new Uint8Array(256)),
    'a HEIC header before a PNG': async () => join(box('ftyp', 'heic'), await fixture('portrait.png')),
    'an MP4': () => join(box('ftyp', 'isom'), new Uint8Array(256)),
    'an SVG': () =>
      text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>'),
    'a GIF': async () => (await uprightPortrait()).resize(64).gif().toBuffer(),
    'a TIFF': async () => (await uprightPortrait()).resize(64).tiff().toBuffer(),
    'an AVIF': async () => (await uprightPortrait()).resize(64).avif().toBuffer(),
  };

  it.each(Object.entries(garbage))('is unreadable: %s', async (_name, make) => {
    expect(outcomeText(await engine.analyseSelfie(await make(), {}))).toBe('recapture capture_unreadable');
  });
});

describe("libvips' loaders", () => {
  it.each(['gif', 'tiff', 'avif', 'svg'] as const)('refuse %s, whatever finds its way to them', async (format) => {
    const svg = text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const bytes = format === 'svg' ? svg : await (await uprightPortrait()).resize(64)[format]().toBuffer();
    expect(await decoders.use((decoder) => decoder.metadata(bytes))).toBeUndefined();
  });
});

describe('A truncated capture', () => {
  const whole: Record<string, () => Promise<Uint8Array>> = {
    JPEG: () => portrait(),
    PNG: () => fixture('portrait.png'),
    WebP: async () => (await uprightPortrait()).webp().toBuffer(),
    HEIC: () => fixture('portrait.heic'),
  };

  it.each(Object.entries(whole))('is unreadable at any length: %s', async (_name, make) => {
    const bytes = await make();
    for (const share of [0.001, 0.01, 0.1, 0.5, 0.9]) {
      const analysis = await engine.analyseSelfie(bytes.subarray(0, Math.ceil(bytes.length * share)), {});
      expect(outcomeText(analysis)).toBe('recapture capture_unreadable');
    }
  });
});

describe('A capture larger than it looks', () => {
  it('is refused by its header: 400 megapixels in some kilobytes', async () => {
    const bomb = pixelBomb();
    expect(bomb.length).toBeLessThan(300_000);
    const { finding, measurements } = await engine.analyseSelfie(bomb, {});
    expect(finding.reasons).toEqual(['capture_too_large']);
    expect(measurements).toEqual({ capture_pixels: 400_000_000 });
  });

  it('is refused by its container, before libheif decodes anything', async () => {
    const { finding, measurements } = await engine.analyseSelfie(
      claimingSize(await fixture('portrait.heic'), 20_000, 20_000),
      {},
    );
    expect(finding.reasons).toEqual(['capture_too_large']);
    expect(measurements).toEqual({ capture_pixels: 400_000_000 });
  });

  it('may be a baseline JPEG up to 50 megapixels, which is shrunk while it is read', async () => {
    const create = { width: 7_500, height: 6_500, channels: 3, background: '#777' } as const;
    const baseline = await sharp({ create }).jpeg().toBuffer();
    const progressive = await sharp({ create }).jpeg({ progressive: true }).toBuffer();
    expect(7_500 * 6_500).toBeGreaterThan(maximumPixels.whole);
    expect(outcomeText(await engine.analyseSelfie(baseline, {}))).toBe('recapture face_not_detected');
    expect(outcomeText(await engine.analyseSelfie(progressive, {}))).toBe('recapture capture_too_large');
  });

  it('may be one pixel high', async () => {
    const line = await sharp({ create: { width: 20_000, height: 1, channels: 3, background: '#777' } })
      .png()
      .toBuffer();
    expect(outcomeText(await engine.analyseSelfie(line, {}))).toBe('recapture face_not_detected');
  });
});

describe('A polyglot', () => {
  it('is the image its first bytes say, whatever follows', async () => {
    const followed = join(await portrait(), text('PK\x03\x04<?php system($_GET["c"]); ?>'));
    expect(outcomeText(await engine.analyseSelfie(followed, {}))).toBe('passed');
  });
});
