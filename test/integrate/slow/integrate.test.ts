import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { matchesPattern } from '../../../local/event-pattern.ts';
import { eventSource, eventTypeOf } from '../../../shared/domain/event.ts';
import { faceOnScreen, landscape, portrait } from '../../../tools/samples.ts';
import { rowsUnder } from '../../docs/markdown.ts';
import { clientOf, post, put } from '../../journeys/client.ts';
import { type RunningStack, startLocalStack } from '../../journeys/local-stack.ts';
import { asksAgain, beginsWith } from '../asks-again.ts';
import { type Backend, startBackend } from '../backend.ts';
import { begun } from '../bonafide-double.ts';
import { bringToOutcome, openPage, photoOf } from '../browser.ts';
import { borrowPackages, layOut, program, programs, webFiles } from '../programs.ts';

const run = promisify(execFile);
const directoryOf = (name: string) => mkdtempSync(join(tmpdir(), `${name}-`));

const backendFiles = {
  'bonafide.mjs': 'express/bonafide.mjs',
  'server.mjs': 'express/server.mjs',
  ...webFiles('public'),
};
const start = [process.execPath, 'server.mjs'];

/** The Express backend of the page, with users of the test. */
function expressBackend(): { directory: string; outcomes: () => string[] } {
  const directory = directoryOf('express');
  layOut(directory, backendFiles);
  borrowPackages(directory);
  return { directory, outcomes: () => readFileSync(join(directory, 'outcomes'), 'utf8').trim().split('\n') };
}

async function withTestUsers() {
  const backend = expressBackend();
  await copyFile('test/integrate/users.mjs', join(backend.directory, 'users.mjs'));
  return { ...backend, variables: { OUTCOMES: join(backend.directory, 'outcomes') } };
}

