import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { outcomeText, shippedEngine } from '../engine/engine.ts';
import { framesOf, type Wrong, wrongs } from './feeds.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await shippedEngine();
});

/** What the backend says of three of its frames. */
async function seen(options: Parameters<typeof framesOf>[0]): Promise<string[]> {
  const frames = await framesOf({ seconds: 2, ...options });
  const looks: string[] = [];
  for (const frame of [frames[0], frames[10], frames[20]]) {
    looks.push(outcomeText(await engine.analyseSelfie(frame ?? Buffer.alloc(0), {})));
  }
  return looks;
}

describe('a feed of the camera', () => {
  it.each(['pair', 'portrait', 'stranger'] as const)('of a person passes as a selfie: %s', async (of) => {
    expect(await seen({ of })).toEqual(['passed', 'passed', 'passed']);
    const [frame] = await framesOf({ of, seconds: 0.1 });
    expect(await sharp(frame).metadata()).toMatchObject({ width: 720, height: 1280 });
  });

  it('as a laptop shows it passes, too', async () => {
    expect(await seen({ wide: true })).toEqual(['passed', 'passed', 'passed']);
    const [frame] = await framesOf({ wide: true, seconds: 0.1 });
    expect(await sharp(frame).metadata()).toMatchObject({ width: 1280, height: 720 });
  });

  it.each(Object.entries(wrongs))('that is %s gets the reason %s first', async (wrong, reason) => {
    for (const look of await seen({ wrong: wrong as Wrong })) expect(look).toMatch(new RegExp(`^recapture ${reason}`));
  });

  it('of a screen is taken for one', async () => {
    expect(await seen({ of: 'screen' })).toEqual(Array(3).fill('failed presentation_attack_suspected'));
  });

  it('of a card is the one of the person', async () => {
    const [[selfie], [card]] = await Promise.all([framesOf({ seconds: 0.1 }), framesOf({ of: 'card', seconds: 0.1 })]);
    const analysis = await engine.analysePhotos(selfie ?? Buffer.alloc(0), card ?? Buffer.alloc(0), {});
    expect(outcomeText(analysis)).toBe('passed');
  });
});
