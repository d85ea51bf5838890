import type { Browser } from 'playwright-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { commandLineOf, forbiddenFlags, openBrowser } from './browser.ts';

let browser: Browser | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await browser?.close();
  browser = undefined;
});

const namesOf = (commandLine: readonly string[]) => commandLine.map((flag) => flag.split('=')[0]);

describe('the browser of the tests', () => {
  it('runs with none of the flags that turn off the security of the web', async () => {
    browser = await openBrowser();
    const flags = namesOf(await commandLineOf(browser));
    expect(flags).toContain('--use-fake-device-for-media-stream');
    for (const forbidden of forbiddenFlags) expect(flags).not.toContain(forbidden);
  });

  it.each(forbiddenFlags)('is not opened with %s', async (flag) => {
    await expect(openBrowser({ flags: [flag] })).rejects.toThrow('turns off what is tested');
  });

  it('fails where it is missing', async () => {
    vi.resetModules();
    vi.stubEnv('CHROMIUM_PATH', '/nowhere/chromium');
    const { openBrowser: opening } = await import('./browser.ts');
    await expect(opening()).rejects.toThrow('/nowhere/chromium');
  });

  it('is the one that npm installs where none is named', async () => {
    browser = await openBrowser();
    expect(browser.version()).toMatch(/^153\./);
  });
});
