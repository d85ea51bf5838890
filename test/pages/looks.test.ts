import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { axeFaults, boxFaults, textsOf } from './looks.ts';

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 320, height: 640 } });
});
afterAll(() => browser?.close());

const shows = (body: string) =>
  page.setContent(`<!doctype html><html lang="en"><title>T</title><main><h1>H</h1>${body}</main></html>`);

describe('a look at the boxes', () => {
  it.each([
    [
      'a text that is wider than the page',
      '<p style="white-space: nowrap">so many words on one line that they do not fit into a page as narrow as this one</p>',
      'outside the page',
    ],
    [
      'a text that is cut',
      '<div style="overflow: hidden; width: 3em"><p style="width: 20em">some more words</p></div>',
      'cut by <div>',
    ],
    ['a text upon another', '<p>one</p><p style="margin-top: -2.1em">two</p>', 'lies upon'],
    ['a button upon a text', '<p>one</p><button style="position: relative; top: -2.4em">two</button>', 'lies upon'],
  ])('finds %s', async (_, body, fault) => {
    await shows(body);
    expect((await boxFaults(page)).join()).toContain(fault);
  });

  it('finds it inside of a shadow root, too', async () => {
    await shows(
      '<div><template shadowrootmode="open"><p>one</p><p style="margin-top: -2.1em">two</p></template></div>',
    );
    await page.evaluate(() => {
      for (const div of document.querySelectorAll('div')) if (!div.shadowRoot) throw new Error('no shadow root');
    });
    expect(await boxFaults(page)).toHaveLength(1);
  });

  it('minds neither lines below each other nor what is for screen readers alone', async () => {
    const away = 'position: absolute; width: 1px; height: 1px; overflow: hidden; white-space: nowrap';
    await shows(
      `<p>one line and another and one more, so that they are several</p><p>two</p><p style="${away}">for screen readers</p>`,
    );
    expect(await boxFaults(page)).toEqual([]);
  });
});

describe('axe-core', () => {
  it('finds a picture without words', async () => {
    await shows('<img src="data:,">');
    expect((await axeFaults(page)).join()).toContain('image-alt');
  });

  it('finds nothing where there is nothing', async () => {
    await shows('<p>words</p>');
    expect(await axeFaults(page)).toEqual([]);
  });
});

describe('the texts of a page', () => {
  it('are those of elements, and the names that attributes give', async () => {
    await shows('<button aria-label="named">seen</button>');
    expect(await textsOf(page)).toEqual(['T', 'H', 'named', 'seen']);
  });
});
