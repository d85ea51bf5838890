import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { cheapTransforms } from '../../tools/evaluate/transforms.ts';
import { portrait } from '../../tools/samples.ts';
import { decode, shippedEngine } from '../engine/engine.ts';
import { openBrowser } from './browser.ts';
import { feed, type Wrong, wrongs } from './feeds.ts';
import { type GuidancePage, policy, serveGuidance } from './guidance-page.ts';

let page: GuidancePage;
let engine: Engine;
let browser: Browser;
beforeAll(async () => {
  [page, engine, browser] = await Promise.all([serveGuidance(), shippedEngine(), openBrowser()]);
  page.lay('/portrait.jpg', await portrait());
});
afterEach(() => page.change({}));
afterAll(async () => {
  await browser?.close();
  await page?.close();
});

async function visit(context: Browser | BrowserContext, url = `${page.origin}/page.html`): Promise<Page> {
  const tab = await context.newPage();
  await tab.goto(url);
  await tab.waitForFunction(() => 'guidance' in window);
  return tab;
}

const violationsIn = (tab: Page) => tab.evaluate(() => window.guidance.violations);
const opened = (tab: Page, options: Parameters<typeof window.guidance.open>[0] = {}) =>
  tab.evaluate((given) => window.guidance.open(given), options);

/** What the backend says of the JPEG that the page would upload. */
async function decided(jpeg: string | undefined): Promise<string> {
  if (jpeg === undefined) throw new Error('there is no picture');
  const { finding } = await engine.analyseSelfie(Buffer.from(jpeg, 'base64'), {});
  return finding.outcome === 'recapture' ? (finding.reasons[0] ?? 'no reason') : 'good';
}

describe('Live guidance', () => {
  it('runs under the policy of the page, measures as the backend does, and asks for each part once', async () => {
    const from = page.asked.length;
    const tab = await visit(browser);
    expect(await opened(tab)).toBe(true);
    const { judgement, jpeg } = await tab.evaluate(() => window.guidance.look('/portrait.jpg', { jpeg: true }));
    const { measurements } = await engine.analyseSelfie(Buffer.from(jpeg ?? '', 'base64'), {});
    expect(judgement).toMatchObject({ reasons: [], unclear: false });
    for (const name of ['face_width_ratio', 'face_turn_ratio', 'sharpness_ratio', 'face_margin_ratio'])
      expect(judgement?.measurements[name], name).toBeCloseTo(measurements[name] ?? Number.NaN, 1);
    expect(await violationsIn(tab)).toEqual([]);
    expect(page.asked.slice(from).toSorted()).toEqual([
      '/assets/fr_detect.onnx',
      '/assets/fr_landmark.onnx',
      '/assets/ort.wasm',
      '/assets/page.js',
      '/assets/worker.js',
      '/page.html',
      '/portrait.jpg',
    ]);
    await tab.close();
  });

  it.each([
    ['colour noise 16', 'good'],
    ['luma noise 30', 'too_noisy'],
  ])('measures noise as the JPEG keeps it: %s is %s', async (name, expected) => {
    const whole = await decode(await portrait());
    if (whole.kind !== 'decoded') throw new Error('the portrait must decode');
    page.lay('/noisy.jpg', (await cheapTransforms[name]?.(whole.capture.image).toBuffer()) ?? Buffer.alloc(0));
    const tab = await visit(browser);
    expect(await opened(tab)).toBe(true);
    const { judgement, jpeg } = await tab.evaluate(() => window.guidance.look('/noisy.jpg', { jpeg: true }));
    expect(judgement?.reasons[0] ?? 'good').toBe(expected);
    expect(await decided(jpeg)).toBe(expected);
    await tab.close();
  });

  it("takes the policy's smallest face", async () => {
    const tab = await visit(browser);
    expect(await opened(tab, { minimumFacePx: 400 })).toBe(true);
    const { judgement } = await tab.evaluate(() => window.guidance.look('/portrait.jpg'));
    expect(judgement?.reasons).toEqual(['face_too_small']);
    await tab.close();
  });

  it('ends with its signal: no worker is left, and a look answers nothing', async () => {
    const tab = await visit(browser);
    expect(await opened(tab, { abortAfter: 30_000 })).toBe(true);
    expect(tab.workers()).toHaveLength(1);
    await tab.evaluate(() => window.guidance.close());
    await expect.poll(() => tab.workers().length).toBe(0);
    expect((await tab.evaluate(() => window.guidance.look('/portrait.jpg'))).judgement).toBeUndefined();
    await tab.close();
  });
});

