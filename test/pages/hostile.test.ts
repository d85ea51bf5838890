/** Texts that want to be scripts: each is text, and a script that got in all the same does not run. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { camera } from './feeds.ts';
import { ended, told } from './journey.ts';
import { press, sees } from './person.ts';
import { type OtherTenant, stackOfThisFile } from './stack.ts';
import { visit } from './visit.ts';

const stack = stackOfThisFile();
let browser: Browser;
let shop: OtherTenant;
const script = '"><script>window.ran=1</script><img src=x onerror="window.ran=1">';
beforeAll(async () => {
  const { video } = await camera({ of: 'portrait' });
  browser = await openBrowser({ video });
  shop = await stack().tenantWith({
    name: `A${script}`.slice(0, 60),
    returnOrigins: ['https://shop.example'],
    colours: { accent: '#006644', accentText: '#ffffff' },
  });
});
afterAll(() => browser?.close());

const ran = (page: Page): Promise<boolean> => page.evaluate(() => 'ran' in window);

describe('a hostile text', () => {
  it('in the name, the metadata and the return_url of a tenant is text', async () => {
    const return_url = `https://shop.example/done?next=${script.replaceAll(' ', '/')}`; // an address holds no spaces
    const asked = await shop.ask({ metadata: { name: script, [script.slice(0, 40)]: 'x' }, return_url });
    const visited = await visit(browser);
    const { page } = visited;
    await page.route('https://shop.example/**', (route) => route.fulfill({ status: 200, body: 'back at the shop' }));
    await page.goto(asked.link);
    await press(page, 'begin');
    expect(await told(visited)).toBe('passed_title');
    expect(await ran(page)).toBe(false);
    const back = page.getByRole('link').or(page.getByRole('button')).first();
    await back.click();
    await page.waitForURL('https://shop.example/**');
    expect(page.url()).toBe(new URL(return_url).href); // nothing added
    await ended({ ...stack(), apiKey: shop.apiKey }, visited, asked);
  });

  it.each([
    ['a script', `javascript:window.ran=1//https://shop.example`],
    ['a host that is not listed', 'https://shop.example.evil.example/'],
    ['a listed host as its user name', 'https://shop.example@evil.example/'],
    ['another scheme', 'http://shop.example/'],
    ['data', 'data:text/html,<script>window.ran=1</script>'],
  ])('as return_url is refused where it is %s', async (_, return_url) => {
    const refused = await shop.client.problem('POST', '/verifications', {
      source_id: 'refused',
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
      return_url,
    });
    expect(refused).toMatchObject({ status: 422, errors: [{ field: '/return_url' }] });
  });

  it.each([
    [
      'the path',
      (link: string) =>
        link.replace(/\/capture\/[^#]*/, `/capture/${encodeURIComponent(script)}/${encodeURIComponent(script)}`),
    ],
    ['the fragment', (link: string) => link.replace(/#.*/, `#${script}`)],
    ['a hand-off code', (link: string) => link.replace(/#.*/, `#h_${script}`)],
    ['the query', (link: string) => link.replace('#', `?${script}#`)],
  ])('in %s is text', async (_, hostile) => {
    const asked = await shop.ask();
    const visited = await visit(browser);
    await visited.page.goto(hostile(asked.link));
    await sees(visited.page, 'closed_title', 'claim_title', 'intro_title');
    expect(await ran(visited.page)).toBe(false);
    await visited.end({ expectedErrors: /status of 4\d\d/ });
  });
});

describe('a script that got into a page', () => {
  it.each([
    ['in its HTML', '<script>window.ran=1</script>'],
    ['as a handler', '<img src="x:" onerror="window.ran=1"><svg onload="window.ran=1"></svg>'],
    ['as an address', '<iframe src="javascript:parent.ran=1"></iframe>'],
    ['from elsewhere', '<script src="data:text/javascript,window.ran=1"></script>'],
    ['with another base', '<base href="https://evil.example/"><script src="ran.js"></script>'],
  ])('does not run: %s', async (_, injected) => {
    const { link } = await shop.ask();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('**/capture/**', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace('<body>', `<body>${injected}`) });
    });
    await page.goto(link);
    await sees(page, 'intro_title');
    expect(await ran(page)).toBe(false);
    await context.close();
  });

  it('is not made of a text by a page’s own code either', async () => {
    const { link } = await shop.ask();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(link);
    await sees(page, 'intro_title');
    const thrown = await page.evaluate(() => {
      try {
        document.body.insertAdjacentHTML('beforeend', '<img src="x:" onerror="window.ran=1">');
        return 'taken';
      } catch (error) {
        return String(error);
      }
    });
    expect(thrown).toContain('TrustedHTML');
    expect(await ran(page)).toBe(false);
    await context.close();
  });
});
