/** The pages in Firefox (Debian's `firefox-esr`, or the one at `FIREFOX_PATH`): camera errors, recorder, upload, keyboard, the console's cookie. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import puppeteer, { type Browser, type ElementHandle, type Page } from 'puppeteer-core';
import { afterEach, describe, expect, it } from 'vitest';
import { portrait } from '../../../tools/samples.ts';
import { en } from '../../../web/capture/texts/en.ts';
import { english } from '../../../web/console/words.ts';
import { versionsOf } from '../../client/versions.ts';
import { openLine } from '../line.ts';
import { shown, type Text } from '../person.ts';
import { stackOfThisFile } from '../stack.ts';

const stack = stackOfThisFile();
let browser: Browser | undefined;
afterEach(async () => {
  await browser?.close();
  browser = undefined;
});

/** Firefox's own camera and microphone of coloured bars and a tone, allowed without a question. */
const madeUp = { 'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true };

/** What is missing fails: a test that is skipped where the browser is missing shows nothing. */
async function open(preferences: Record<string, unknown>): Promise<Page> {
  const executablePath = process.env.FIREFOX_PATH || '/usr/bin/firefox-esr';
  if (!existsSync(executablePath))
    throw new Error(`There is no ${executablePath}: install firefox-esr, or set FIREFOX_PATH`);
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath,
    extraPrefsFirefox: { 'intl.accept_languages': 'en-GB', 'media.autoplay.default': 0, ...preferences },
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(150_000);
  return page;
}

/** What is on the page, inside of shadow roots too. */
const textsOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const texts: string[] = [];
    const look = (root: Document | ShadowRoot) => {
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot) look(element.shadowRoot);
        const isSeen = element instanceof HTMLElement && element.checkVisibility();
        if (isSeen && !element.children.length) texts.push((element.textContent ?? '').trim());
      }
    };
    look(document);
    return texts.filter(Boolean);
  });

/** Waits until one of the texts is seen, and says which. */
async function sees<T extends Text>(page: Page, ...wanted: readonly T[]): Promise<T | undefined> {
  let found: T | undefined;
  await expect
    .poll(
      async () => {
        const texts = await textsOf(page).catch(() => []); // between two documents
        found = wanted.find((text) => texts.some((one) => shown(text).test(one)));
        return found ?? texts.join(' · ');
      },
      { timeout: 150_000, interval: 200 },
    )
    .toSatisfy((text) => wanted.includes(text as T));
  return found;
}

/** Waits for the button of this name, in shadow roots too, and clicks it. */
async function click(page: Page, name: string): Promise<void> {
  for (;;) {
    for (const button of await page.$$('>>> button')) {
      if ((await button.evaluate(({ textContent }) => textContent?.trim())) !== name) continue;
      await button.click();
      return;
    }
    await setTimeout(200);
  }
}
const press = (page: Page, text: Text) => click(page, en[text]);

async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return (element?.textContent ?? '').trim();
  });
}

async function pressByKeyboard(page: Page, text: Text): Promise<void> {
  await sees(page, text);
  for (let tabs = 0; (await focused(page)) !== en[text]; tabs += 1) {
    if (tabs === 12) throw new Error(`the focus never came to “${en[text]}”`);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
}

const reasonsOf = async (sourceId: string) => (await stack().client.verdict(sourceId)).verdict?.reasons;

describe('in Firefox', () => {
  it('a camera that is denied is told, and a chosen photo passes', async () => {
    const { link, sourceId } = await stack().ask();
    const page = await open({
      ...madeUp,
      'media.navigator.permission.disabled': false,
      'permissions.default.camera': 2,
    });
    await page.goto(link);
    await press(page, 'begin');
    await sees(page, 'denied', 'denied_by_system');
    const file = join(stack().dataDirectory, 'chosen.jpg');
    await writeFile(file, await portrait());
    const chosen: ElementHandle | null = await page.waitForSelector('>>> input[type=file]');
    await (chosen as ElementHandle<HTMLInputElement>).uploadFile(file);
    await sees(page, 'review_title_selfie');
    await press(page, 'keep');
    await sees(page, 'passed_title');
    expect((await stack().client.read(sourceId)).verdict?.outcome).toBe('passed');
  });

  it('a machine without a camera is told so', async () => {
    const page = await open({ 'media.navigator.permission.disabled': true });
    await page.goto((await stack().ask()).link);
    await press(page, 'begin');
    await sees(page, 'not_found');
  });

  it('a photo by keyboard alone arrives, and the focus follows', async () => {
    const { link, sourceId } = await stack().ask();
    const page = await open(madeUp);
    await page.goto(link);
    await pressByKeyboard(page, 'begin');
    await sees(page, 'selfie_title');
    await expect.poll(() => focused(page)).toBe(en.selfie_title);
    await pressByKeyboard(page, 'take');
    await sees(page, 'review_title_selfie');
    await pressByKeyboard(page, 'keep');
    await sees(page, 'recapture_title');
    expect(await reasonsOf(sourceId)).toEqual(['face_not_detected']); // coloured bars
  });

  it.each(['that was cut', 'that loses the answer of the bucket'])(
    'a photo is stored once over a line %s',
    async (which) => {
      const line = await openLine();
      const { link, clientToken } = await stack().ask({ check: 'photo_verify' });
      const { hostname, port } = new URL(line.server);
      const page = await open({
        ...madeUp,
        'network.proxy.type': 1,
        'network.proxy.http': hostname,
        'network.proxy.http_port': Number(port),
        'network.proxy.allow_hijacking_localhost': true,
      });
      await page.goto(link);
      await press(page, 'begin');
      await sees(page, 'id_card_title');
      await press(page, 'take');
      await sees(page, 'review_title_id_card');
      if (which === 'that was cut') line.cut();
      else line.loseAnswer('PUT');
      await press(page, 'keep');
      if (which === 'that was cut') {
        await sees(page, 'uploading_title_id_card');
        await setTimeout(3000); // several tries
        await sees(page, 'uploading_title_id_card');
        line.mend();
      }
      await sees(page, 'selfie_title');
      expect(line.lost()).toBe(which === 'that was cut' ? 0 : 1);
      expect(await versionsOf(stack(), clientToken)).toBe(1);
      line.close();
    },
  );

  it('a video of its recorder is stored whole and read', async () => {
    const { link, sourceId } = await stack().ask({ check: 'video_verify' });
    const page = await open(madeUp);
    await page.goto(link);
    await press(page, 'begin');
    await sees(page, 'id_card_title');
    await press(page, 'take');
    await sees(page, 'review_title_id_card');
    await press(page, 'keep');
    await sees(page, 'video_title');
    await press(page, 'ready');
    await sees(page, 'uploading_title_video', 'waiting_title', 'recapture_title');
    await sees(page, 'recapture_title');
    const { verdict } = await stack().client.read(sourceId);
    expect(verdict?.outcome).toBe('recapture');
    for (const unread of ['capture_unreadable', 'format_unsupported', 'audio_missing', 'video_too_short']) {
      expect(verdict?.reasons).not.toContain(unread);
    }
  });

  it('the console’s cookie is taken on 127.0.0.1, and outlives a reload', async () => {
    const [link = ''] = /http:\S+#i_\S+/.exec(await stack().admin('operator', 'invite', 'demo', 'viewer', 'Ada')) ?? [];
    const page = await open({});
    await page.goto(link);
    await click(page, english.signIn.accept);
    const signedIn = () => expect.poll(async () => (await textsOf(page).catch(() => [])).join(' ')).toContain('Ada');
    await signedIn();
    await page.reload();
    await signedIn();
  });
});
