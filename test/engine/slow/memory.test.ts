import { expect, it } from 'vitest';
import { openEngine } from '../../../engine/engine.ts';
import type { PhotoDecoders } from '../../../engine/photo.ts';
import { decoders as kept, modelsDirectory } from '../engine.ts';
import { idCard, selfieOfPair } from '../people.ts';

it('pictures are given back with the answer, before the collector asks for them', async () => {
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
  expect(Object.keys(bands ?? {})).toEqual(['selfie', 'id_card']);
  expect(pictures.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
});
