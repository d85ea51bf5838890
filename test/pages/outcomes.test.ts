/** How the three checks may end, in each of the containers that browsers record, and how much that asks of the API. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { type Camera, camera } from './feeds.ts';
import { begun, failsFor, passes, told } from './journey.ts';
import { photographsCard, photographsFace, press, saysDigits, sees } from './person.ts';
import { said } from './speech.ts';
import { stackOfThisFile } from './stack.ts';
import { phone } from './visit.ts';

const stack = stackOfThisFile();
let shownToPage: Camera;
let browser: Browser;
beforeAll(async () => {
  shownToPage = await camera();
  browser = await openBrowser({ video: shownToPage.video });
});
afterAll(() => browser?.close());

describe('a video', () => {
  it.each(['mp4', 'webm'] as const)('recorded as %s passes', async (recording) => {
    await shownToPage.show({ of: 'card' });
    const request = { check: 'video_verify', challenge: said };
    const { visited, asked } = await begun(stack(), browser, request, { ...phone, recording });
    await photographsCard(visited.page, shownToPage);
    await saysDigits(visited.page);
    await passes(stack(), visited, asked);
    expect(visited.answers().join()).toContain(`video/${recording}`);
  });

  it.each(['mp4', 'webm'] as const)('recorded as %s with other digits fails, without a word why', async (recording) => {
    await shownToPage.show({ of: 'card' });
    const request = { check: 'video_verify', challenge: said };
    const { visited, asked } = await begun(stack(), browser, request, { ...phone, recording });
    await photographsCard(visited.page, shownToPage);
    await saysDigits(visited.page, '528806');
    await failsFor(stack(), visited, asked, 'wrong_digits');
  });
});

describe('a screen before the camera', () => {
  it('fails, without a word why', async () => {
    await shownToPage.show({ of: 'screen' });
    const { visited, asked } = await begun(stack(), browser, { check: 'spoof_detect' });
    await failsFor(stack(), visited, asked, 'presentation_attack_suspected');
  });
});

describe('a person who is asked twice for another capture', () => {
  it('is told why and how often it may be tried, and passes at the third', async () => {
    await shownToPage.show({ of: 'portrait', wrong: 'dark' });
    const { visited, asked } = await begun(stack(), browser, { check: 'spoof_detect' });
    const { page } = visited;
    await photographsFace(page);
    expect(await told(visited)).toBe('recapture_title');
    await sees(page, 'reason_too_dark');
    await sees(page, 'recapture_rounds_2');
    await press(page, 'try_again');
    await photographsFace(page);
    await shownToPage.show({ of: 'portrait' });
    await sees(page, 'recapture_rounds_1');
    await press(page, 'try_again');
    await passes(stack(), visited, asked);
    expect((await stack().client.read(asked.sourceId)).round).toBe(3);
  });
});

describe('a capture', () => {
  const bounds = { spoof_detect: 6, photo_verify: 7, video_verify: 8 } as const;

  it.each(Object.entries(bounds))('asks little of the API: %s in %i requests', async (check, most) => {
    await shownToPage.show({ of: check === 'spoof_detect' ? 'portrait' : 'card' });
    const request = { check, ...(check === 'video_verify' && { challenge: said }) };
    const { visited, asked } = await begun(stack(), browser, request);
    if (check !== 'spoof_detect') await photographsCard(visited.page, shownToPage);
    if (check === 'video_verify') await saysDigits(visited.page);
    await passes(stack(), visited, asked);
    const lines = visited.apiRequests();
    console.log(`${check}: ${lines.length} requests to the API\n${lines.map((line) => `  ${line}`).join('\n')}`);
    expect(lines.length).toBeLessThanOrEqual(most);
  });
});
