/** Files in place of the camera, and pictures that say nothing: what the browser can know is said before uploading. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { landscape, portrait } from '../../tools/samples.ts';
import { openBrowser } from './browser.ts';
import { type Camera, camera, framesOf } from './feeds.ts';
import { begun, ended, passes } from './journey.ts';
import { press, sees, type Text } from './person.ts';
import { stackOfThisFile } from './stack.ts';
import type { Visit } from './visit.ts';

const stack = stackOfThisFile();
let shownToPage: Camera;
let browser: Browser;
beforeAll(async () => {
  shownToPage = await camera({ of: 'black', seconds: 1 });
  browser = await openBrowser({ cameras: 0 });
});
afterAll(() => browser?.close());

/** A file's path, or what would be in it. */
type File = string | Given;
interface Given {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

async function chooses(page: Page, file: File): Promise<void> {
  await sees(page, 'not_found', 'trouble_title_file');
  await page.locator('input[type=file]').first().setInputFiles(file);
}

/** A PUT of a capture. */
const uploads = (visited: Visit) => visited.requests().filter((line) => line.startsWith('PUT '));

describe('a file', () => {
  const wrong: Record<string, [Text, () => Promise<File>]> = {
    'that is a PDF': ['file_is_pdf', async () => jpegNamed(Buffer.from('%PDF-1.7\n%âãÏÓ\n'))],
    'of 60 MB': ['file_too_large', () => aFileOf(60_000_000)],
    'that is a text': ['file_type', async () => jpegNamed(Buffer.from('no picture'))],
    'that is cut off': ['file_unreadable', async () => jpegNamed((await portrait()).subarray(0, 40))],
    'that is black': ['black', async () => jpegNamed(await blackJpeg())],
  };

  it.each(Object.entries(wrong))(
    '%s is refused before anything is sent, and another one taken',
    async (_, [text, file]) => {
      const { visited, asked } = await begun(stack(), browser);
      const { page } = visited;
      await chooses(page, await file());
      expect(await sees(page, text)).toBe(text);
      expect(uploads(visited)).toEqual([]);
      await page
        .locator('input[type=file]')
        .first()
        .setInputFiles(jpegNamed(await portrait()));
      await press(page, 'keep');
      await passes(stack(), visited, asked);
    },
  );

  it('of HEIC, which the backend reads, is taken', async () => {
    const { visited, asked } = await begun(stack(), browser);
    await chooses(visited.page, {
      name: 'IMG_1.HEIC',
      mimeType: 'image/heic',
      buffer: await readFile('test/fixtures/portrait.heic'),
    });
    await press(visited.page, 'keep');
    await passes(stack(), visited, asked);
  });

  it('without a face is asked for again', async () => {
    const { visited, asked } = await begun(stack(), browser);
    await chooses(visited.page, jpegNamed(await landscape()));
    await press(visited.page, 'keep');
    expect(await sees(visited.page, 'recapture_title')).toBe('recapture_title');
    await sees(visited.page, 'reason_face_not_detected');
    await ended(stack(), visited, asked);
  });
});

describe('a camera that is covered', () => {
  it('is told so before anything is sent', async () => {
    const covered = await openBrowser({ video: shownToPage.video });
    const { visited, asked } = await begun(stack(), covered);
    await sees(visited.page, 'selfie_title');
    await press(visited.page, 'take');
    expect(await sees(visited.page, 'black')).toBe('black');
    expect(uploads(visited)).toEqual([]);
    await ended(stack(), visited, asked);
    await covered.close();
  });
});

const jpegNamed = (buffer: Buffer): Given => ({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer });

async function blackJpeg(): Promise<Buffer> {
  const [frame] = await framesOf({ of: 'black', seconds: 0.1 });
  if (!frame) throw new Error('no frame');
  return frame;
}

/** A JPEG that is followed by nothing. */
async function aFileOf(bytes: number): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'large-')), 'photo.jpg');
  await writeFile(path, Buffer.concat([await portrait()], bytes));
  return path;
}
