/** A page whose token does not do, whose tab is another one's, or that is loaded again. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { type Camera, camera } from './feeds.ts';
import { begun, ended, opened, passes } from './journey.ts';
import { photographsCard, press, sees } from './person.ts';
import { cameraIsOn } from './speech.ts';
import { stackOfThisFile } from './stack.ts';
import { visit } from './visit.ts';

const stack = stackOfThisFile();
let shownToPage: Camera;
let browser: Browser;
beforeAll(async () => {
  shownToPage = await camera({ of: 'portrait' });
  browser = await openBrowser({ video: shownToPage.video });
});
afterAll(() => browser?.close());

/** Chromium writes an error into the console for each answer of the API that is one. */
const refused = /status of 40[134]/;

describe('a token', () => {
  const links: Record<string, () => Promise<string>> = {
    'of another verification': async () => {
      const [one, another] = [await stack().ask(), await stack().ask()];
      return one.link.replace(one.clientToken, another.clientToken);
    },
    'whose time is over': async () => {
      const { link, clientToken } = await stack().ask();
      const [prefix, id, , mac] = clientToken.split('_');
      return link.replace(clientToken, [prefix, id, Math.floor(Date.now() / 1000) - 60, mac].join('_'));
    },
    'of a verification that was erased': async () => {
      const { link, sourceId } = await stack().ask();
      await stack().client.call('DELETE', `/verifications/${sourceId}`);
      return link;
    },
    'that is none': async () => (await stack().ask()).link.replace(/#.*/, '#ct_made_up'),
    'that is not there': async () => (await stack().ask()).link.replace(/#.*/, ''),
    'of a verification that never was': async () => {
      const { link, sourceId } = await stack().ask();
      return link.replace(sourceId, 'never-was');
    },
  };

  it.each(Object.entries(links))('%s leads to one calm page, which tells nothing', async (_, link) => {
    const visited = await visit(browser);
    await visited.page.goto(await link());
    expect(await sees(visited.page, 'closed_title')).toBe('closed_title');
    await sees(visited.page, 'closed_text');
    expect(await visited.page.getByRole('button').count()).toBe(0);
    await visited.end({ secrets: [stack().apiKey], expectedErrors: refused });
  });

  it('of a verification that is erased meanwhile leads there, too', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await begun(stack(), browser, { check: 'photo_verify' });
    await sees(visited.page, 'id_card_title');
    await stack().client.call('DELETE', `/verifications/${asked.sourceId}`);
    await photographsCard(visited.page, shownToPage);
    expect(await sees(visited.page, 'closed_title')).toBe('closed_title');
    expect(await cameraIsOn(visited.page)).toBe(false);
    await ended(stack(), visited, asked, refused);
  });
});

describe('a page that is loaded again', () => {
  it('before anything was captured goes on, though the address holds no token any more', async () => {
    await shownToPage.show({ of: 'portrait' });
    const { visited, asked } = await opened(stack(), browser);
    await sees(visited.page, 'intro_title');
    expect(visited.page.url()).not.toContain(asked.clientToken);
    await visited.page.reload();
    await press(visited.page, 'begin');
    await passes(stack(), visited, asked);
  });

  it('between two captures asks for the other one alone', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await begun(stack(), browser, { check: 'photo_verify' });
    await photographsCard(visited.page, shownToPage, { wrong: 'dark' });
    await sees(visited.page, 'selfie_title');
    await shownToPage.show();
    await visited.page.reload();
    await press(visited.page, 'begin');
    expect(await sees(visited.page, 'selfie_title', 'id_card_title')).toBe('selfie_title');
    await passes(stack(), visited, asked);
  });

  it('after the verdict says it again', async () => {
    await shownToPage.show({ of: 'portrait' });
    const { visited, asked } = await begun(stack(), browser);
    await sees(visited.page, 'passed_title');
    await visited.page.reload();
    await passes(stack(), visited, asked);
  });
});

describe('a second tab', () => {
  it('is told that another one is at it, and takes over when the person says so', async () => {
    await shownToPage.show({ of: 'portrait', wrong: 'dark' });
    const { visited, asked } = await begun(stack(), browser);
    await sees(visited.page, 'selfie_title');
    const second = await visited.context.newPage();
    await second.goto(asked.link);
    expect(await sees(second, 'elsewhere_title')).toBe('elsewhere_title');
    await shownToPage.show({ of: 'portrait' });
    await press(second, 'take_over');
    expect(await sees(visited.page, 'elsewhere_title')).toBe('elsewhere_title');
    expect(await cameraIsOn(visited.page)).toBe(false);
    await press(second, 'begin');
    expect(await sees(second, 'passed_title', 'failed_title')).toBe('passed_title');
    await ended(stack(), visited, asked);
  });
});
