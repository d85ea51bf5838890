/** The console as operators use it, on the local stack: sign-in, lists, one verification, captures, charts, and who may do what. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { english, type Words } from '../../web/console/words.ts';
import { uprightPortrait } from '../engine/captures.ts';
import { newSourceId, put } from '../journeys/client.ts';
import { openBrowser } from './browser.ts';
import { axeFaults, boxFaults, textsOf } from './looks.ts';
import { stackOfThisFile } from './stack.ts';
import { type Visit, type VisitOptions, visit } from './visit.ts';

const desktop = { viewport: { width: 1280, height: 900 } } as const;
const narrow = { viewport: { width: 320, height: 800 } } as const;
/** Chromium writes one for each answer of 4xx: of a page that asks whether there is a session, to begin with. */
const refused = /status of 4\d\d/;

const environment: Record<string, string> = {};
let otherSite: Server;
let hook: Server;
const posted: { readonly type: string; readonly data: { readonly source_id: string } }[] = [];
let browser: Browser;
let portrait: Buffer;
beforeAll(async () => {
  otherSite = await listening((_, response) => response.setHeader('content-type', 'text/html').end('<title>x</title>'));
  hook = await listening(async (request, response) => {
    posted.push(JSON.parse(await text(request)));
    response.writeHead(204).end();
  });
  environment.ALLOWED_ORIGINS = `http://allowed.example:${portOf(otherSite)}`;
  portrait = await (await uprightPortrait()).jpeg().toBuffer();
  browser = await openBrowser();
});
const stack = stackOfThisFile(environment);
afterAll(async () => {
  await browser?.close();
  otherSite?.close();
  hook?.close();
});