describe('Without guidance one captures by hand:', () => {
  /** Nothing opens, nothing is thrown, and no worker is left. */
  async function expectNone(tab: Page, options: Parameters<typeof opened>[1] = {}) {
    const errors: Error[] = [];
    tab.on('pageerror', (error) => errors.push(error));
    expect(await opened(tab, options)).toBe(false);
    await expect.poll(() => tab.workers().length).toBe(0);
    expect(errors).toEqual([]);
    await tab.close();
  }

  it.each([
    ['406 for the runtime', { 'ort.wasm': 406 }],
    ['404 for the detector', { 'fr_detect.onnx': 404 }],
    ['500 for the worker', { 'worker.js': 500 }],
  ] as const)('%s', async (_, refused) => {
    const tab = await visit(browser);
    page.change({ refused });
    await expectNone(tab);
  });

  it('an asset that never comes', async () => {
    const tab = await visit(browser);
    page.change({ refused: { 'fr_landmark.onnx': 'never' } });
    await expectNone(tab, { timeoutSeconds: 1 });
  });

  it('the person went on meanwhile', async () => {
    const tab = await visit(browser);
    page.change({ refused: { 'ort.wasm': 'never' } });
    await expectNone(tab, { abortAfter: 200 });
  });

  it.each([
    ['no wasm', policy.replace(" 'wasm-unsafe-eval'", '')],
    ['no worker', policy.replace("worker-src 'self'", "worker-src 'none'")],
    ['no policy for trusted types', policy.replace('trusted-types bonafide', 'trusted-types other')],
    ['no connection', policy.replace("connect-src 'self'", "connect-src 'none'")],
  ])('a policy that allows %s', async (_, strict) => {
    page.change({ policy: strict });
    await expectNone(await visit(browser));
  });

  it('data is to be saved, and nothing is fetched', async () => {
    const context = await browser.newContext();
    await context.addInitScript("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })");
    const tab = await visit(context);
    const from = page.asked.length;
    await expectNone(tab);
    expect(page.asked.slice(from)).toEqual([]);
    await context.close();
  });

  it.each(['OffscreenCanvas', 'Worker', 'WebAssembly', 'createImageBitmap'])('a browser without %s', async (name) => {
    const context = await browser.newContext();
    await context.addInitScript(`delete globalThis.${name}`);
    const tab = await visit(context);
    const from = page.asked.length;
    await expectNone(tab);
    expect(page.asked.slice(from)).toEqual([]);
    await context.close();
  });
});

describe("On another origin's page", () => {
  let other: GuidancePage;
  beforeAll(async () => {
    other = await serveGuidance();
  });
  afterAll(() => other?.close());
  const embedding = (workers: string) =>
    policy
      .replace("script-src 'self'", `script-src 'self' ${page.origin}`)
      .replace("connect-src 'self'", `connect-src 'self' ${page.origin}`)
      .replace("worker-src 'self'", `worker-src ${workers}`);

  it("guidance runs where that page's policy lets a worker be made of a blob", async () => {
    other.change({ policy: embedding(`blob: ${page.origin}`) });
    other.lay('/portrait.jpg', await portrait());
    const tab = await visit(browser, `${other.origin}/page.html`);
    expect(await opened(tab, { base: page.origin })).toBe(true);
    expect((await tab.evaluate(() => window.guidance.look('/portrait.jpg'))).judgement?.reasons).toEqual([]);
    expect(await violationsIn(tab)).toEqual([]);
    await tab.close();
  });

  it('one captures by hand where it does not', async () => {
    other.change({ policy: embedding("'self'") });
    const tab = await visit(browser, `${other.origin}/page.html`);
    expect(await opened(tab, { base: page.origin })).toBe(false);
    await tab.close();
  });
});

describe('The hint names what the backend decides', () => {
  async function watched(video: string, mostLooks: number) {
    const seeing = await openBrowser({ video });
    try {
      const tab = await visit(await seeing.newContext({ permissions: ['camera'] }));
      expect(await opened(tab)).toBe(true);
      const seen = await tab.evaluate((most) => window.guidance.watch(most), mostLooks);
      expect(await violationsIn(tab)).toEqual([]);
      return seen;
    } finally {
      await seeing.close();
    }
  }

  it.each(Object.entries(wrongs) as [Wrong, string][])('of a feed that is %s: %s', async (wrong, reason) => {
    const { hints, takenAt, lastJpeg, lastReason } = await watched(await feed({ wrong }), 15);
    expect(takenAt).toBeUndefined();
    expect(hints.map(({ hint }) => hint)).toContain(reason);
    expect(lastReason).toBe(await decided(lastJpeg));
  });

  // Of six of the stranger's sixty frames the model that compares faces decides, which a page lacks.
  it.each(['pair', 'portrait'] as const)('takes the picture of a good feed itself: %s', async (of) => {
    const { hints, takenAt, lastJpeg } = await watched(await feed({ of }), 300);
    expect(takenAt).toBeGreaterThan(0);
    expect(hints.map(({ hint }) => hint)).toContain('good');
    expect(await decided(lastJpeg)).toBe('good');
  });

  it('takes it once a feed has become good, and not before', async () => {
    const { hints, takenAt, lastJpeg } = await watched(await feed({ wrong: 'far', wrongSeconds: 3 }), 300);
    expect(hints.map(({ hint }) => hint)).toEqual(['face_too_small', 'good']);
    expect(takenAt).toBeGreaterThan(2000);
    expect(await decided(lastJpeg)).toBe('good');
  });
});
