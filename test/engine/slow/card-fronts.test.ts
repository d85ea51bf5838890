/** Two hundred cards through the engine: a minute, so `npm run test:slow` runs it and `npm test` does not. */
import { expect, it } from 'vitest';
import { cardFront, frontKinds } from '../../../tools/evaluate/card-fronts.ts';
import { outcomeText, shippedEngine } from '../engine.ts';
import { photosForCards, selfieOfPair } from '../people.ts';

it.each(frontKinds)('None of fifty cards is taken for a picture of a person: %s', async (kind) => {
  const engine = await shippedEngine();
  const selfie = await selfieOfPair();
  const first = frontKinds.indexOf(kind);
  const asked: string[] = [];
  for (let seed = first; seed < 200; seed += frontKinds.length) {
    const text = outcomeText(await engine.analysePhotos(selfie, await cardFront(seed, photosForCards), {}));
    if (text.includes('card_not_seen')) asked.push(`${seed}: ${text}`);
  }
  expect(asked).toEqual([]);
});
