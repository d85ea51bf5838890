/** A folder of captures to train on, made from devDependencies' sample photos. It proves the path, never a rate. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import type { Box } from '../../engine/pixels.ts';
import { recapture } from '../../engine/training/spoof/recapture.ts';
import { mulberry32 } from '../../tools/evaluate/random.ts';
import { portrait } from '../../tools/samples.ts';

const samplePhoto = (number: number) =>
  fileURLToPath(new URL(`../../node_modules/@vladmandic/face-api/demo/sample${number}.jpg`, import.meta.url));

/** Faces of the group photos, left, top and width; of a person who is in two photos, one face. */
const faces: Readonly<Record<number, readonly (readonly [left: number, top: number, width: number])[]>> = {
  1: [[410, 381, 194]],
  2: [[1431, 160, 224]],
  3: [
    [1074, 202, 220],
    [591, 381, 210],
  ],
  4: [
    [1272, 131, 152],
    [266, 204, 144],
  ],
  5: [
    [1412, 410, 173],
    [1110, 192, 163],
    [603, 434, 158],
  ],
  6: [
    [253, 497, 214],
    [1181, 306, 192],
    [671, 318, 160],
  ],
};

interface MadeCapture {
  readonly subject: string;
  readonly source: string;
  readonly photo: Sharp;
  /** Of the face, in the photo. */
  readonly face: Box;
}

/** One of each face: each group photo is a source. */
async function* madeCaptures(): AsyncGenerator<MadeCapture> {
  for (const [number, ofPhoto] of Object.entries(faces)) {
    for (const [index, [x, y, width]] of ofPhoto.entries()) {
      const photo = sharp(samplePhoto(Number(number)));
      const { width: across, height: down } = await photo.metadata();
      const left = Math.max(0, x - Math.round(1.1 * width));
      const top = Math.max(0, y - Math.round(0.8 * width));
      const area = { left, top, width: Math.min(across - left, 3 * width), height: Math.min(down - top, 4 * width) };
      const face = { x: x - left, y: y - top, width, height: 1.3 * width };
      const subject = `sample${number}-${index}`;
      yield { subject, source: `sample${number}`, photo: sharp(await photo.extract(area).png().toBuffer()), face };
    }
  }
  const face = { x: 510, y: 190, width: 217, height: 280 };
  yield { subject: 'portrait', source: 'nasa', photo: sharp(await portrait()), face };
}

/** Its columns, and one bona fide capture with one "replay" per person: a simulated one under the name of a real one. */
export async function folderOfCaptures(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-captures-'));
  const rows = ['file,label,species,subject,source,device,instrument,lighting,consent'];
  const random = mulberry32(5);
  for await (const { subject, source, photo, face } of madeCaptures()) {
    const end = `${subject},${source},unknown`;
    await writeFile(path.join(directory, `${subject}.jpg`), await photo.clone().jpeg({ quality: 92 }).toBuffer());
    rows.push(`${subject}.jpg,bona_fide,,${end},,unknown,MIT`);
    const { data: pixels, info } = await photo.clone().removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const { width, height, pixels: photographed } = recapture({ ...info, pixels }, face, 'replay', random);
    const attack = sharp(photographed, { raw: { width, height, channels: 3 } });
    await writeFile(path.join(directory, `${subject}-replay.jpg`), await attack.jpeg({ quality: 85 }).toBuffer());
    rows.push(`${subject}-replay.jpg,attack,replay,${end},simulated,unknown,MIT`);
  }
  await writeFile(path.join(directory, 'provenance.csv'), `${rows.join('\n')}\n`);
  return directory;
}
