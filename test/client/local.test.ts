import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { packClient } from '../../tools/release/client.ts';
import { portrait } from '../../tools/samples.ts';
import { bonafide, upload } from '../../web/client/index.ts';
import { idCard, selfieOfPair } from '../engine/people.ts';
import { newSourceId } from '../journeys/client.ts';
import { type RunningStack, remove, startLocalStack } from '../journeys/local-stack.ts';
import { program } from './programs.ts';
import { versionsOf } from './versions.ts';

let stack: RunningStack;
beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(async () => {
  await stack.stop();
  remove(stack.dataDirectory);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const blobOf = (bytes: Uint8Array, type = 'image/jpeg') => new Blob([Buffer.from(bytes)], { type });
const server = () => bonafide({ base: stack.url, key: stack.apiKey });

async function requested(check: 'spoof_detect' | 'photo_verify') {
  const sourceId = newSourceId();
  const jpeg = { content_type: 'image/jpeg' };
  const captures = check === 'spoof_detect' ? { selfie: jpeg } : { selfie: jpeg, id_card: jpeg };
  const asked = await server().POST('/verifications', { body: { source_id: sourceId, check, captures } });
  if (!('uploads' in asked)) throw new Error('made before');
  return { sourceId, asked, page: bonafide({ base: stack.url, token: asked.client_token }) };
}

const movesTo = async (sourceId: string, state: string) => {
  const params = { path: { source_id: sourceId } };
  const { history } = await server().GET('/verifications/{source_id}/history', { params });
  return history.filter((entry) => entry.kind === 'moved' && entry.state === state).length;
};

/** Puts a spoilt fetch in place: `spoil` says what becomes of the nth PUT. */
function spoilPuts(spoil: (put: number, send: () => Promise<Response>) => Promise<Response>) {
  const network = globalThis.fetch;
  const counted = { puts: 0 };
  vi.stubGlobal('fetch', (input: string | URL | Request, init?: RequestInit) => {
    if (init?.method !== 'PUT') return network(input, init);
    counted.puts += 1;
    return spoil(counted.puts, () => network(input, init));
  });
  return counted;
}

describe('uploading', () => {
  it('a photo with a client token leads to its verdict', async () => {
    const { sourceId, page } = await requested('spoof_detect');
    const moved: number[] = [];
    const file = blobOf(await portrait());
    await page.uploadCaptures(sourceId, { selfie: file }, { onProgress: ({ loaded }) => moved.push(loaded) });
    const { state, verdict } = await page.waitForVerdict(sourceId);
    expect([state, verdict?.outcome]).toEqual(['decided', 'passed']);
    expect(moved).toEqual([file.size]);
  });

  it('a photo costs at most one request more than the one that waits for its verdict', async () => {
    const { sourceId, asked } = await requested('spoof_detect');
    const statuses: string[] = [];
    const fetch = async (request: Request) => {
      const answer = await globalThis.fetch(request);
      if (request.method === 'GET') {
        const { state } = (await answer.clone().json()) as { state: string };
        statuses.push(`${state} ${answer.headers.get('retry-after') ?? '-'}`);
      }
      return answer;
    };
    const page = bonafide({ base: stack.url, token: asked.client_token, fetch });
    const begun = performance.now();
    const waiting = { params: { path: { source_id: sourceId }, query: { wait: 20 } } };
    expect(await page.GET('/verifications/{source_id}', waiting)).toMatchObject({ state: 'awaiting_captures' });
    expect(performance.now() - begun).toBeLessThan(15_000); // and not the 20 s that were asked for
    await page.uploadCaptures(sourceId, { selfie: blobOf(await portrait()) });
    expect((await page.waitForVerdict(sourceId)).verdict?.outcome).toBe('passed');
    const seconds = (performance.now() - begun) / 1000;
    console.log(`${statuses.length - 1} requests until the verdict, ${seconds.toFixed(1)} s: ${statuses.join(', ')}`);
    // The function that notices a landing runs since the first test, so the pause of a second is enough for it.
    expect(statuses.length - 1).toBeLessThanOrEqual(2);
    expect(statuses[0]).toBe('awaiting_captures 1');
    expect(statuses.at(-1)).toBe('decided -');
  });

  it('sends what was signed, whatever type the file says it is of', async () => {
    const { asked } = await requested('photo_verify');
    const { selfie } = asked.uploads;
    if (!selfie) throw new Error('no upload');
    expect(await upload(selfie, blobOf(await portrait(), 'image/jpeg;quality=high'))).toBe('stored');
    expect(await upload(selfie, blobOf(await portrait()))).toBe('stored_before');
    expect(await versionsOf(stack, asked.client_token)).toBe(1);
  });

  it('again, where the answer was lost after storing, leaves one version and one move to queued', async () => {
    const { sourceId, asked, page } = await requested('photo_verify');
    const counted = spoilPuts(async (put, send) => {
      const answer = await send();
      if (put === 1) throw new TypeError('fetch failed');
      return answer;
    });
    const selfie = blobOf(await selfieOfPair());
    await page.uploadCaptures(sourceId, { selfie });
    expect(await versionsOf(stack, asked.client_token)).toBe(1);
    await page.uploadCaptures(sourceId, { selfie, id_card: blobOf(await idCard()) });
    expect((await page.waitForVerdict(sourceId)).verdict?.outcome).toBe('passed');
    expect(await movesTo(sourceId, 'queued')).toBe(1);
    expect(counted.puts).toBeLessThanOrEqual(4);
  });

  it('does not ask for another round where the capture of a lost answer was judged meanwhile', async () => {
    const { sourceId, page } = await requested('spoof_detect');
    const counted = spoilPuts(async (_, send) => {
      await send();
      await server().waitForVerdict(sourceId); // a recapture: it shows no person
      throw new TypeError('fetch failed');
    });
    const { landscape } = await import('../../tools/samples.ts');
    await page.uploadCaptures(sourceId, { selfie: blobOf(await landscape()) });
    expect(counted.puts).toBe(1);
    expect(await page.read(sourceId)).toMatchObject({ state: 'decided', round: 1, verdict: { outcome: 'recapture' } });
  });

  it('goes on where an URL has expired, with a new one', async () => {
    const { sourceId, page } = await requested('spoof_detect');
    const expired = '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>';
    const counted = spoilPuts(async (put, send) => (put === 1 ? new Response(expired, { status: 403 }) : send()));
    await page.uploadCaptures(sourceId, { selfie: blobOf(await portrait()) });
    expect((await page.waitForVerdict(sourceId)).verdict?.outcome).toBe('passed');
    expect(counted.puts).toBe(2);
  });
});

describe('upload()', () => {
  const target = { put: { url: 'http://s3.test/', headers: { 'content-type': 'image/jpeg', 'content-length': '3' } } };
  const file = blobOf(new Uint8Array(3));
  const answers = (...statuses: [status: number, code?: string][]) => {
    const sent: RequestInit[] = [];
    vi.spyOn(Math, 'random').mockReturnValue(0);
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      sent.push(init);
      const [status, code = ''] = statuses.shift() ?? [500];
      return new Response(`<Error><Code>${code}</Code></Error>`, { status });
    });
    return sent;
  };
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    [403, 'AccessDenied', 'upload_expired', 1],
    [403, 'SignatureDoesNotMatch', 'upload_refused', 1],
    [400, 'EntityTooLarge', 'upload_refused', 1],
    [501, 'NotImplemented', 'upload_refused', 1],
    [503, 'SlowDown', 'upload_busy', 5],
    [409, 'ConditionalRequestConflict', 'upload_busy', 5],
    [400, 'RequestTimeout', 'upload_busy', 5],
  ])('of an answer %i %s is %s, after %i attempts', async (status, code, expected, attempts) => {
    const sent = answers(...Array(9).fill([status, code]));
    await expect(upload(target, file)).rejects.toMatchObject({ code: expected });
    expect(sent).toHaveLength(attempts);
  });

  it('takes a 412 for stored, and no byte as moved that was not', async () => {
    answers([412, 'PreconditionFailed']);
    const moved = vi.fn();
    expect(await upload(target, file, { onProgress: moved })).toBe('stored_before');
    expect(moved).not.toHaveBeenCalled();
  });

  it('leaves the length to the browser, which refuses a script that sets it', async () => {
    const [sent] = [answers([200])];
    await upload(target, file);
    expect(sent[0]?.headers).toEqual({ 'content-type': 'image/jpeg' });
  });

  it('gives up an attempt of which no byte moves', async () => {
    const stuck = (_: string, { signal }: RequestInit) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    vi.stubGlobal('fetch', stuck);
    const uploading = upload(target, file, { stalledSeconds: 0.02, attempts: 2 });
    await expect(uploading).rejects.toMatchObject({ code: 'network_failure' });
  });
});

