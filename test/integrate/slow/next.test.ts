import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { landscape, portrait } from '../../../tools/samples.ts';
import { type RunningStack, startLocalStack } from '../../journeys/local-stack.ts';
import { type Backend, startBackend } from '../backend.ts';
import { bringToOutcome, openPage, photoOf } from '../browser.ts';
import { layOut, webFiles } from '../programs.ts';

const run = promisify(execFile);
const directory = resolve('build/integrate/next');
const outcomes = join(directory, 'outcomes');

describe('the Next.js backend of docs/integrate.md', () => {
  let stack: RunningStack;
  let backend: Backend;

  beforeAll(async () => {
    mkdirSync(directory, { recursive: true });
    for (const stale of ['app', 'lib', 'public', 'outcomes', '.next']) {
      rmSync(join(directory, stale), { recursive: true, force: true });
    }
    cpSync('test/integrate/next', directory, { recursive: true });
    cpSync('test/integrate/users.mjs', join(directory, 'lib/users.mjs'));
    layOut(directory, {
      'app/verification/route.js': 'next/app/verification/route.js',
      'lib/bonafide.mjs': 'express/bonafide.mjs',
      ...webFiles('public'),
    });
    const { NODE_ENV: _, ...environment } = process.env; // vitest's own
    const options = { cwd: directory, env: { ...environment, NEXT_TELEMETRY_DISABLED: '1' } };
    await run('npm', ['ci', '--no-fund', '--no-audit'], options);
    await run('npx', ['next', 'build'], options);
    stack = await startLocalStack();
    backend = await startBackend(directory, ['npx', 'next', 'start', '-H', '127.0.0.1', '-p', 'PORT'], stack, {
      NEXT_TELEMETRY_DISABLED: '1',
      OUTCOMES: outcomes,
    });
  });
  afterAll(async () => {
    await backend.stop();
    await stack.stop();
  });

  const pageOf = (user?: string) =>
    openPage(join(directory, 'public/captures.js'), backend.url, user ? `user=${user}` : '');

  it('serves the page', async () => {
    const answer = await fetch(`${backend.url}/verify.html`);
    expect(await answer.text()).toContain('verify.js');
  });

  it('brings a photo to its verdict, without giving the page the key', async () => {
    const page = await pageOf('ada');
    expect(await bringToOutcome(page, photoOf(await portrait()))).toMatchObject({ outcome: 'passed' });
    expect(readFileSync(outcomes, 'utf8')).toContain('onboarding-ada passed\n');
    expect(page.traffic()).not.toContain(stack.apiKey);
  });

  it('opens the next round after a recapture', async () => {
    const page = await pageOf('mary');
    const first = await bringToOutcome(page, photoOf(await landscape()));
    expect(first).toMatchObject({ outcome: 'recapture', reasons: ['face_not_detected'] });
    const second = await bringToOutcome(page, photoOf(await portrait()));
    expect(second).toMatchObject({ outcome: 'passed', begun: { round: 2 } });
  });

  it('answers 401 without a login', async () => {
    const { captures } = await pageOf();
    await expect(captures.begin()).rejects.toMatchObject({ code: 'not_logged_in' });
  });
});