let stack: RunningStack;
beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.stop());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe('the Express backend and the page of docs/integrate.md', () => {
  let backend: Backend;
  let outcomes: () => string[];
  let directory: string;

  beforeAll(async () => {
    const prepared = await withTestUsers();
    ({ directory, outcomes } = prepared);
    backend = await startBackend(directory, start, stack, prepared.variables);
  });
  afterAll(() => backend.stop());

  const pageOf = (user: string) => openPage(join(directory, 'public/captures.js'), backend.url, `user=${user}`);

  it('bring a photo to its verdict, which the page is told and the backend keeps', async () => {
    const page = await pageOf('ada');
    const result = await bringToOutcome(page, photoOf(await portrait()));
    expect(result).toMatchObject({ state: 'decided', outcome: 'passed', reasons: [], shares: [1] });
    expect(outcomes()).toContain('onboarding-ada passed');
  });

  it('give no browser the key', async () => {
    const page = await pageOf('grace');
    await bringToOutcome(page, photoOf(await portrait()));
    const files = ['verify.html', 'verify.js', 'captures.js'].map((file) => fetch(`${backend.url}/${file}`));
    const served = await Promise.all((await Promise.all(files)).map((answer) => answer.text()));
    expect([...served, page.traffic()].join('\n')).not.toContain(stack.apiKey);
    expect(page.traffic()).toContain('Bearer ct_');
  });

  it('open the next round after a recapture, whose reasons the page is told', async () => {
    const page = await pageOf('mary');
    const first = await bringToOutcome(page, photoOf(await landscape()));
    expect(first).toMatchObject({ outcome: 'recapture', reasons: ['face_not_detected'], begun: { round: 1 } });
    const second = await bringToOutcome(page, photoOf(await portrait()));
    expect(second).toMatchObject({ outcome: 'passed', begun: { round: 2, source_id: 'onboarding-mary' } });
  });

  it('end after three rounds with a code of their own', async () => {
    const page = await pageOf('joan');
    for (const round of [1, 2, 3]) {
      expect(await bringToOutcome(page, photoOf(await landscape()))).toMatchObject({ begun: { round } });
    }
    await expect(page.captures.begin()).rejects.toMatchObject({ code: 'rounds_spent' });
  });

  it('tell the page of a failure that it failed, and not why', async () => {
    const page = await pageOf('mallory');
    const result = await bringToOutcome(page, photoOf(await faceOnScreen()));
    expect(result).toMatchObject({ outcome: 'failed', reasons: [] });
    expect(outcomes()).toContain('onboarding-mallory failed');
  });

  it('go on after a reload: the same verification, before the upload and after it', async () => {
    const photo = photoOf(await portrait());
    await (await pageOf('edith')).captures.begin();
    const reloaded = await pageOf('edith');
    const result = await bringToOutcome(reloaded, photo);
    expect(result.begun).toMatchObject({ source_id: 'onboarding-edith', round: 1 });
    const later = await pageOf('edith');
    const verification = await later.captures.begin();
    expect(verification.uploads).toBeUndefined();
    expect(await later.captures.waitForOutcome(verification)).toMatchObject({ outcome: 'passed' });
  });

  it('go on when the answer to a first upload was lost', async () => {
    const { captures } = await pageOf('hedy');
    const photo = photoOf(await portrait());
    const declared = await captures.declare(await captures.begin(), new Map([['selfie', photo]]));
    await captures.upload(declared.uploads.selfie, photo, () => {});
    await captures.upload(declared.uploads.selfie, photo, () => {});
    expect(await captures.waitForOutcome(declared)).toMatchObject({ outcome: 'passed' });
  });

  it('refuse a file before it is uploaded where its type or its size will not do', async () => {
    const { captures } = await pageOf('emmy');
    const verification = await captures.begin();
    const declare = (file: File) => captures.declare(verification, new Map([['selfie', file]]));
    await expect(declare(photoOf(new Uint8Array(1), 'text/plain'))).rejects.toMatchObject({ code: 'request_invalid' });
    await expect(declare(photoOf(new Uint8Array(11 << 20)))).rejects.toMatchObject({ code: 'capture_length_invalid' });
  });

  it('upload by form POST as well', async () => {
    const { captures } = await pageOf('rosa');
    const photo = photoOf(await portrait());
    const declared = await captures.declare(await captures.begin(), new Map([['selfie', photo]]));
    await captures.uploadAsForm(declared.uploads.selfie, photo, () => {});
    expect(await captures.waitForOutcome(declared)).toMatchObject({ outcome: 'passed' });
  });

  it('answer 401 without a login', async () => {
    const { captures } = await openPage(join(directory, 'public/captures.js'), backend.url);
    await expect(captures.begin()).rejects.toMatchObject({ code: 'not_logged_in' });
  });

  it('run as the page shows them, with the stand-in for users', async () => {
    const { directory: asShown } = expressBackend();
    layOut(asShown, { 'users.mjs': 'express/users.mjs' });
    const shown = await startBackend(asShown, start, stack);
    try {
      expect(shown.written()).toContain(`${shown.url}/verify.html`);
      const page = await openPage(join(asShown, 'public/captures.js'), shown.url);
      expect(await bringToOutcome(page, photoOf(await portrait()))).toMatchObject({ outcome: 'passed' });
    } finally {
      await shown.stop();
    }
  });
});

it('the programs of docs/integrate.md are formatted and linted as this project is', async () => {
  const directory = directoryOf('programs');
  layOut(directory, Object.fromEntries([...programs.keys()].map((file) => [file, file])));
  await run(process.execPath, [
    'node_modules/@biomejs/biome/bin/biome',
    'check',
    '--error-on-warnings',
    '--config-path=biome.json',
    directory,
  ]);
});

