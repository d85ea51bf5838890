import { execFile } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openEngine } from '../../../engine/engine.ts';
import type { PhotoDecoders } from '../../../engine/photo.ts';
import { decoders as kept, modelsDirectory } from '../engine.ts';
import { idCard, selfieOfPair } from '../people.ts';

it('pictures are given back right after the answer, before the collector asks for them', async () => {
  const pictures: Uint8Array[] = [];
  const decoders: PhotoDecoders = {
    ...kept,
    use: (work) =>
      kept.use((decoder) =>
        work({
          ...decoder,
          pixels: async (bytes, recipe) => {
            const image = await decoder.pixels(bytes, recipe);
            if (image) pictures.push(image.pixels);
            return image;
          },
        }),
      ),
  };
  const engine = await openEngine({ modelsDirectory: await modelsDirectory(), decoders });
  const [selfie, card] = [await selfieOfPair(), await idCard()];
  const { bands } = await engine.analysePhotos(selfie, card, {}, { fingerprinted: ['selfie', 'id_card'] });
  await engine.analyseSelfie(selfie, {});
  await setImmediate();
  expect(Object.keys(bands ?? {})).toEqual(['selfie', 'id_card']);
  expect(pictures.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
});

it('the collector walks the heap of a process that verifies once in some verifications, not in each', async () => {
  const program = new URL('../heap-walks.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const { verifications, walks } = JSON.parse(stdout);
  expect(verifications).toBe(30);
  expect(walks).toBeLessThanOrEqual(6);
});
