/** From a desk to a phone by a QR code, which is read back from what the screen shows. */
import jsqr from 'jsqr';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { camera } from './feeds.ts';
import { type Begun, ended, opened } from './journey.ts';
import { button, photographsFace, press, sees } from './person.ts';
import { cameraIsOn } from './speech.ts';
import { stackOfThisFile } from './stack.ts';
import { type Visit, visit } from './visit.ts';

const stack = stackOfThisFile();
let browser: Browser;
beforeAll(async () => {
  const { video } = await camera({ of: 'portrait' });
  browser = await openBrowser({ video });
});
afterAll(() => browser?.close());

const desk = { viewport: { width: 1280, height: 900 } } as const;
/** Chromium writes an error into the console for each answer of the API that is one. */
const refused = /status of 4(01|10)/;

/** A desktop that shows a code, and the link that a phone's camera reads in it. */
async function offering(): Promise<Begun & { readonly link: string; readonly code: string }> {
  const begun = await opened(stack(), browser, {}, desk);
  await press(begun.visited.page, 'on_phone');
  await sees(begun.visited.page, 'hand_off_title');
  const link = await codeIn(begun.visited.page);
  const code = link.split('#')[1] ?? '';
  expect(code).toMatch(/^h_[\w-]{22,}$/);
  return { ...begun, link, code };
}

async function codeIn(page: Page): Promise<string> {
  let link: string | undefined;
  await expect
    .poll(async () => {
      const { data, info } = await sharp(await page.screenshot())
        .ensureAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      link = jsqr.default(new Uint8ClampedArray(data), info.width, info.height)?.data;
      return link;
    })
    .toContain('/capture/');
  return link ?? '';
}

async function followedOnPhone(link: string): Promise<Visit> {
  const visited = await visit(browser);
  await visited.page.goto(link);
  return visited;
}

const claimed = async (link: string): Promise<Visit> => {
  const visited = await followedOnPhone(link);
  await press(visited.page, 'claim');
  return visited;
};

describe('a hand-off', () => {
  it('goes on with a phone, which the desk follows up to the verdict', async () => {
    const { visited, asked, link, code } = await offering();
    const onPhone = await claimed(link);
    expect(await sees(visited.page, 'handed_off_title')).toBe('handed_off_title');
    await press(onPhone.page, 'begin');
    expect(await sees(onPhone.page, 'passed_title', 'failed_title')).toBe('passed_title');
    expect(await sees(visited.page, 'passed_title', 'failed_title')).toBe('passed_title');
    await onPhone.end({ secrets: [code, asked.clientToken, stack().apiKey], elsewhere: [stack().written()] });
    await ended(stack(), visited, asked);
  });

  it('is not spent by a page that is opened and left, as previews of links do', async () => {
    const { visited, asked, link } = await offering();
    for (const preview of [await followedOnPhone(link), await followedOnPhone(link)]) {
      await button(preview.page, 'claim').waitFor();
      await preview.end();
    }
    const onPhone = await claimed(link);
    await button(onPhone.page, 'begin').waitFor();
    await onPhone.end();
    await ended(stack(), visited, asked);
  });

  it('is opened once: who comes second reads that the link is no longer good', async () => {
    const { visited, asked, link, code } = await offering();
    const first = await claimed(link);
    await button(first.page, 'begin').waitFor();
    const second = await claimed(link);
    expect(await sees(second.page, 'closed_text_hand_off')).toBe('closed_text_hand_off');
    await second.end({ secrets: [code], expectedErrors: refused });
    await first.end({ secrets: [code] });
    await ended(stack(), visited, asked);
  });

  it('that was taken back before it was opened is no longer good', async () => {
    const { visited, asked, link, code } = await offering();
    await press(visited.page, 'hand_off_back');
    await button(visited.page, 'begin').waitFor();
    const late = await claimed(link);
    expect(await sees(late.page, 'closed_text_hand_off')).toBe('closed_text_hand_off');
    await late.end({ secrets: [code], expectedErrors: refused });
    await ended(stack(), visited, asked);
  });

  it('that is taken back from a phone leaves the phone with a calm page, and the desk goes on', async () => {
    const { visited, asked, link, code } = await offering();
    const onPhone = await claimed(link);
    await button(onPhone.page, 'begin').waitFor();
    await sees(visited.page, 'handed_off_title');
    await press(visited.page, 'take_back');
    await button(visited.page, 'begin').waitFor();
    await press(onPhone.page, 'begin');
    await photographsFace(onPhone.page);
    expect(await sees(onPhone.page, 'closed_title')).toBe('closed_title');
    expect(await cameraIsOn(onPhone.page)).toBe(false);
    await onPhone.end({ secrets: [code], expectedErrors: refused });
    await ended(stack(), visited, asked);
  });

  it('shows after ten minutes that its code is no longer good, and another one', async () => {
    const begun = await opened(stack(), browser, {}, desk);
    const { page } = begun.visited;
    await page.clock.install();
    await press(page, 'on_phone');
    const first = await codeIn(page);
    await page.clock.fastForward(11 * 60 * 1000);
    await sees(page, 'hand_off_over');
    await press(page, 'hand_off_new');
    await expect.poll(() => codeIn(page)).not.toBe(first);
    const late = await claimed(first);
    expect(await sees(late.page, 'closed_text_hand_off')).toBe('closed_text_hand_off');
    await late.end({ expectedErrors: refused });
    await ended(stack(), begun.visited, begun.asked);
  });
});