async function listening(listener: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** The link that an administrator is given for an operator, and who that is. */
async function invited(...words: readonly string[]): Promise<{ readonly link: string; readonly operator: string }> {
  const printed = await stack().admin('operator', ...words);
  const [link] = /http:\S+#i_\S+/.exec(printed) ?? [];
  const [operator] = /\bo_[0-9a-f]{12}\b/.exec(printed) ?? [];
  if (!link || !operator) throw new Error(printed);
  return { link, operator };
}
const invitation = async (role: 'viewer' | 'reviewer', name = 'Ada') =>
  (await invited('invite', 'demo', role, name)).link;

const codeOf = (link: string) => link.split('#i_')[1] ?? '';
const view = (page: Page, hash: string) => page.goto(`${stack().url}/console#/${hash}`);
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

interface SignedIn {
  readonly operator: string;
  readonly visited: Visit;
  readonly page: Page;
  readonly end: Visit['end'];
}

async function signedIn(role: 'viewer' | 'reviewer' = 'reviewer', options: VisitOptions = desktop): Promise<SignedIn> {
  const { link, operator } = await invited('invite', 'demo', role, 'Ada');
  const visited = await visit(browser, options);
  const { page } = visited;
  await page.goto(link);
  await button(page, english.signIn.accept).click();
  await page.getByRole('heading', { name: english.list.heading, level: 1 }).waitFor();
  const end: Visit['end'] = (ending = {}) =>
    visited.end({
      secrets: [codeOf(link), stack().apiKey],
      elsewhere: [stack().written()],
      expectedErrors: refused,
      ...ending,
    });
  return { operator, visited, page, end };
}

/** A verification that the sandbox decides as its source_id says, with the portrait as its selfie. */
async function verified(directive: string, overrides: Record<string, unknown> = {}): Promise<string> {
  const sourceId = `${newSourceId()}.sandbox-${directive}`;
  const asked = await stack().client.request(sourceId, { provider: 'sandbox', ...overrides });
  await put(asked, portrait);
  await stack().client.verdict(sourceId);
  return sourceId;
}

describe('an invitation', () => {
  it('is opened twice, and works once, by a press', async () => {
    const link = await invitation('viewer');
    for (let times = 0; times < 2; times += 1) expect((await fetch(link)).status).toBe(200);
    const visited = await visit(browser, desktop);
    const { page } = visited;
    await page.goto(link);
    await button(page, english.signIn.accept).waitFor();
    expect(page.url()).toBe(`${stack().url}/console`);
    await button(page, english.signIn.accept).click();
    await page.getByRole('heading', { name: english.list.heading, level: 1 }).waitFor();

    const second = await visit(browser, desktop);
    await second.page.goto(link);
    await button(second.page, english.signIn.accept).click();
    await second.page.getByText(english.signIn.refused).waitFor();
    expect(await button(second.page, english.signIn.accept).count()).toBe(0);
    const secrets = [codeOf(link)];
    await second.end({ secrets, expectedErrors: refused });
    await visited.end({ secrets, elsewhere: [stack().written()], expectedErrors: refused });
  });

  it('is taken in a tab that is open already, which goes on after signing out', async () => {
    const { page, end } = await signedIn('viewer');
    await button(page, english.signOut).click();
    await page.getByText(english.signIn.signedOut).waitFor();
    const link = await invitation('viewer', 'Grace');
    await page.evaluate(
      (hash) => {
        location.hash = hash;
      },
      `#i_${codeOf(link)}`,
    );
    await button(page, english.signIn.accept).click();
    await page.getByText('Grace').waitFor();
    expect(page.url()).not.toContain('i_');
    await end({ secrets: [codeOf(link)] });
  });
});

describe('the list', () => {
  it('shows what its filters ask for, and what comes meanwhile', async () => {
    const failed = await verified('failed');
    const passed = await verified('passed');
    const { page, end } = await signedIn('viewer');
    await page.getByRole('link', { name: failed }).waitFor();
    await page.getByRole('link', { name: english.states.decided, exact: true }).click();
    await page.getByLabel(english.list.outcome, { exact: true }).selectOption('failed');
    await expect.poll(() => page.getByRole('link', { name: passed }).count()).toBe(0);
    await page.getByRole('link', { name: failed }).waitFor();
    expect(page.url()).toContain('outcome=failed');
    const meanwhile = await verified('failed-face_mismatch');
    await page.getByRole('link', { name: meanwhile }).waitFor(); // by the next poll
    await page.getByText(english.reasonText('face_mismatch')).first().waitFor();
    await end();
  });

  it('goes through pages by cursor, and back', async () => {
    for (let count = 0; count < 26; count += 1) await stack().client.request(newSourceId());
    const { page, end } = await signedIn('viewer');
    await view(page, 'verifications?state=awaiting_captures');
    const rows = page.getByRole('table').getByRole('row');
    await expect.poll(() => rows.count()).toBe(26); // and the head
    const first = await rows.nth(1).getByRole('link').innerText();
    await page.getByRole('link', { name: english.list.older }).click();
    await expect.poll(() => page.getByRole('link', { name: first }).count()).toBe(0);
    await page.getByRole('table').waitFor();
    await page.getByRole('link', { name: english.list.newest }).click();
    await page.getByRole('link', { name: first }).waitFor();
    await end();
  });
});

describe('a reviewer', () => {
  it('reviews what was decided, and event and webhook follow', async () => {
    const url = `http://127.0.0.1:${portOf(hook)}/hook`;
    await stack().client.call('POST', '/endpoints', {
      url,
      types: ['verification.decided', 'verification.superseded'],
    });
    const isTold = (type: string) => posted.some((one) => one.type === type && one.data.source_id === sourceId);
    let sourceId = '';
    // A new endpoint is sent what happens within 30 s.
    const another = async () => {
      sourceId = await verified('failed');
      await setTimeout(1000);
      return isTold('verification.decided');
    };
    await expect.poll(another).toBe(true);
    const { page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await page.getByText(english.reasonText('presentation_attack_suspected')).waitFor();
    await button(page, english.review.open).click();
    await button(page, english.review.send).click();
    await page.getByText(english.review.outcomeMissing).waitFor();
    await page.getByRole('radio', { name: english.outcomeNames.passed }).check();
    await page.getByLabel(english.review.reason, { exact: true }).fill('Looked at both pictures.');
    await button(page, english.review.send).click();
    await page.getByRole('heading', { name: english.review.of }).waitFor();
    await page.getByText('Looked at both pictures.').waitFor();
    const { verdict, review, first_verdict } = await stack().client.read(sourceId);
    expect([verdict?.outcome, first_verdict?.outcome]).toEqual(['passed', 'failed']);
    expect(review).toMatchObject({ reason: 'Looked at both pictures.', reviewer: expect.stringMatching(/^Ada \(o_/) });
    await expect.poll(() => isTold('verification.superseded')).toBe(true);
    await end();
  });

  it('who writes while another one decides is told, and decides on what is shown then', async () => {
    const sourceId = await verified('failed');
    const { page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await button(page, english.review.open).click();
    await page.getByRole('radio', { name: english.outcomeNames.failed }).check();
    await page.getByLabel(english.review.reason, { exact: true }).fill('Mine.');
    const { sequence } = await stack().client.read(sourceId);
    const body = { sequence, outcome: 'passed', reason: 'Theirs.', reviewer: 'Grace' };
    expect((await stack().client.call('POST', `/verifications/${sourceId}/review`, body)).status).toBe(200);
    await button(page, english.review.send).click();
    await page.getByText(english.review.conflict).waitFor();
    expect((await stack().client.read(sourceId)).review?.reason).toBe('Theirs.');
    await button(page, english.verification.showNewest).click();
    await page.getByText('Theirs.').waitFor();
    expect(await page.getByLabel(english.review.reason, { exact: true }).inputValue()).toBe('Mine.');
    await button(page, english.review.send).click();
    await page.getByText('Mine.').first().waitFor();
    await expect.poll(async () => (await stack().client.read(sourceId)).review?.reason).toBe('Mine.');
    await end();
  });

  it('retries what errored', async () => {
    const sourceId = await verified('fault');
    const { page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await page.getByText(english.faultText('provider_failed')).first().waitFor();
    const before = (await stack().client.history(sourceId)).length;
    await button(page, english.actions.retry).click();
    await page.getByText(english.actions.retried).waitFor();
    await expect.poll(async () => (await stack().client.history(sourceId)).length).toBeGreaterThan(before);
    await end();
  });

  it('erases after typing the source id, by keyboard alone', async () => {
    const sourceId = await verified('passed');
    const { page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await button(page, english.actions.erase).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('another');
    await page.keyboard.press('Enter');
    await page.getByText(english.actions.eraseMismatch).waitFor();
    expect((await stack().client.read(sourceId)).state).toBe('decided');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(sourceId);
    await page.keyboard.press('Enter');
    await page.getByText(english.actions.erased).waitFor();
    expect((await stack().client.read(sourceId)).state).toBe('erased');
    await expect.poll(() => button(page, english.actions.erase).count()).toBe(0);
    await end();
  });

  it('looks at a capture, and the look was written down before', async () => {
    const sourceId = await verified('fault');
    const { visited, page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await page.getByText(english.captures.noLooks).waitFor();
    expect(await page.getByRole('img', { name: /Selfie/ }).count()).toBe(0);
    await button(page, english.captures.look('Selfie', 1)).click();
    const picture = page.getByRole('img', { name: english.captures.alt('Selfie', 1) });
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    await page.getByRole('cell', { name: /^Ada \(o_/ }).waitFor();
    await button(page, `${english.captures.hide}: ${english.captures.alt('Selfie', 1)}`).click();
    expect(await picture.count()).toBe(0);
    const looks = visited.apiRequests().filter((line) => line.endsWith('/looks'));
    expect(looks.filter((line) => line.startsWith('POST'))).toHaveLength(1);
    await end();
  });
});

describe('a viewer', () => {
  it('sees all of it, no capture and no button of a reviewer, and the API refuses anyway', async () => {
    const sourceId = await verified('fault');
    const { page, end } = await signedIn('viewer');
    await view(page, `verifications/${sourceId}`);
    await page.getByText(english.captures.viewer).waitFor();
    const names = await page.getByRole('button').allInnerTexts();
    expect(names.map((name) => name.trim()).toSorted()).toEqual([english.signOut, english.skip].toSorted());
    const asked = await page.evaluate(async (id) => {
      const at = `/console/verifications/${id}`;
      const json = { 'content-type': 'application/json' };
      const review = { sequence: 1, outcome: 'passed', reason: 'x' };
      const calls: [string, RequestInit][] = [
        [`${at}/looks`, { method: 'POST', headers: json, body: JSON.stringify({ capture: 'selfie' }) }],
        [`${at}/retry`, { method: 'POST' }],
        [`${at}/review`, { method: 'POST', headers: json, body: JSON.stringify(review) }],
        [at, { method: 'DELETE' }],
      ];
      return Promise.all(
        calls.map(async ([address, init]) => {
          const answer = await fetch(address, init);
          return `${answer.status} ${(await answer.json()).code}`;
        }),
      );
    }, sourceId);
    expect(new Set(asked)).toEqual(new Set(['403 operator_forbidden']));
    await page.reload();
    await page.getByText(english.captures.noLooks).waitFor();
    await end();
  });
});

describe('another site', () => {
  it.each(['evil.example', 'allowed.example'])('at %s posts to the console in vain', async (host) => {
    const sourceId = await verified('fault');
    const { visited, page, end } = await signedIn();
    const before = (await stack().client.history(sourceId)).length;
    const other = await visited.context.newPage();
    await other.goto(`http://${host}:${portOf(otherSite)}/`);
    const answers: number[] = [];
    other.on('response', (answer) => answers.push(answer.status()));
    const retry = `${stack().url}/console/verifications/${sourceId}/retry`;
    await other.evaluate(
      (address) => fetch(address, { method: 'POST', credentials: 'include', mode: 'no-cors' }).catch(() => undefined),
      retry,
    );
    expect(answers).toEqual([403]);
    const readable = await other.evaluate(
      (address) =>
        fetch(address, { credentials: 'include' }).then(
          () => true,
          () => false,
        ),
      `${stack().url}/console/session`,
    );
    expect(readable).toBe(false);
    expect(await stack().client.history(sourceId)).toHaveLength(before);
    await other.close();
    await view(page, 'providers');
    await page.getByRole('heading', { name: english.providers.heading }).waitFor();
    await end({ expectedErrors: /status of 4\d\d|CORS|ERR_FAILED/ });
  });
});

describe('outcomes', () => {
  it('are charts whose tables are what the API says, and grow by what is newer alone', async () => {
    for (const directive of ['passed', 'passed', 'failed-wrong_digits', 'recapture-too_dark', 'fault']) {
      await verified(directive);
    }
    const { visited, page, end } = await signedIn('viewer');
    await view(page, 'outcomes');
    await page.getByRole('img', { name: english.outcomes.chart(english.outcomes.byOutcome) }).waitFor();
    const cells = (id: string) =>
      page
        .locator(`#${id} tbody tr`)
        .evaluateAll((rows) =>
          rows.map((row) => [...row.children].map((cell) => (cell.textContent ?? '').replace(/\s+/g, ' ').trim())),
        );
    const shown = async () =>
      Object.fromEntries(
        (await cells('by-outcome')).map(([name = '', count]): [string, number] => [name, Number(count)]),
      );
    const told = () =>
      page.evaluate(async () => {
        const { outcomes } = await (await fetch('/console/outcomes')).json();
        return (outcomes as { outcome: string; reasons: string[]; provider: string; seconds: number | null }[]).map(
          ({ outcome, reasons, provider, seconds }) => ({ outcome, reasons, provider, seconds }),
        );
      });
    await expect
      .poll(async () => Object.values(await shown()).reduce((sum, count) => sum + count, 0))
      .toBe((await told()).length);
    const rows = await told();
    const count = (kind: string) => rows.filter(({ outcome }) => outcome === kind).length;
    expect(await shown()).toEqual({
      Passed: count('passed'),
      Failed: count('failed'),
      Recapture: count('recapture'),
      Errored: count('errored'),
    });
    const reasons = await cells('by-reason');
    for (const reason of ['wrong_digits', 'too_dark']) {
      const [, times] = reasons.find(([name]) => name?.endsWith(reason)) ?? [];
      expect(Number(times)).toBe(rows.filter((row) => row.reasons.includes(reason)).length);
    }
    const providers = await cells('by-provider');
    expect(providers.map(([, ...numbers]) => numbers.length)).toEqual(providers.map(() => 5));
    const measured = (await cells('by-time')).reduce((sum, [, times]) => sum + Number(times), 0);
    expect(measured).toBe(rows.filter(({ seconds }) => seconds !== null).length);
    const bars = await page.locator('#by-outcome svg.chart rect.bar').count();
    expect(bars).toBe(Object.values(await shown()).filter((each) => each > 0).length);

    const before = (await shown()).Passed ?? 0;
    await verified('passed');
    await expect.poll(async () => (await shown()).Passed).toBe(before + 1);
    const asked = visited.requests().filter((line) => line.includes('/console/outcomes'));
    expect(asked.filter((line) => !line.includes('after=')).length).toBe(3); // the page's first one, and two of this test's own
    await end();
  });
});

describe('requests of the console', () => {
  it('after an act in a page that is hidden by then wait until it is seen', async () => {
    const sourceId = await verified('fault');
    const { visited, page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await page.getByText(english.captures.noLooks).waitFor();
    const retried = page.waitForResponse((answer) => answer.url().endsWith('/retry'));
    await show(page, 'hidden');
    await button(page, english.actions.retry).click();
    await (await retried).finished();
    await page.getByText(english.actions.retried).waitFor();
    await page.waitForTimeout(500);
    expect(visited.apiRequests().at(-1)).toMatch(/^POST .*\/retry$/);
    await show(page, 'visible');
    await expect.poll(() => visited.apiRequests().at(-1)).toMatch(/^GET /);
    await end();
  });

  it.each([
    ['verifications', 5],
    ['verification', 10],
    ['outcomes', 3],
    ['providers', 3],
  ])(
    'in a minute at %s: 20 at the most while it is seen, %i or more, and none while it is hidden',
    async (at, atLeast) => {
      const sourceId = newSourceId();
      await stack().client.request(sourceId); // one that moves on is asked for most often
      const { visited, page, end } = await signedIn('viewer');
      await page.clock.install();
      await page.addInitScript(countAwaited);
      await view(page, at === 'verification' ? `verifications/${sourceId}` : at);
      await page.reload(); // another place of the same page loads nothing anew
      /** By the page's clock, which stands while an answer is awaited: of a slow server there are not fewer requests. */
      const aMinute = async () => {
        const before = visited.apiRequests().length;
        for (let seconds = 0; seconds < 60; seconds += 5) {
          await page.clock.runFor(5000);
          await expect.poll(() => page.evaluate(() => window.bonafideTestAwaited)).toBe(0);
          await page.waitForTimeout(50); // until the answer was read and the next request is planned
        }
        return visited.apiRequests().length - before;
      };
      const seen = await aMinute();
      console.log(`${at}: ${seen} requests in a minute`);
      expect(seen).toBeGreaterThanOrEqual(atLeast);
      expect(seen).toBeLessThanOrEqual(20);
      await show(page, 'hidden');
      expect(await aMinute()).toBe(0);
      await show(page, 'visible');
      expect(await aMinute()).toBeGreaterThan(0);
      await end();
    },
  );
});

declare global {
  interface Window {
    /** Requests that the page has no answer to yet. */
    bonafideTestAwaited?: number;
  }
}

function countAwaited(): void {
  const { fetch } = window;
  window.bonafideTestAwaited = 0;
  const add = (one: number) => {
    window.bonafideTestAwaited = (window.bonafideTestAwaited ?? 0) + one;
  };
  window.fetch = async (...given) => {
    add(1);
    return fetch(...given).finally(() => add(-1));
  };
}

const show = (page: Page, state: 'hidden' | 'visible') =>
  page.evaluate((given) => {
    Object.defineProperty(document, 'visibilityState', { value: given, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

describe('a session that is over', () => {
  it('leads to the sign-in calmly, and what was typed is there afterwards', async () => {
    const sourceId = await verified('failed');
    const { operator, visited, page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await button(page, english.review.open).click();
    await page.getByLabel(english.review.reason, { exact: true }).fill('Half of a thought');
    await stack().admin('operator', 'sign-out', 'demo', operator);
    await button(page, english.review.send).click();
    await page.getByRole('radio', { name: english.outcomeNames.passed }).check();
    await button(page, english.review.send).click();
    await page.getByText(english.signIn.expired).waitFor();
    expect(await page.getByText(sourceId).count()).toBe(0);

    const code = codeOf((await invited('invite-again', 'demo', operator)).link);
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#i_${code}`);
    await button(page, english.signIn.accept).click();
    await page.getByRole('heading', { name: sourceId }).waitFor();
    expect(await page.getByLabel(english.review.reason, { exact: true }).inputValue()).toBe('Half of a thought');
    expect(visited.page.url()).not.toContain(code);
    await end({ secrets: [code] });
  });

  it('of another operator leaves nothing to the next one', async () => {
    const sourceId = await verified('failed');
    const { page, end } = await signedIn();
    await view(page, `verifications/${sourceId}`);
    await button(page, english.review.open).click();
    await page.getByLabel(english.review.reason, { exact: true }).fill('Half of a thought');
    const link = await invitation('reviewer', 'Grace');
    await page.evaluate(
      (hash) => {
        location.hash = hash;
      },
      `#i_${codeOf(link)}`,
    );
    await button(page, english.signIn.accept).click();
    await page.getByRole('heading', { name: sourceId }).waitFor();
    await button(page, english.review.open).waitFor();
    await end({ secrets: [codeOf(link)] });
  });
});

describe('text of people', () => {
  it('is text, in every field and every place of it', async () => {
    const script = '<img src=x onerror="window.bonafideTestRan = true"><script>window.bonafideTestRan = true</script>';
    const sourceId = await verified('failed', { metadata: { [script]: script } });
    const link = await invitation('reviewer', script.slice(0, 90));
    const visited = await visit(browser, desktop);
    const { page } = visited;
    await page.goto(link);
    await button(page, english.signIn.accept).click();
    await page.getByText('<img src=x').waitFor(); // the operator's own name
    await view(page, `verifications/${sourceId}`);
    await page.getByText(script.slice(0, 40)).last().waitFor();
    await button(page, english.review.open).click();
    await page.getByRole('radio', { name: english.outcomeNames.failed }).check();
    await page.getByLabel(english.review.reason, { exact: true }).fill(script);
    await button(page, english.review.send).click();
    await page.getByRole('heading', { name: english.review.of }).waitFor();
    await button(page, english.actions.erase).click();
    await page.keyboard.type(script);
    await page.keyboard.press('Enter');
    await page.getByText(english.actions.eraseMismatch).waitFor();
    await page.keyboard.press('Escape');
    await view(page, `verifications/${encodeURIComponent(script)}`);
    await page.getByRole('heading', { level: 1, name: script }).waitFor();
    await view(
      page,
      `verifications?from=${encodeURIComponent(script)}&cursor=${encodeURIComponent(script)}&state=${script}`,
    );
    await page.getByRole('alert').waitFor();
    expect(await page.evaluate(() => 'bonafideTestRan' in window)).toBe(false);
    await visited.end({ secrets: [codeOf(link)], expectedErrors: refused });
  });
});

describe('how the console looks', () => {
  const schemes = ['light', 'dark'] as const;
  const widths = [desktop, narrow];
  const sizes = schemes.flatMap((colorScheme) => widths.map(({ viewport }) => ({ colorScheme, viewport })));
  const name = 'Ada Lovelace of the Analytical Society';

  it.each(sizes)('in $colorScheme at $viewport.width px: nothing is cut, and axe-core finds nothing', async (size) => {
    const visited = await visit(browser, { ...size, reducedMotion: 'reduce' });
    const looked: Record<string, readonly string[]> = {};
    const { code } = await goRound(visited.page, name, english, async (place) => {
      const boxes = place === 'erasing' ? [] : await boxFaults(visited.page); // a dialog lies upon the rest, as it should
      looked[place] = [...(await axeFaults(visited.page)), ...boxes];
    });
    expect(looked).toEqual(Object.fromEntries(Object.keys(looked).map((place) => [place, []])));
    await visited.end({ secrets: [code], expectedErrors: refused });
  });

  it('speaks the language of its catalogue in every text: none is written into the code', async () => {
    const visited = await visit(browser, desktop);
    const data = [
      /^Ada Lovelace of the Analytical Society( \(o_[0-9a-f]+\))?$/,
      /^(demo|builtin|sandbox)$/,
      /^journey-[\w.-]+$/,
      /^\{\s+"customer": "x+"\s+\}$/,
      /^[a-z]+(_[a-z]+)+$/, // codes, and names of fields
      /^\d+-\d\d-\d\dT[\d:.]+Z$/,
      /^\d+ [A-Z]\w+ \d{4}, [\d:]+$/,
      /^image\/jpeg · [\d.]+ kB$/,
    ];
    const untranslated = new Set<string>();
    const { code } = await goRound(visited.page, name, inBrackets(english), async () => {
      for (const text of await textsOf(visited.page)) {
        if (!isOfCatalogueOr(data, text)) untranslated.add(text);
      }
    });
    expect([...untranslated]).toEqual([]);
    await visited.end({ secrets: [code], expectedErrors: refused });
  });
});

/** Through every view of the console, which speaks `words`, up to the sign-out. */
async function goRound(page: Page, name: string, words: Words, look: (place: string) => Promise<void>) {
  const errored = await verified('fault');
  const failed = await verified('failed', { metadata: { customer: 'x'.repeat(200) } });
  const measured = await verified('measured', { provider: 'builtin' });
  const link = await invitation('reviewer', name);
  await page.goto(link);
  await button(page, english.signIn.accept).waitFor();
  if (words !== english) await page.evaluate(`{ ${inBrackets}; ${speakInBrackets}; speakInBrackets(); }`);
  await button(page, words.signIn.accept).waitFor();
  await look('invited');
  await button(page, words.signIn.accept).click();
  await page.getByRole('link', { name: failed }).waitFor();
  await look('list');
  await view(page, 'verifications?state=expired&check=video_verify');
  await page.getByText(words.list.empty).waitFor();
  await look('empty list');
  await view(page, `verifications/${errored}`);
  const selfie = words.captureNames.selfie;
  await button(page, words.captures.look(selfie, 1)).click();
  await page.getByRole('img', { name: words.captures.alt(selfie, 1) }).waitFor();
  await look('errored, with a capture');
  await view(page, `verifications/${measured}`);
  await page.getByText(words.verification.measurements).first().click();
  await look('measured');
  await view(page, `verifications/${failed}`);
  await button(page, words.review.open).click();
  await look('reviewing');
  await button(page, words.actions.erase).click();
  await button(page, words.actions.eraseNow).click();
  await page.getByText(words.actions.eraseMismatch).waitFor();
  await look('erasing');
  await page.keyboard.press('Escape');
  await view(page, 'outcomes');
  await page.locator('#by-reason table').waitFor();
  await look('outcomes');
  await view(page, 'providers');
  await page.getByRole('table').waitFor();
  await look('providers');
  await button(page, words.signOut).click();
  await page.getByText(words.signIn.signedOut).waitFor();
  await look('signed out');
  return { code: codeOf(link) };
}

/** A language of its own: each text of the catalogue in brackets. */
function inBrackets<T>(words: T): T {
  const bracketed = (one: unknown, key: string): unknown => {
    if (typeof one === 'string') return key === 'language' || !one ? one : `⟦${one}⟧`;
    if (typeof one === 'function') return (...given: unknown[]) => bracketed(one(...given), '');
    if (Array.isArray(one)) return one.map((each) => bracketed(each, ''));
    return Object.fromEntries(Object.entries(Object(one)).map(([name, each]) => [name, bracketed(each, name)]));
  };
  return bracketed(words, '') as T;
}

function speakInBrackets(): void {
  const page = document.querySelector<HTMLElement & { words: unknown }>('bonafide-console');
  if (!page) throw new Error('there is no console');
  page.words = inBrackets(page.words);
}

/** Of the catalogue, a number, a time, or data, which is shown as it is. */
const isOfCatalogueOr = (data: readonly RegExp[], text: string): boolean =>
  !/\p{L}/u.test(text.replaceAll(/⟦.*⟧/gs, '')) || data.some((one) => one.test(text));
