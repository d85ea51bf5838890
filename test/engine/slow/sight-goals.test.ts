/** A dozen pictures through `evaluate --sight`: `npm run test:slow` runs it and `npm test` does not. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { evaluateSight, sightText } from '../../../tools/evaluate/sight.ts';
import { landscape, portrait } from '../../../tools/samples.ts';
import { modelsDirectory, shippedEngine } from '../engine.ts';
import { otherPhotoOfPair, selfieOfPair, stranger } from '../people.ts';

it('evaluate --sight counts phantoms, drawings, turned captures, pairs and cards, and says what it was not given', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-sight-'));
  const scenesDirectory = path.join(directory, 'scenes');
  const drawingsDirectory = path.join(directory, 'drawings');
  await mkdir(scenesDirectory);
  await mkdir(drawingsDirectory);
  await writeFile(path.join(scenesDirectory, 'landscape.jpg'), await landscape());
  const poster = sharp(await stranger(0))
    .median(9)
    .png({ palette: true, colours: 4, dither: 0 });
  await writeFile(path.join(drawingsDirectory, 'poster.png'), await poster.toBuffer());
  await writeFile(path.join(directory, 'portrait.jpg'), await portrait());
  await writeFile(path.join(directory, 'a1.jpg'), await selfieOfPair());
  await writeFile(path.join(directory, 'a2.jpg'), await otherPhotoOfPair());
  await writeFile(path.join(directory, 'pad.csv'), 'file,label\nportrait.jpg,bona_fide\n');
  await writeFile(path.join(directory, 'match.csv'), 'file,person\na1.jpg,a\na2.jpg,a\n');
  const engine = await shippedEngine();
  const counts = { backs: 2, scenes: 3, fronts: 4 };
  const models = await modelsDirectory();
  const all = await evaluateSight(directory, models, engine, {}, { ...counts, scenesDirectory, drawingsDirectory });
  expect(all).toMatchObject({
    report: {
      backs: { report: { errors: 0, of: 2 } },
      scenes: { report: { errors: 0, of: 3 } },
      drawings: { passed: { report: { errors: 0, of: 1 } }, decided: { report: { errors: 0, of: 1 } } },
      turned: { accused: { report: { errors: 0, of: 3 } }, sentBack: { report: { errors: 0, of: 3 } } },
      pairs: { report: { errors: 0, of: 2 } },
      fronts: { report: { of: 4 } },
    },
  });
  const bare = await evaluateSight(scenesDirectory, models, engine, {}, { backs: 0, scenes: 0, fronts: 0 });
  expect(sightText(bare).join('\n')).toMatch(/not measured: --scenes names no folder[\s\S]*not measured: there is no/);
});
