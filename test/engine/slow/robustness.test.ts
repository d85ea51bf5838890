import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  evaluateRobustness,
  type RobustnessReport,
  robustnessText,
  tryTransforms,
} from '../../../tools/evaluate/robustness.ts';
import { cheapTransforms, honestDegradations, type Transform } from '../../../tools/evaluate/transforms.ts';
import { faceOnScreen, portrait } from '../../../tools/samples.ts';
import { fixture } from '../captures.ts';
import { decode, shippedEngine } from '../engine.ts';

const inTheDark: Transform = ({ width, height, pixels }) =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
    .linear(0.1)
    .jpeg();

async function measured(transforms: Readonly<Record<string, Transform>>): Promise<RobustnessReport> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-data-'));
  await writeFile(path.join(directory, 'screen.jpg'), await faceOnScreen());
  await writeFile(path.join(directory, 'portrait.jpg'), await portrait());
  await writeFile(
    path.join(directory, 'pad.csv'),
    'file,label\nscreen.jpg,attack\nportrait.jpg,attack\nportrait.jpg,bona_fide\ngone.jpg,attack\n',
  );
  const engine = await shippedEngine();
  const tried = { cheap: transforms, honest: { 'in the dark': inTheDark } };
  const section = await evaluateRobustness(directory, (rows) =>
    tryTransforms(rows, { directory, engine, thresholds: {}, transforms: tried }),
  );
  if ('missing' in section) throw new Error(section.missing);
  return section.report;
}

describe('Robustness', () => {
  it('counts what passed and what was sent back under each transform, of all captures, and the worst per attack', async () => {
    const person = await portrait();
    const report = await measured({ 'in the dark': inTheDark, 'the person instead': () => sharp(person).jpeg() });
    expect(report).toMatchObject({
      attacks: {
        'as is': { passed: { errors: 1, of: 2 }, sentBack: { errors: 0, of: 2 } },
        'in the dark': { passed: { errors: 0, of: 2 }, sentBack: { errors: 2, of: 2 } },
        'the person instead': { passed: { errors: 2, of: 2 }, sentBack: { errors: 0, of: 2 } },
      },
      worst: { errors: 2, of: 2 },
      helped: [{ file: 'screen.jpg', by: ['the person instead'] }],
      bonaFide: {
        'as is': { passed: { errors: 1, of: 1 } },
        'in the dark': { passed: { errors: 0, of: 1 }, sentBack: { errors: 1, of: 1 } },
      },
    });

    const text = robustnessText({ report }).join('\n');
    expect(text).toMatch(/in the dark +0\.0 % {2}\(0 of 2.*; sent back 2, 100\.0 %/);
    expect(text).toMatch(/worst of 2, per attack +100\.0 %/);
    expect(text).toContain('screen.jpg: 1 ways, the person instead');
  });

  it('says why it was not measured', async () => {
    const empty = await mkdtemp(path.join(tmpdir(), 'bonafide-data-'));
    const section = await evaluateRobustness(empty, async () => []);
    expect(robustnessText(section).join()).toMatch(/Not measured: there is no .*pad\.csv/);
  });
});

describe('The cheap transforms', () => {
  it('are forty or more', () => {
    expect(Object.keys(cheapTransforms).length).toBeGreaterThanOrEqual(40);
  });

  it('make of one picture one file, always the same, that can be opened', async () => {
    const small = await decode(
      await sharp(await fixture('portrait.png'))
        .resize(120)
        .png()
        .toBuffer(),
    );
    if (small.kind !== 'decoded') throw new Error('the portrait must decode');
    const { image } = small.capture;
    const files = new Set<string>();
    for (const [name, transform] of Object.entries({ ...cheapTransforms, ...honestDegradations })) {
      const sent = await transform(image).toBuffer();
      expect((await transform(image).toBuffer()).equals(sent), name).toBe(true);
      expect(await decode(sent), name).toMatchObject({ kind: 'decoded' });
      files.add(sent.toString('base64'));
    }
    const shared = Object.keys(honestDegradations).filter((name) => name in cheapTransforms).length;
    expect(files.size).toBe(Object.keys(cheapTransforms).length + Object.keys(honestDegradations).length - shared);
  });
});
