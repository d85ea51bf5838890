/** Containers alone, as `engine/container.ts` reads them: nothing is decoded. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readContainer } from '../../../engine/container.ts';
import { videoLimits } from '../../../engine/video.ts';
import { fixture } from '../captures.ts';
import { clip } from '../videos.ts';

const read = (bytes: Uint8Array) => readContainer(bytes, videoLimits);

/** What was read, or an error that says what came instead. */
async function partsOf(bytes: Uint8Array) {
  const container = await read(bytes);
  if (container.kind !== 'read') throw new Error(`not read but ${container.kind}`);
  return container;
}

describe('A container', () => {
  it('is unreadable when it is cut off, wherever', async () => {
    for (const file of ['portrait-407193.webm', 'portrait-407193-720p.mp4']) {
      const whole = await fixture(file);
      expect((await read(whole)).kind).toBe('read');
      for (const share of [0.2, 0.5, 0.8, 0.99]) {
        expect((await read(whole.subarray(0, Math.floor(whole.length * share)))).kind).toBe('unreadable');
      }
    }
    const headerFirst = await clip({ seconds: 1, options: ['-movflags', '+faststart'] });
    expect((await read(headerFirst)).kind).toBe('read');
    expect((await read(headerFirst.subarray(0, headerFirst.length - 100))).kind).toBe('unreadable');
  });

  it('is unreadable when it is cut off as a recorder writes it, of unknown length', async () => {
    const live = await clip({ seconds: 1, file: 'clip.mkv', options: ['-live', '1', '-cluster_time_limit', '300'] });
    expect(Buffer.from(live).includes(Buffer.from('1853806701ffffffffffffff', 'hex'))).toBe(true);
    for (const recorded of [live, withClustersOfUnknownLength(live)]) {
      expect((await partsOf(recorded)).picture.times).toHaveLength(10);
      expect((await read(recorded.subarray(0, recorded.length - 100))).kind).toBe('unreadable');
    }
  });

  it('may have junk behind it', async () => {
    const file = await fixture('portrait-407193-720p.mp4');
    expect((await read(Buffer.concat([file, Buffer.from('PK\x03\x04 and more of it')]))).kind).toBe('read');
  });

  it('carries no more tracks than a phone records', async () => {
    const tracks = (count: number) => Array.from({ length: count }, () => ['-map', '1:a']).flat();
    const many = (count: number) =>
      clip({ seconds: 0.2, sound: 'pcm_u8', options: ['-map', '0:v', ...tracks(count - 1)] });
    expect((await read(await many(videoLimits.streams))).kind).toBe('read');
    expect((await read(await many(videoLimits.streams + 1))).kind).toBe('unreadable');
  });

  it('hands out sound that begins with the picture: an encoder’s priming is marked to be cut', async () => {
    const { sounds: aac } = await partsOf(await fixture('portrait-407193-720p.mp4'));
    expect(aac[0]?.begins).toBeLessThan(-0.02);
    expect(aac[0]?.shown.from).toBe(0);
    const { sounds: opus } = await partsOf(await fixture('portrait-407193.webm'));
    expect((opus[0]?.shown.from ?? 0) - (opus[0]?.begins ?? 0)).toBeCloseTo(0.0065, 4);
  });

  it('hands FFmpeg its streams in our own framing alone, whatever it is', async () => {
    for (const file of ['portrait-407193.webm', 'portrait-407193-720p.mp4', 'portrait-407193-hevc.mp4']) {
      const { picture, sounds } = await partsOf(await fixture(file));
      for (const { bytes } of [picture, ...sounds]) {
        expect(Buffer.from(bytes.subarray(0, 25)).toString('latin1')).toBe('nut/multimedia container\0');
        expect(Buffer.from(bytes).includes('ftyp')).toBe(false);
      }
    }
  });

  it('shows what its edits leave: a list that plays a stretch again is not read', async () => {
    const file = Buffer.from(await clip({ seconds: 2, sound: 'pcm_s16le', options: ['-g', '1'] }));
    const edits = file.indexOf('elst');
    expect(file.readUInt32BE(edits + 8)).toBe(1);
    const { picture: all } = await partsOf(file);
    expect(all.times).toHaveLength(20);
    file.writeUInt32BE(1000, edits + 12); // a second of two
    expect((await partsOf(file)).picture.times).toHaveLength(10);
    file.writeInt32BE(0x20000, edits + 20); // twice as fast
    expect((await read(file)).kind).toBe('unreadable');
  });
});

/** As browsers write them. */
function withClustersOfUnknownLength(matroska: Uint8Array): Buffer {
  const file = Buffer.from(matroska);
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = file.indexOf('1f43b675', 'hex'); at >= 0; at = file.indexOf('1f43b675', at + 4, 'hex')) {
    parts.push(file.subarray(from, at + 4), Buffer.from('01ffffffffffffff', 'hex'));
    from = at + 4 + Math.clz32(file[at + 4] ?? 0) - 23;
  }
  return Buffer.concat([...parts, file.subarray(from)]);
}

describe('A hostile container', () => {
  let mov: Buffer;
  beforeAll(async () => {
    mov = Buffer.from(await clip({ seconds: 1, sound: 'pcm_s16le' }));
  });

  it('lists more frames than a video has: it is too large, or its worker ends', async () => {
    const many = Buffer.from(mov);
    for (let at = many.indexOf('stts'); at >= 0; at = many.indexOf('stts', at + 4)) {
      many.writeUInt32BE(0x1000_0000, at + 12);
    }
    expect(['too_large', 'unreadable']).toContain((await read(many)).kind);
  });

  it('has frames of years: it is no video', async () => {
    const slow = Buffer.from(mov);
    slow.writeUInt32BE(1, slow.indexOf('mdhd') + 16); // ticks per second
    expect(['too_large', 'unreadable']).toContain((await read(slow)).kind);
    slow.writeUInt32BE(0, slow.indexOf('mdhd') + 16);
    expect((await read(slow)).kind).toBe('unreadable');
  });
});
