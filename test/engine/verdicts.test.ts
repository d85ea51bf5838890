import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { finding } from '../../shared/domain/verdict.ts';
import { faceOnScreen, portrait, samples } from '../../tools/samples.ts';
import { outcomeText, shippedEngine } from './engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await shippedEngine();
});

describe('The four samples', () => {
  it('get the outcome and reasons they stand for, in the words of the domain', async () => {
    for (const { file, bytes, expected } of await samples()) {
      const analysis = await engine.analyseSelfie(bytes, {});
      expect({ file, outcome: analysis.finding.outcome, reasons: analysis.finding.reasons }).toEqual({
        file,
        ...expected,
      });
      expect(finding.parse(analysis.finding)).toEqual(analysis.finding);
    }
  });
});

describe('A finding', () => {
  it('is confident by the live score when it passes, and by what is missing to it when it fails', async () => {
    const person = (await engine.analyseSelfie(await portrait(), {})).finding;
    expect(person.scores.live).toBeGreaterThan(0.99);
    expect(person.confidence).toBe(person.scores.live);

    const screen = (await engine.analyseSelfie(await faceOnScreen(), {})).finding;
    expect(screen.scores.live).toBeLessThan(0.3);
    expect(screen.confidence).toBe(1 - (screen.scores.live ?? 0));
  });

  it("follows the tenant's threshold where there is one", async () => {
    expect(outcomeText(await engine.analyseSelfie(await portrait(), { live: 1 }))).toBe(
      'failed presentation_attack_suspected',
    );
    expect(outcomeText(await engine.analyseSelfie(await faceOnScreen(), { live: 0.01 }))).toBe('passed');
  });

  it("judges faces from 112 px on, or from as many as the tenant's policy says", async () => {
    const facesOf = async (px: number, minimumFacePx?: number) => {
      const { finding, measurements } = await engine.analyseSelfie(await portrait(px), { minimumFacePx });
      return [measurements.face_width_px, finding.outcome, ...finding.reasons];
    };
    expect(await facesOf(640)).toEqual([expect.closeTo(108, -1), 'recapture', 'face_too_small']);
    expect(await facesOf(640, 96)).toEqual([expect.closeTo(108, -1), 'passed']);
    expect(await facesOf(720)).toEqual([expect.closeTo(122, -1), 'passed']);
    expect(await facesOf(720, 128)).toEqual([expect.closeTo(122, -1), 'recapture', 'face_too_small']);
  });

  it('has no live score and no confidence where the gate refused: what the model says then is only measured', async () => {
    const { finding: asked, measurements } = await engine.analyseSelfie(await portrait(512), {});
    expect(asked).toEqual({ outcome: 'recapture', confidence: null, reasons: ['face_too_small'], scores: {} });
    expect(measurements.live_score).toBeGreaterThan(0);
  });

  it('is timed by the clock it is given', async () => {
    const { stages } = await engine.analyseSelfie(await portrait(), {});
    expect(Object.keys(stages)).toEqual(['decode', 'detect', 'quality', 'spoofing']);
    expect(Object.values(stages).every((milliseconds) => milliseconds > 0)).toBe(true);
  });
});
