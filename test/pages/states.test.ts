/**
 * Every state of the capture element, in every language, light and dark, on a narrow and a wide page: by axe-core, and by the
 * boxes that the browser made. Without `PAGES=all` (nightly): English and Arabic, light.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { type Served, serveGallery } from './gallery.ts';
import { axeFaults, boxFaults, textsOf } from './looks.ts';

let browser: Browser;
let served: Served;
beforeAll(async () => {
  [browser, served] = await Promise.all([openBrowser(), serveGallery()]);
});
afterAll(async () => {
  await browser?.close();
  served?.close();
});

const isNightly = process.env.PAGES === 'all';
const languages = isNightly ? ['en', 'de', 'es', 'ar'] : ['en', 'ar'];
const schemes = isNightly ? (['light', 'dark'] as const) : (['light'] as const);
const widths = [320, 1280];
const looks = languages.flatMap((language) =>
  schemes.flatMap((colorScheme) => widths.map((width) => ({ language, colorScheme, width }))),
);

async function galleryIn(language: string, colorScheme: 'light' | 'dark', width: number) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: width < 600 ? 640 : 900 } });
  const page = await context.newPage();
  await page.goto(served.url);
  const scenes = await page.evaluate((wanted) => window.gallery.speak(wanted), language);
  return { context, page, scenes };
}

const show = (page: Page, scene: string) => page.evaluate((name) => window.gallery.show(name), scene);

describe('every state', () => {
  it.each(looks)(
    'in $language, $colorScheme, $width px wide: axe-core finds nothing, nothing is cut or overlaps',
    async ({ language, colorScheme, width }) => {
      const { context, page, scenes } = await galleryIn(language, colorScheme, width);
      const faults: string[] = [];
      for (const scene of scenes) {
        await show(page, scene);
        for (const fault of [...(await axeFaults(page, ['page-has-heading-one'])), ...(await boxFaults(page))])
          faults.push(`${scene}: ${fault}`);
      }
      await context.close();
      expect(scenes.length).toBeGreaterThan(50);
      expect(faults).toEqual([]);
    },
  );

  it('speaks the language of the page in every text: none is written into the code', async () => {
    const { context, page, scenes } = await galleryIn('pseudo', 'light', 390);
    const untranslated: string[] = [];
    for (const scene of scenes) {
      await show(page, scene);
      for (const text of await textsOf(page)) if (!isOfCatalogue(text)) untranslated.push(`${scene}: ${text}`);
    }
    await context.close();
    expect(untranslated).toEqual([]);
  });

  it('has texts in brackets that are longer than English, and nothing is cut', async () => {
    const { context, page, scenes } = await galleryIn('pseudo', 'light', 320);
    const faults: string[] = [];
    for (const scene of scenes) {
      await show(page, scene);
      for (const fault of await boxFaults(page)) faults.push(`${scene}: ${fault}`);
    }
    await context.close();
    expect(faults).toEqual([]);
  });
});

/** Of the catalogue, a number, or a name that is not ours to translate: a camera's, the test page's own title. */
const isOfCatalogue = (text: string) =>
  /^⟦.*⟧$/s.test(text) || /^\p{N}+$/u.test(text) || /^HD Pro Webcam|^Gallery$/.test(text);
