/** A person's visit of a page: what the page did is written down, and held to what no page of ours may do. */
import type { Browser, BrowserContext, BrowserContextOptions, Page, Request } from 'playwright-core';
import { expect } from 'vitest';
import { giveVoice } from './speech.ts';

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Method and address of every request so far. */
  readonly requests: () => readonly string[];
  /** Those that went to the API. */
  readonly apiRequests: () => readonly string[];
  /** Bodies of the API's answers. */
  readonly answers: () => readonly string[];
  /**
   * Ends the visit. The page broke no policy, wrote no error, and `secrets` are in no request line, referrer, log,
   * storage, cookie that a script reads, or title; nor in `elsewhere`, as what the server wrote.
   */
  readonly end: (options?: Ending) => Promise<void>;
}

interface Ending {
  readonly secrets?: readonly string[];
  readonly elsewhere?: readonly string[];
  /** Console errors that the test provoked: Chromium writes one for every answer of 4xx and 5xx. */
  readonly expectedErrors?: RegExp;
}

export interface VisitOptions extends BrowserContextOptions {
  /** Of the recorder; the first that the page asks for and the browser has, by default. */
  readonly recording?: 'mp4' | 'webm';
}

/** As a phone held upright. */
export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

export async function visit(browser: Browser, options: VisitOptions = phone): Promise<Visit> {
  const { recording, ...ofContext } = options;
  const context = await browser.newContext({ locale: 'en-GB', ...ofContext });
  context.setDefaultTimeout(150_000); // a busy machine is no failure
  const violations: string[] = [];
  const written: string[] = [];
  const errors: string[] = [];
  const requests: Request[] = [];
  const answers: string[] = [];
  await context.exposeBinding('bonafideTestViolation', (_, text: string) => violations.push(text));
  await context.addInitScript(() => {
    const told = window as unknown as { bonafideTestViolation(text: string): void };
    document.addEventListener('securitypolicyviolation', (violation) =>
      told.bonafideTestViolation(
        `${violation.effectiveDirective} ${violation.blockedURI} ${violation.sourceFile}:${violation.lineNumber} ${violation.sample}`,
      ),
    );
  });
  if (recording) await context.addInitScript(refuseOtherThan, recording);
  await giveVoice(context);

  const page = await context.newPage();
  context.on('request', (request) => requests.push(request));
  context.on('response', async (response) => {
    if (!isApi(response.request())) return;
    answers.push(await response.text().catch(() => '')); // the page went on before it was read
  });
  context.on('console', (message) => {
    written.push(message.text());
    if (message.type() === 'error') errors.push(message.text());
  });
  context.on('weberror', (error) => errors.push(String(error.error())));

  return {
    context,
    page,
    requests: () => requests.map(lineOf),
    apiRequests: () => requests.filter(isApi).map(lineOf),
    answers: () => answers,
    end: async ({ secrets = [], elsewhere = [], expectedErrors } = {}) => {
      const kept = await Promise.all(context.pages().map(keptIn));
      // Not `allHeaders()`: of a request that was given up it never answers.
      const referrers = requests.map((request) => request.headers().referer ?? '');
      await context.close();
      expect(violations).toEqual([]);
      expect(errors.filter((text) => !expectedErrors?.test(text))).toEqual([]);
      const places = { lines: requests.map(lineOf), written, kept, referrers, elsewhere };
      for (const [place, texts] of Object.entries(places)) {
        for (const secret of secrets)
          expect(
            texts.filter((text) => text.includes(secret)),
            place,
          ).toEqual([]);
      }
    },
  };
}

/** As the server reads it: a fragment is never sent. */
const lineOf = (request: Request) => `${request.method()} ${request.url().split('#')[0]}`;

function isApi(request: Request): boolean {
  const { pathname } = new URL(request.url());
  return /^\/(verifications|console\/)/.test(pathname) && ['fetch', 'xhr'].includes(request.resourceType());
}

/** All that a page keeps where others may read it later; `history.state` alone may keep a token, for a reload. */
const keptIn = (page: Page): Promise<string> =>
  page
    .evaluate(async () => {
      const names = await caches?.keys().catch(() => []);
      const databases = await indexedDB.databases().catch(() => []);
      return JSON.stringify([
        { ...localStorage },
        { ...sessionStorage },
        document.cookie,
        document.title,
        document.referrer,
        location.href,
        window.name,
        names,
        databases,
      ]);
    })
    .catch(() => '');

/** A browser that records one container alone, as Firefox does WebM. */
function refuseOtherThan(container: 'mp4' | 'webm'): void {
  const supported = MediaRecorder.isTypeSupported.bind(MediaRecorder);
  MediaRecorder.isTypeSupported = (type) => type.startsWith(`video/${container}`) && supported(type);
}
