/** Forty cards, a second each: `npm run test:slow` runs it and `npm test` does not. */
import { expect, it } from 'vitest';
import { cardBack } from '../../../tools/evaluate/card-backs.ts';
import { portrait } from '../../../tools/samples.ts';
import { outcomeText, shippedEngine } from '../engine.ts';

it('the back of an ID card has no face and is no person, whatever the detector sees in it', async () => {
  const [engine, selfie] = [await shippedEngine(), await portrait()];
  const verdicts = new Set<string>();
  for (let seed = 0; seed < 40; seed += 1) {
    const back = await cardBack(seed);
    verdicts.add(outcomeText(await engine.analysePhotos(selfie, back, {})));
    verdicts.add(outcomeText(await engine.analyseSelfie(back, {})));
  }
  expect([...verdicts]).toEqual(['recapture face_not_detected']);
});
