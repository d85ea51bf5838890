import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import * as z from 'zod';
import { problemView, type UploadsView, uploadsView, verificationView } from '../shared/api/verifications.ts';
import { type ContentType, sniffContentType } from '../shared/domain/captures.ts';
import type { Outcome, Reason } from '../shared/domain/verdict.ts';
import { restingStates } from '../shared/domain/verification.ts';
import { commandLine, misused } from './command-line.ts';
import { demoTarget } from './target.ts';

const usage = `Sends captures through a running Bonafide and prints the verdict.

  npm run verify -- --selfie photo.jpg      one photo (JPEG, PNG, WebP, HEIC)
  npm run verify -- --samples               four samples whose verdicts are known
  npm run verify -- --write-sample FILE     writes one of them, the portrait, and sends nothing

  --url URL        the API (default: the local stack's, else http://127.0.0.1:4000)
  --key KEY        a tenant's API key (default: BONAFIDE_API_KEY, else the local demo tenant's)
  --source-id ID   your own id for the verification (default: a new one)
  --json           one line of JSON per verdict
`;

interface Photo {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly expected?: { readonly outcome: Outcome; readonly reasons: readonly Reason[] };
}

const byExtension: Record<string, ContentType> = {
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.heic': 'image/heic',
};

const { values } = commandLine(usage, {
  options: {
    selfie: { type: 'string' },
    samples: { type: 'boolean', default: false },
    'write-sample': { type: 'string' },
    url: { type: 'string' },
    key: { type: 'string' },
    'source-id': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const sample = values['write-sample'];
if (values.selfie === undefined && !values.samples && sample === undefined) {
  misused(usage, 'Give --selfie FILE or --samples.');
}

try {
  if (sample !== undefined) {
    const { portrait } = await import('./samples.ts');
    await writeFile(sample, await portrait());
    process.exit(0);
  }
  const target = await demoTarget({ url: values.url, key: values.key });
  const photos = values.samples ? await samplePhotos() : [await photo(values.selfie ?? '')];
  let wrong = 0;
  for (const one of photos) if (!(await verify(one, target))) wrong += 1;
  if (values.samples) say(wrong === 0 ? 'All samples ended as expected.' : `${wrong} samples did not end as expected.`);
  process.exitCode = wrong === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function photo(path: string): Promise<Photo> {
  return { file: basename(path), bytes: await readFile(path) };
}

async function samplePhotos(): Promise<readonly Photo[]> {
  const { samples } = await import('./samples.ts'); // draws pictures: not needed to send one photo
  return samples();
}

/** One photo from request to verdict. True where it ended as expected, or nothing was expected of it. */
async function verify(
  { file: name, bytes, expected }: Photo,
  { url, key }: { url: string; key: string },
): Promise<boolean> {
  const sourceId = values['source-id'] ?? `verify-${randomUUID()}`;
  const type = sniffContentType(bytes) ?? byExtension[extname(name).toLowerCase()] ?? 'image/jpeg';
  const headers = { 'x-api-key': key, 'content-type': 'application/json' };
  say(`${name} (${bytes.byteLength} bytes, ${type})`);
  const requested = await call(uploadsView, `${url}/verifications`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      source_id: sourceId,
      check: 'spoof_detect',
      captures: { selfie: { content_type: type, content_length: bytes.byteLength } },
    }),
  });
  await upload(requested, bytes);
  const uploadedAt = performance.now();
  say('  uploaded, waiting for the verdict …');
  for (;;) {
    const view = await call(verificationView, `${url}/verifications/${sourceId}?wait=10`, { headers });
    if (!restingStates.includes(view.state)) {
      say(`  ${view.state} …`);
      continue;
    }
    const milliseconds = Math.round(performance.now() - uploadedAt);
    const { verdict } = view;
    if (values.json) {
      console.log(JSON.stringify({ name, source_id: sourceId, state: view.state, milliseconds, verdict }));
    } else if (verdict) {
      const live = verdict.scores.live === undefined ? '' : `, live ${verdict.scores.live.toFixed(3)}`;
      const reasons = verdict.reasons.length > 0 ? `: ${verdict.reasons.join(', ')}` : '';
      say(`  ${verdict.outcome.toUpperCase()}${reasons} (${milliseconds} ms after the upload${live})`);
    } else {
      say(`  ${view.state}${view.fault ? `: ${view.fault}` : ''}`);
    }
    if (!expected) return true;
    const asExpected =
      verdict?.outcome === expected.outcome && expected.reasons.every((reason) => verdict.reasons.includes(reason));
    if (!asExpected) say(`  expected ${expected.outcome}: ${expected.reasons.join(', ')}`);
    return asExpected;
  }
}

async function upload({ uploads }: UploadsView, bytes: Uint8Array): Promise<void> {
  const put = uploads.selfie?.put;
  if (!put) throw new Error('The API gave no upload for the selfie');
  const answer = await fetch(put.url, { method: 'PUT', headers: put.headers, body: Buffer.from(bytes) });
  if (!answer.ok) throw new Error(`The upload was refused (${answer.status}): ${await answer.text()}`);
}

async function call<T>(schema: z.ZodType<T>, url: string, init: RequestInit): Promise<T> {
  const answer = await fetch(url, init).catch((error: unknown) => {
    throw new Error(`Nothing answers at ${new URL(url).origin}: is Bonafide running? (npm start)`, { cause: error });
  });
  const body: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return schema.parse(body);
  const problem = z.looseObject({ ...problemView.shape }).safeParse(body);
  throw new Error(
    problem.success
      ? `${problem.data.code}: ${problem.data.detail} ${JSON.stringify(problem.data.errors ?? '')}`
      : `The API answered ${answer.status}`,
  );
}

function say(text: string): void {
  if (!values.json) console.log(text);
}