describe('the package', () => {
  let directory: string;
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const run = promisify(execFile);

  it('installs into an empty project without a registry, is typed there, and brings a photo to its verdict', async () => {
    const tarball = await packClient();
    directory = mkdtempSync(join(tmpdir(), 'bonafide-empty-project-'));
    writeFileSync(join(directory, 'package.json'), '{ "type": "module", "private": true }');
    writeFileSync(join(directory, 'verify.ts'), program('verify.ts'));
    writeFileSync(join(directory, 'page.ts'), program('page.ts'));
    writeFileSync(join(directory, 'photo.jpg'), await portrait());
    const types = { types: ['node'], typeRoots: [resolve('node_modules/@types')] };
    const options = { module: 'nodenext', target: 'es2022', lib: ['es2022', 'dom'], strict: true, ...types };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: directory });
    await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: directory });
    const env = { ...process.env, BONAFIDE_URL: stack.url, BONAFIDE_API_KEY: stack.apiKey };
    const { stdout } = await run(process.execPath, ['verify.js', newSourceId(), 'photo.jpg'], { cwd: directory, env });
    expect(stdout.trim().split('\n').at(-1)).toBe('passed');

    const { sourceId, asked } = await requested('spoof_detect');
    const { sendPhoto } = await import(join(directory, 'page.js'));
    const shown: string[] = [];
    const begun = { base: stack.url, source_id: sourceId, client_token: asked.client_token };
    await sendPhoto(begun, blobOf(await portrait()), (words: string) => shown.push(words));
    expect(shown).toEqual(['100 %', 'Thank you.']);
    await sendPhoto({ ...begun, client_token: 'ct_wrong' }, blobOf(await portrait()), (words: string) =>
      shown.push(words),
    );
    expect(shown.at(-1)).toBe('Please begin again.');
  });
});
