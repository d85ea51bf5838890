import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonEnvironment } from '../../../tools/python.ts';
import { landscape, portrait } from '../../../tools/samples.ts';
import { type RunningStack, startLocalStack } from '../../journeys/local-stack.ts';
import { asksAgain, beginsWith } from '../asks-again.ts';
import { type Backend, startBackend } from '../backend.ts';
import { begun } from '../bonafide-double.ts';
import { bringToOutcome, openPage, photoOf } from '../browser.ts';
import { layOut, webFiles } from '../programs.ts';

const run = promisify(execFile);
let python: string;
beforeAll(async () => {
  const binaries = await pythonEnvironment(resolve('build/integrate/python'), 'test/integrate/django/requirements.txt');
  python = join(binaries, 'python');
});

/** A Django project with the app of the page, migrated. */
async function project(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'django-'));
  cpSync('test/integrate/django', directory, { recursive: true });
  layOut(directory, {
    'verification/bonafide.py': 'django/verification/bonafide.py',
    'verification/models.py': 'django/verification/models.py',
    'verification/views.py': 'django/verification/views.py',
    'verification/urls.py': 'django/verification/urls.py',
    ...webFiles('verification/static'),
  });
  writeFileSync(join(directory, 'verification/__init__.py'), '');
  await run(python, ['manage.py', 'makemigrations', 'verification'], { cwd: directory });
  await run(python, ['manage.py', 'migrate'], { cwd: directory });
  return directory;
}

const start = () => [python, 'manage.py', 'runserver', '--noreload', '127.0.0.1:PORT'];

/** The cookies of a user who has logged in, and the header that the page makes of one of them. */
async function logIn(backend: Backend, name: string) {
  const answer = await fetch(`${backend.url}/for-tests/log-in/${name}`);
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');
  const token = cookies.find((cookie) => cookie.startsWith('csrftoken='))?.slice('csrftoken='.length) ?? '';
  return { cookie: cookies.join('; '), headers: { 'x-csrftoken': token } };
}

describe('the Django backend of docs/integrate.md', () => {
  let stack: RunningStack;
  let backend: Backend;
  let directory: string;

  beforeAll(async () => {
    directory = await project();
    stack = await startLocalStack();
    backend = await startBackend(directory, start(), stack);
  });
  afterAll(async () => {
    await backend.stop();
    await stack.stop();
  });

  const file = () => join(directory, 'verification/static/captures.js');

  it('serves the page', async () => {
    const answer = await fetch(`${backend.url}/static/verify.html`);
    expect(await answer.text()).toContain('verify.js');
  });

  it('brings a photo to its verdict, without giving the page the key', async () => {
    const { cookie, headers } = await logIn(backend, 'ada');
    const page = await openPage(file(), backend.url, cookie);
    expect(await bringToOutcome(page, photoOf(await portrait()), headers)).toMatchObject({ outcome: 'passed' });
    expect(await (await fetch(`${backend.url}/for-tests/outcomes`)).json()).toMatchObject({ ada: 'passed' });
    expect(page.traffic()).not.toContain(stack.apiKey);
  });

  it('opens the next round after a recapture, three at the most', async () => {
    const { cookie, headers } = await logIn(backend, 'mary');
    const page = await openPage(file(), backend.url, cookie);
    for (const round of [1, 2, 3]) {
      const result = await bringToOutcome(page, photoOf(await landscape()), headers);
      expect(result).toMatchObject({ outcome: 'recapture', reasons: ['face_not_detected'], begun: { round } });
    }
    await expect(page.captures.begin(headers)).rejects.toMatchObject({ code: 'rounds_spent' });
  });

  it('refuses a page without its CSRF token, and a person who has not logged in', async () => {
    const { cookie, headers } = await logIn(backend, 'mallory');
    const forged = await openPage(file(), backend.url, cookie);
    await expect(forged.captures.begin()).rejects.toMatchObject({ code: 'http_403' });
    const token = cookie.split('; ').find((one) => one.startsWith('csrftoken='));
    const anonymous = await openPage(file(), backend.url, token);
    await expect(anonymous.captures.begin(headers)).rejects.toMatchObject({ code: 'not_logged_in' });
  });
});

describe('the Django backend of docs/integrate.md, where Bonafide', () => {
  const beginWith = beginsWith(async (bonafide) => {
    const backend = await startBackend(await project(), start(), bonafide);
    const headersOf = async () => {
      const { cookie, headers } = await logIn(backend, 'ada');
      return { cookie, ...headers };
    };
    return { backend, headersOf };
  });

  asksAgain(beginWith);

  it('says the verification has expired, begins another', async () => {
    const { status, asked } = await beginWith([begun('any', 'expired'), begun('any', 'awaiting_captures')]);
    expect(status).toBe(200);
    expect(new Set(asked).size).toBe(2);
  });
});