describe('the Express backend of docs/integrate.md, where Bonafide', () => {
  const beginWith = beginsWith(async (bonafide) => {
    const { directory, variables } = await withTestUsers();
    const backend = await startBackend(directory, start, bonafide, variables);
    return { backend, headersOf: async () => ({ cookie: 'user=ada' }) };
  });

  asksAgain(beginWith);

  it('says the verification has expired, begins another', async () => {
    const again = begun('onboarding-ada-again', 'awaiting_captures');
    const { body, asked } = await beginWith([begun('onboarding-ada', 'expired'), again]);
    expect(body).toMatchObject({ source_id: 'onboarding-ada-again', state: 'awaiting_captures' });
    expect(asked[1]).toContain('"source_id":"onboarding-ada-again"');
  });
});

describe('the form of docs/integrate.md', () => {
  it('is uploaded by its shell script, which prints the verdict', async () => {
    const directory = directoryOf('form');
    layOut(directory, { 'upload.sh': 'form/upload.sh' });
    await writeFile(join(directory, 'photo.jpg'), await portrait());
    const { stdout } = await run('bash', ['upload.sh', 'form-by-curl', 'photo.jpg'], {
      cwd: directory,
      env: { ...process.env, BONAFIDE_URL: stack.url, BONAFIDE_API_KEY: stack.apiKey },
    });
    expect(JSON.parse(stdout)).toMatchObject({ state: 'decided', verdict: { outcome: 'passed' } });
  });

  it('is drawn with every field, escaped, and the file last; S3 takes it', async () => {
    const directory = directoryOf('form');
    layOut(directory, { 'form.mjs': 'form/form.mjs' });
    const { uploadForm } = await import(join(directory, 'form.mjs'));
    const client = clientOf(stack);
    const { uploads } = await client.request('form-by-hand');
    const html: string = uploadForm(uploads.selfie?.post);
    const inputs = [...html.matchAll(/<input type="(\w+)" name="([^"]*)"(?: value="([^"]*)")?/g)];
    expect(inputs.map(([, type]) => type).lastIndexOf('hidden')).toBe(inputs.length - 2);
    expect(inputs.at(-1)?.slice(1, 3)).toEqual(['file', 'file']);
    const form = new FormData();
    for (const [, type, name = '', value = ''] of inputs) {
      if (type === 'hidden') form.append(name, unescaped(value));
      else form.append(name, photoOf(await portrait()));
    }
    const answer = await fetch(unescaped(/action="([^"]*)"/.exec(html)?.[1] ?? ''), { method: 'POST', body: form });
    expect(answer.status).toBe(204);
    expect((await client.verdict('form-by-hand')).verdict?.outcome).toBe('passed');
    expect(uploadForm({ url: 'https://a.test/?a=1&b=2', fields: { '"><script>': '<&>"' } })).not.toMatch(
      /<script|a=1&b/,
    );
  });

  const unescaped = (text: string) => text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
});

describe('the answers of S3 in docs/integrate.md', () => {
  const documented = rowsUnder(
    readFileSync('docs/integrate.md', 'utf8'),
    '| answer | what it means | what to do |',
  ).map(([answer = '']) => answer);
  const expected = (answer: { status: number; text: string }) => {
    const [, code = ''] = /<Code>(\w+)<\/Code>/.exec(answer.text) ?? [];
    return documented.find((row) => row.startsWith(`${answer.status} `) && row.includes(`\`${code}\``));
  };
  /** One of two captures: until the other one lands nothing is decided, and what was uploaded stays. */
  const upload = (sourceId: string) =>
    clientOf(stack).request(sourceId, {
      check: 'photo_verify',
      captures: { selfie: { content_type: 'image/jpeg', content_length: 3 }, id_card: { content_type: 'image/jpeg' } },
    });
  const bytes = new Uint8Array(3);

  it('have a row for a second PUT', async () => {
    const view = await upload('s3-twice');
    expect(await put(view, bytes)).toMatchObject({ status: 200 });
    expect(expected(await put(view, bytes))).toBe('412 `PreconditionFailed`');
  });

  it.each([
    ['another content type', bytes, { 'content-type': 'image/jpeg; charset=utf-8' }],
    ['another length', new Uint8Array(4), { 'content-length': '4' }],
  ])('have a row for a PUT with %s', async (how, body, headers) => {
    expect(expected(await put(await upload(`s3-${how.replaceAll(' ', '-')}`), body, headers))).toBe(
      '403 `SignatureDoesNotMatch`',
    );
  });

  it.each([
    ['another field', bytes, { 'Content-Type': 'image/png' }, '403 `AccessDenied`'],
    ['more bytes', new Uint8Array(4), {}, '400 `EntityTooLarge`, `EntityTooSmall`'],
    ['no bytes', new Uint8Array(0), {}, '400 `EntityTooLarge`, `EntityTooSmall`'],
  ])('have a row for a form with %s', async (how, body, fields, row) => {
    expect(expected(await post(await upload(`s3-form-${how.replaceAll(' ', '-')}`), body, fields))).toBe(row);
  });
});

