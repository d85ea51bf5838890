/** The whole way without a mouse and without eyes: by keyboard, by what the live region says, with motion reduced. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { en } from '../../web/capture/texts/en.ts';
import { openBrowser } from './browser.ts';
import { type Camera, camera } from './feeds.ts';
import { opened, passes } from './journey.ts';
import { axeFaults, boxFaults } from './looks.ts';
import { button, sees, shown, type Text } from './person.ts';
import { said, sayWhenAsked } from './speech.ts';
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

/** The text of what has the focus, inside of shadow roots too. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return (element?.textContent ?? '').trim();
  });

/** Tabs from where the focus is until it is on this button, and presses Enter. */
async function pressesByKeyboard(page: Page, text: Text): Promise<void> {
  await button(page, text).waitFor();
  for (let tabs = 0; !shown(text).test(await focused(page)); tabs += 1) {
    if (tabs === 12) throw new Error(`the focus never came to “${en[text]}”`);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
}

/** What the live region says from now on, each text once it changes. */
async function listensTo(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const region = document.querySelector('bonafide-capture')?.shadowRoot?.querySelector('[role=status]');
    if (!region) throw new Error('there is no live region');
    const heard: string[] = [];
    const hear = () => {
      const text = (region.textContent ?? '').trim();
      if (text && text !== heard.at(-1)) heard.push(text);
    };
    new MutationObserver(hear).observe(region, { childList: true, characterData: true, subtree: true });
    Object.assign(window, { heard });
  });
  return () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
}

/** Without what depends on frames and bytes: hints, and how much is sent. */
const isOfCourse = (text: string) =>
  !Object.entries(en).some(([key, hint]) => key.startsWith('guide_') && hint === text) &&
  !shown('uploading_percent').test(text);

describe('the whole way by keyboard', () => {
  it('of photos: the focus is on the heading of each step, and the live region says what there is to do', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await opened(stack(), browser, { check: 'photo_verify' });
    const { page } = visited;
    await button(page, 'begin').waitFor();
    const heard = await listensTo(page);
    await pressesByKeyboard(page, 'begin');
    await sees(page, 'id_card_title');
    await expect.poll(() => focused(page)).toBe(en.id_card_title);
    await pressesByKeyboard(page, 'take');
    await sees(page, 'review_title_id_card');
    await expect.poll(() => focused(page)).toBe(en.review_title_id_card);
    await shownToPage.show();
    await pressesByKeyboard(page, 'keep');
    await sees(page, 'passed_title');
    await expect.poll(() => focused(page)).toBe(en.passed_title);
    expect((await heard()).filter(isOfCourse)).toEqual([
      en.starting_text,
      en.id_card_text,
      en.review_text_id_card,
      en.uploading_text,
      en.starting_text,
      en.selfie_text,
      `${en.taken} ${en.uploading_text}`,
      en.waiting_text,
      en.passed_text,
    ]);
    await passes(stack(), visited, asked);
  });

  it('of a video: the live region says each digit when it is shown', async () => {
    await shownToPage.show({ of: 'card' });
    const { visited, asked } = await opened(stack(), browser, { check: 'video_verify', challenge: said });
    const { page } = visited;
    await button(page, 'begin').waitFor();
    const heard = await listensTo(page);
    await pressesByKeyboard(page, 'begin');
    await pressesByKeyboard(page, 'take');
    await sees(page, 'review_title_id_card');
    await shownToPage.show();
    await pressesByKeyboard(page, 'keep');
    await sees(page, 'video_title');
    await sayWhenAsked(page);
    await pressesByKeyboard(page, 'ready');
    await sees(page, 'passed_title');
    expect((await heard()).filter(isOfCourse)).toEqual([
      en.starting_text,
      en.id_card_text,
      en.review_text_id_card,
      en.uploading_text,
      en.starting_text_video,
      en.video_text,
      en.recording_title,
      ...said,
      en.recording_over,
      en.uploading_text,
      en.waiting_text,
      en.passed_text,
    ]);
    await passes(stack(), visited, asked);
  });
});

describe('a person who wants less motion', () => {
  it('sees nothing that moves by more than a slow turn', async () => {
    await shownToPage.show({ of: 'portrait' });
    const { visited, asked } = await opened(stack(), browser, {}, { ...phone, reducedMotion: 'reduce' });
    const { page } = visited;
    const fastest = new Set<number>();
    await button(page, 'begin').waitFor();
    const watching = setInterval(async () => {
      for (const duration of await durations(page).catch(() => [])) fastest.add(duration);
    }, 100);
    await button(page, 'begin').click();
    await sees(page, 'passed_title');
    clearInterval(watching);
    for (const duration of fastest) expect(duration).toBeGreaterThanOrEqual(4000);
    await passes(stack(), visited, asked);
  });
});

/** Milliseconds that each running animation takes for a turn. */
const durations = (page: Page): Promise<number[]> =>
  page.evaluate(() => {
    const roots = [document, document.querySelector('bonafide-capture')?.shadowRoot ?? document];
    return roots.flatMap((root) =>
      root.getAnimations().map((animation) => Number(animation.effect?.getComputedTiming().duration ?? 0)),
    );
  });

describe('the hosted page itself', () => {
  it.each(['en', 'ar'])('has no fault, from its first step to its last: %s', async (locale) => {
    await shownToPage.show({ of: 'portrait' });
    const { visited, asked } = await opened(stack(), browser, {}, { ...phone, locale });
    const { page } = visited;
    const begin = page.locator('bonafide-capture button.primary').first();
    await begin.waitFor();
    expect(await page.locator('html').getAttribute('dir')).toBe(locale === 'ar' ? 'rtl' : 'ltr');
    expect([...(await axeFaults(page)), ...(await boxFaults(page))]).toEqual([]);
    await begin.click();
    await expect.poll(() => page.evaluate(() => document.querySelector('bonafide-capture')?.state)).toBe('done');
    expect([...(await axeFaults(page)), ...(await boxFaults(page))]).toEqual([]);
    await visited.end({ secrets: [asked.clientToken] });
  });
});
