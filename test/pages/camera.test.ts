/** A camera that cannot be used, or stops: each trouble has its own words and a way on. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { type Camera, camera } from './feeds.ts';
import { begun, ended, opened, passes } from './journey.ts';
import { button, press, sees, shown, type Text } from './person.ts';
import { cameraIsOn } from './speech.ts';
import { stackOfThisFile } from './stack.ts';
import { phone } from './visit.ts';

const stack = stackOfThisFile();
let shownToPage: Camera;
let browser: Browser;
beforeAll(async () => {
  shownToPage = await camera({ of: 'portrait' });
  browser = await openBrowser({ video: shownToPage.video });
});
afterAll(() => browser?.close());

let other: Browser | undefined;
afterEach(async () => {
  await other?.close();
  other = undefined;
});

/** A way on: another try, a file, another device. */
async function hasAWayOn(page: Page): Promise<boolean> {
  const ways: Text[] = ['retry', 'by_file', 'on_phone', 'open_elsewhere'];
  for (const way of ways) if (await button(page, way).isVisible()) return true;
  return (await page.locator('input[type=file]').count()) > 0;
}

describe('a browser', () => {
  it.each([
    ['whose person says no', { permission: 'denied' }, 'denied'],
    ['without a camera', { cameras: 0 }, 'not_found'],
  ] as const)('%s', async (_, options, trouble) => {
    other = await openBrowser(options);
    const { visited, asked } = await begun(stack(), other);
    expect(await sees(visited.page, trouble)).toBe(trouble);
    expect(await hasAWayOn(visited.page)).toBe(true);
    await ended(stack(), visited, asked);
  });

  it('with two cameras lets the person choose', async () => {
    other = await openBrowser({ cameras: 2 }); // test pictures: of a file there is one camera
    const { visited, asked } = await begun(stack(), other);
    const choice = visited.page.getByRole('combobox', { name: shown('camera') });
    await choice.waitFor();
    const values = await choice
      .locator('option')
      .evaluateAll((all) => all.map((each) => (each as HTMLOptionElement).value));
    expect(values).toHaveLength(2);
    const before = await choice.inputValue();
    await choice.selectOption(values.find((value) => value !== before) ?? '');
    await expect.poll(() => choice.inputValue()).not.toBe(before);
    await expect.poll(() => cameraIsOn(visited.page)).toBe(true);
    await ended(stack(), visited, asked);
  });

  it.each([
    ['NotReadableError', 'Could not start video source', 'busy'],
    ['OverconstrainedError', '', 'overconstrained'],
    ['NotAllowedError', 'Permission dismissed', 'dismissed'],
    ['NotAllowedError', 'Permission denied by system', 'denied_by_system'],
  ] as const)('that answers %s (%s) is understood, and tried again', async (name, message, trouble) => {
    const { visited, asked } = await opened(stack(), browser);
    const { page } = visited;
    await page.evaluate(
      ([name, message]) => {
        const media = navigator.mediaDevices;
        const real = media.getUserMedia;
        media.getUserMedia = async () => {
          media.getUserMedia = real; // once
          throw new DOMException(message, name);
        };
      },
      [name, message] as const,
    );
    await press(page, 'begin');
    expect(await sees(page, trouble)).toBe(trouble);
    await press(page, 'retry');
    await passes(stack(), visited, asked);
  });

  it('that never gets an answer says so, and goes on when it comes', async () => {
    const { visited, asked } = await opened(stack(), browser);
    const { page } = visited;
    await page.evaluate(() => {
      const media = navigator.mediaDevices;
      const real = media.getUserMedia.bind(media);
      media.getUserMedia = async (constraints) => {
        await new Promise((answered) => document.addEventListener('answered', answered, { once: true }));
        return real(constraints);
      };
    });
    await press(page, 'begin');
    expect(await sees(page, 'unanswered_text')).toBe('unanswered_text');
    const ofGuidance = () => visited.requests().filter((line) => line.includes('/assets/guidance-')).length;
    expect(ofGuidance()).toBe(0); // its megabytes wait for the preview
    await page.evaluate(() => document.dispatchEvent(new Event('answered')));
    await expect.poll(ofGuidance).toBeGreaterThan(0);
    await passes(stack(), visited, asked);
  });

  it('that is part of another app says how to leave it', async () => {
    const userAgent =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile [FBAN/FBIOS;FBAV/500]';
    other = await openBrowser({ permission: 'denied' });
    const { visited, asked } = await begun(stack(), other, {}, { ...phone, userAgent });
    expect(await sees(visited.page, 'in_app_browser')).toBe('in_app_browser');
    await ended(stack(), visited, asked);
  });
});

