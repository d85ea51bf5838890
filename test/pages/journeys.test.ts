/** The three checks from click to `passed`: what `npm test` runs of the pages. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { type Camera, camera } from './feeds.ts';
import { photographsCard, press, saysDigits, sees } from './person.ts';
import { said } from './speech.ts';
import { type Asked, stackOfThisFile } from './stack.ts';
import { type Visit, visit } from './visit.ts';

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
    const { visited, asked } = await begun({ check: 'spoof_detect' });
    expect(await sees(visited.page, 'passed_title', 'failed_title', 'recapture_title')).toBe('passed_title');
    await ended(visited, asked);
  });

  it('takes a photo of the ID and one of the face, and passes', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await begun({ check: 'photo_verify' });
    await photographsCard(visited.page, shownToPage);
    expect(await sees(visited.page, 'passed_title', 'failed_title', 'recapture_title')).toBe('passed_title');
    await ended(visited, asked);
  });

  it('takes a photo of the ID, says the digits, and passes', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await begun({ check: 'video_verify', challenge: said });
    await photographsCard(visited.page, shownToPage);
    await saysDigits(visited.page);
    expect(await sees(visited.page, 'passed_title', 'failed_title', 'recapture_title')).toBe('passed_title');
    await ended(visited, asked);
  });
});

async function begun(overrides: Record<string, unknown>) {
  const asked = await stack().ask(overrides);
  const visited = await visit(browser);
  await visited.page.goto(asked.link);
  await press(visited.page, 'begin');
  return { visited, asked };
}

/** No number, no attempt, no provider, no key, no token where it does not belong; and the server knows of it. */
async function ended(visited: Visit, { sourceId, clientToken }: Asked): Promise<void> {
  for (const answer of visited.answers())
    expect(answer).not.toMatch(/"(scores?|attempts?|provider|measurements|confidence)"/);
  await visited.end({ secrets: [clientToken, stack().apiKey], elsewhere: [stack().written()] });
  expect((await stack().client.read(sourceId)).verdict?.outcome).toBe('passed');
}