describe('the events of docs/integrate.md', () => {
  const pattern: { source: string[]; 'detail-type': string[] } = JSON.parse(program('events/pattern.json'));
  let directory: string;
  beforeAll(async () => {
    directory = directoryOf('events');
    layOut(directory, {
      'stack.mjs': 'events/stack.mjs',
      'pattern.json': 'events/pattern.json',
      'function/on-verification.mjs': 'events/on-verification.mjs',
      'function/bonafide.mjs': 'express/bonafide.mjs',
    });
    borrowPackages(directory);
    await copyFile('test/integrate/users.mjs', join(directory, 'function/users.mjs'));
  });

  it('are those of the pattern that tell of an end, and their handler keeps the outcome', async () => {
    const sourceId = 'event-1';
    const client = clientOf(stack);
    await put(await client.request(sourceId), await portrait());
    await client.verdict(sourceId);
    const ofThis = (event: Record<string, unknown>) => JSON.stringify(event).includes(`"${sourceId}"`);
    while (!stack.events().some((event) => ofThis(event) && event['detail-type'] === 'verification.decided')) {
      await setTimeout(50);
    }
    const heard = stack.events().filter((event) => ofThis(event) && matchesPattern(pattern, event));
    expect(heard.map((event) => event['detail-type'])).toEqual(['verification.decided']);

    vi.stubEnv('BONAFIDE_URL', stack.url);
    vi.stubEnv('BONAFIDE_API_KEY', stack.apiKey);
    vi.stubEnv('OUTCOMES', join(directory, 'outcomes'));
    const { handler } = await import(join(directory, 'function/on-verification.mjs'));
    await handler(heard[0]);
    expect(readFileSync(join(directory, 'outcomes'), 'utf8')).toBe(`${sourceId} passed\n`);
  });

  it('name events that there are', () => {
    expect(pattern.source).toEqual([eventSource]);
    for (const type of pattern['detail-type']) expect(Object.values<string>(eventTypeOf)).toContain(type);
  });

  it('are sent to the handler by the CDK app: one rule on the bus, with that pattern and a queue for what fails', async () => {
    await run(process.execPath, ['stack.mjs'], {
      cwd: directory,
      env: { ...process.env, CDK_OUTDIR: 'cdk.out', BONAFIDE_BUS: 'the-bus', BONAFIDE_URL: 'https://api.test' },
    });
    const template = JSON.parse(readFileSync(join(directory, 'cdk.out/verdicts.template.json'), 'utf8'));
    const resources: { Type: string; Properties: Record<string, unknown> }[] = Object.values(template.Resources);
    const rules = resources.filter(({ Type }) => Type === 'AWS::Events::Rule').map(({ Properties }) => Properties);
    expect(rules).toHaveLength(1);
    expect(rules[0]).toMatchObject({ EventPattern: pattern, State: 'ENABLED' });
    expect(JSON.stringify(rules[0])).toContain('the-bus');
    expect(JSON.stringify(rules[0])).toContain('DeadLetterConfig');
    expect(resources.filter(({ Type }) => Type === 'AWS::Lambda::Permission')).toHaveLength(1);
    expect(JSON.stringify(template)).not.toContain(stack.apiKey);
  });
});