describe('a page', () => {
  it('that is not secure says so', async () => {
    const { visited, asked } = await opened(stack(), browser);
    const { page } = visited;
    await page.goto('about:blank');
    await page.goto(asked.link.replace('127.0.0.1', 'insecure.example'));
    await press(page, 'begin');
    expect(await sees(page, 'insecure')).toBe('insecure');
    await ended(stack(), visited, asked, /Cross-Origin-Opener-Policy/); // which means nothing there
  });

  it('that is hidden switches the camera off, says so, and begins the step again', async () => {
    await shownToPage.show({ of: 'portrait', wrong: 'dark' });
    const { visited, asked } = await begun(stack(), browser);
    const { page } = visited;
    await sees(page, 'selfie_title');
    await expect.poll(() => cameraIsOn(page)).toBe(true);
    await setHidden(page, true);
    expect(await sees(page, 'interrupted_hidden')).toBe('interrupted_hidden');
    expect(await cameraIsOn(page)).toBe(false);
    await shownToPage.show({ of: 'portrait' });
    await setHidden(page, false);
    await press(page, 'go_on');
    await passes(stack(), visited, asked);
  });

  it('whose camera is unplugged says so, and begins the step again', async () => {
    await shownToPage.show({ of: 'portrait', wrong: 'dark' });
    const { visited, asked } = await opened(stack(), browser);
    const { page } = visited;
    await page.evaluate(() => {
      const media = navigator.mediaDevices;
      const real = media.getUserMedia.bind(media);
      media.getUserMedia = async (constraints) => {
        media.getUserMedia = real;
        const stream = await real(constraints);
        document.addEventListener('unplugged', () => {
          for (const track of stream.getTracks()) {
            track.stop();
            track.dispatchEvent(new Event('ended'));
          }
        });
        return stream;
      };
    });
    await press(page, 'begin');
    await sees(page, 'selfie_title');
    await shownToPage.show({ of: 'portrait' });
    await page.evaluate(() => document.dispatchEvent(new Event('unplugged')));
    expect(await sees(page, 'interrupted_ended')).toBe('interrupted_ended');
    await press(page, 'go_on');
    await passes(stack(), visited, asked);
  });

  it('that is turned begins the step again', async () => {
    await shownToPage.show({ of: 'portrait', wrong: 'dark' });
    const { visited, asked } = await begun(stack(), browser);
    const { page } = visited;
    await sees(page, 'selfie_title');
    await shownToPage.show({ of: 'portrait' });
    await page.setViewportSize({ width: 844, height: 390 });
    expect(await sees(page, 'interrupted_rotated')).toBe('interrupted_rotated');
    await page.setViewportSize(phone.viewport);
    await press(page, 'go_on');
    await passes(stack(), visited, asked);
  });

  it('keeps the camera off wherever it is not needed', async () => {
    await shownToPage.show({ of: 'portrait' });
    const { visited, asked } = await opened(stack(), browser);
    const { page } = visited;
    await button(page, 'begin').waitFor();
    expect(await cameraIsOn(page)).toBe(false);
    await press(page, 'begin');
    await sees(page, 'passed_title');
    expect(await cameraIsOn(page)).toBe(false);
    await passes(stack(), visited, asked);
  });
});

/** A tab that another one covers: headless browsers have no window to cover. */
async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'visibilityState', { value: hidden ? 'hidden' : 'visible', configurable: true });
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}
