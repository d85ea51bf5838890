/** The three checks from click to `passed`: what `npm test` runs of the pages. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { type Camera, camera } from './feeds.ts';
import { begun, passes } from './journey.ts';
import { photographsCard, saysDigits } from './person.ts';
import { said } from './speech.ts';
import { stackOfThisFile } from './stack.ts';

const stack = stackOfThisFile();
let shownToPage: Camera;
let browser: Browser;
beforeAll(async () => {
  shownToPage = await camera();
  browser = await openBrowser({ video: shownToPage.video });
});
afterAll(() => browser?.close());

describe('a person', () => {
  it('takes a selfie and passes', async () => {
    await shownToPage.show({ of: 'portrait' });
    const { visited, asked } = await begun(stack(), browser, { check: 'spoof_detect' });
    await passes(stack(), visited, asked);
  });

  it('takes a photo of the ID and one of the face, and passes', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await begun(stack(), browser, { check: 'photo_verify' });
    await photographsCard(visited.page, shownToPage);
    await passes(stack(), visited, asked);
  });

  it('takes a photo of the ID, says the digits, and passes', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await begun(stack(), browser, { check: 'video_verify', challenge: said });
    await photographsCard(visited.page, shownToPage);
    await saysDigits(visited.page);
    await passes(stack(), visited, asked);
  });
});
