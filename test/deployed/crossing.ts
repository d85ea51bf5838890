import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { bundleFunction } from '../../infra/bundle.ts';
import { uploadsView } from '../../shared/api/verifications.ts';
import { portrait } from '../../tools/samples.ts';
import { bundleOf, lastRelease } from '../crossing/last-release.ts';
import { newSourceId, put } from '../journeys/client.ts';
import type { Inside } from '../journeys/inside.ts';
import { aws } from './account.ts';

/** Functions that a selfie goes through, but for the engine's: that one stays, and works for either release. */
const onTheWay = ['request-verification', 'notice-capture', 'read-verification', 'review-verification'] as const;
type Name = (typeof onTheWay)[number];

/**
 * One verification begun by the last release's functions and decided under this one's, one the other way round, and both
 * read and reviewed by either: a deployment under way, and its way back. `npm run test:crossing` has every word.
 */
export function crossing(inside: () => Inside): void {
  it('crossing by one journey: what either release begins, the other one goes on with', async () => {
    const release = lastRelease();
    const functions = await functionsOf();
    const ours = new Map(onTheWay.map((name) => [name, zipped(ourBundle(name))] as const));
    const theirs = new Map(onTheWay.map((name) => [name, zipped(bundleOf(release, name))] as const));
    const swap = async (to: ReadonlyMap<Name, string>) => {
      for (const [name, file] of to) await deployCode(functions(name), file);
    };
    const { call, read } = callsOf(inside());
    const [byThem, byUs, photo] = [newSourceId(), newSourceId(), await portrait()];
    const begin = async (source_id: string) => {
      const request = { source_id, check: 'spoof_detect', captures: { selfie: { content_type: 'image/jpeg' } } };
      const begun = z.looseObject({}).parse(await call('POST', '/verifications', request, 201));
      return uploadsView.parse({ livemode: true, ...begun }); // the last release knew no test tenants
    };
    const passed = (sourceId: string) =>
      expect.poll(async () => (await read(sourceId)).verdict?.outcome).toBe('passed');
    const review = async (sourceId: string, reviewer: string) => {
      const { sequence } = await read(sourceId);
      const asked = { sequence, outcome: 'failed', reason: 'looked', reviewer };
      await call('POST', `/verifications/${sourceId}/review`, asked, 200);
    };
    const begunByUs = await begin(byUs);
    try {
      await swap(theirs);
      const begunByThem = await begin(byThem);
      await put(begunByUs, photo); // noticed by theirs, decided by our engine
      await passed(byUs);
      await review(byUs, 'theirs');
      await swap(ours);
      await put(begunByThem, photo);
      await passed(byThem);
      await review(byThem, 'ours');
      await swap(theirs); // the way back
      for (const sourceId of [byUs, byThem]) expect((await read(sourceId)).verdict?.outcome).toBe('failed');
      await review(byThem, 'theirs');
    } finally {
      await swap(ours);
    }
    for (const sourceId of [byUs, byThem]) expect((await read(sourceId)).verdict?.outcome).toBe('failed');
  }, 600_000);
}

/** Plain requests: what the last release answers need not be all that this one's document says. */
function callsOf({ url, apiKey }: Inside) {
  const seen = z.looseObject({ sequence: z.int(), verdict: z.looseObject({ outcome: z.string() }).nullable() });
  async function call(method: string, path: string, body: unknown, wanted: number): Promise<unknown> {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.status, `${method} ${path}: ${text}`).toBe(wanted);
    return JSON.parse(text);
  }
  return {
    call,
    read: async (sourceId: string) => seen.parse(await call('GET', `/verifications/${sourceId}`, undefined, 200)),
  };
}

/** Physical name of a function by its folder's name. */
async function functionsOf(): Promise<(name: Name) => string> {
  const names = await aws<string[]>('lambda', 'list-functions', '--query', 'Functions[].FunctionName');
  return (name) => {
    const found = names.find((one) => one.toLowerCase().replaceAll('-', '').includes(name.replaceAll('-', '')));
    if (!found) throw new Error(`The deployment has no function ${name}`);
    return found;
  };
}

function ourBundle(name: Name): string {
  const to = mkdtempSync(join(tmpdir(), 'bonafide-bundle-'));
  bundleFunction(name, to);
  return join(to, 'index.mjs');
}

function zipped(bundle: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'bonafide-code-')), 'code.zip');
  execFileSync('python3', ['-m', 'zipfile', '-c', file, bundle]);
  return file;
}

/** Where an alias named `live` is what is called, it follows. */
async function deployCode(name: string, file: string): Promise<void> {
  const of = ['--function-name', name] as const;
  const published = await aws<string>(
    ...(['lambda', 'update-function-code', ...of, '--zip-file', `fileb://${file}`, '--publish'] as const),
    ...['--query', 'Version'],
  );
  await aws('lambda', 'wait', 'function-updated-v2', ...of);
  const aliases = await aws<string[]>('lambda', 'list-aliases', ...of, '--query', 'Aliases[].Name');
  if (!aliases.includes('live')) return;
  await aws('lambda', 'update-alias', ...of, '--name', 'live', '--function-version', published);
}
