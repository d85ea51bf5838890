/** Hundreds of damaged pictures: `npm run test:slow` runs it and `npm test` does not. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/engine.ts';
import { failureReasons, recaptureReasons } from '../../../shared/domain/verdict.ts';
import { portrait } from '../../../tools/samples.ts';
import { fixture, uprightPortrait, withFlippedBits } from '../captures.ts';
import { decode, outcomeText, shippedEngine } from '../engine.ts';
import { hostileInputs } from '../hostile-inputs.ts';
import { idCard, selfieOfPair } from '../people.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await shippedEngine();
});

describe('Damaged captures', () => {
  it('end in a verdict or a named reason, and the engine works on', async () => {
    const sources = [
      await portrait(640),
      await (await uprightPortrait()).resize(320).png().toBuffer(),
      await (await uprightPortrait()).resize(480).webp().toBuffer(),
    ];
    for (const [kind, source] of sources.entries()) {
      for (let seed = 0; seed < 40; seed += 1) {
        const { finding } = await engine.analyseSelfie(
          withFlippedBits(source, 1 + (seed % 20), kind * 1_000 + seed),
          {},
        );
        if (finding.outcome === 'recapture') expect(recaptureReasons).toEqual(expect.arrayContaining(finding.reasons));
        expect(['passed', 'failed', 'recapture']).toContain(finding.outcome);
      }
    }
    expect(outcomeText(await engine.analyseSelfie(await portrait(), {}))).toBe('passed');
  });

  it('of HEIC end with their worker', async () => {
    const source = await fixture('portrait.heic');
    const answers = new Set<string>();
    for (let seed = 0; seed < 12; seed += 1) {
      answers.add((await decode(withFlippedBits(source, 20, seed))).kind);
    }
    expect(answers.size).toBeGreaterThan(0);
    expect((await decode(source)).kind).toBe('decoded');
  });
});

// Videos are the greater part of that program's time; `videos.test.ts` has damaged ones.
describe('Hostile pictures of every kind', () => {
  it('end in a verdict or a named reason, and the engine works on: the beginning of `npm run fuzz`', async () => {
    const [selfie, card] = [await selfieOfPair(), await idCard()];
    const known = [...recaptureReasons, ...failureReasons];
    for await (const { name, bytes, kind } of hostileInputs(42, 1)) {
      if (kind === 'video') continue;
      const { finding } = await engine.analysePhotos(selfie, bytes, {});
      expect(['passed', 'failed', 'recapture'], name).toContain(finding.outcome);
      expect(known, name).toEqual(expect.arrayContaining(finding.reasons));
    }
    expect(outcomeText(await engine.analysePhotos(selfie, card, {}))).toBe('passed');
  });
});
