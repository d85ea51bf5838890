import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import type { RgbImage } from '../../../engine/pixels.ts';
import { augment } from '../../../engine/training/spoof/augment.ts';
import { recapture, simulatedSpecies } from '../../../engine/training/spoof/recapture.ts';
import { mulberry32 } from '../../../tools/evaluate/random.ts';
import { portrait } from '../../../tools/samples.ts';
import { decode } from '../../engine/engine.ts';

const face = { x: 204, y: 76, width: 87, height: 112 };
async function picture(): Promise<RgbImage> {
  const decoded = await decode(await portrait(512));
  if (decoded.kind !== 'decoded') throw new Error('the portrait is a picture');
  return decoded.capture.image;
}
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.each(simulatedSpecies)('a simulated %s', (species) => {
  it('is the same picture for the same random numbers, and another one for others', async () => {
    const shown = await picture();
    const [first, again, other] = [1, 1, 2].map((seed) =>
      digestOf(recapture(shown, face, species, mulberry32(seed)).pixels),
    );
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});

describe('augmentation', () => {
  it('is the same file for the same random numbers, and another one for others', async () => {
    const shown = await picture();
    const files = await Promise.all([1, 1, 2].map((seed) => augment(shown, mulberry32(seed))));
    const [first, again, other] = files.map(digestOf);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});
