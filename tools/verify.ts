import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { type ContentType, sniffContentType } from '../shared/domain/captures.ts';
import type { Outcome, Reason } from '../shared/domain/verdict.ts';
import { type Bonafide, bonafide, isProblem, type RestingState, type Verification } from '../web/client/index.ts';
import { commandLine, misused } from './command-line.ts';
import { demoTarget } from './target.ts';

const usage = `Sends captures through a running Bonafide, shows each state as it passes, and prints the verdict.

  npm run verify -- --selfie photo.jpg      one photo (JPEG, PNG, WebP, HEIC)
  npm run verify -- --samples               four samples whose verdicts are known
  npm run verify -- --write-sample FILE     writes one of them, the portrait, and sends nothing

  --url URL        the API (default: the local stack's, else http://127.0.0.1:4000)
  --key KEY        a tenant's API key (default: BONAFIDE_API_KEY, else the local demo tenant's)
  --source-id ID   your own id for the verification (default: a new one)
  --json           one line of JSON per verdict

Ends with 0 where a photo passed, 3 where it failed, 4 where it is to be taken again (recapture), 5 where there is no
verdict (errored, expired, erased); with --samples 0 where all four ended as expected, else 1. With 1, nothing was decided
because Bonafide refused the request or did not answer; with 2 the command line is wrong.
`;

const exitCodeOf = { passed: 0, failed: 3, recapture: 4 } as const satisfies Record<Outcome, number>;
const exitCodes: ReadonlyMap<string, number> = new Map(Object.entries(exitCodeOf));
const noVerdict = 5;

interface Photo {
  readonly file: string;
  readonly bytes: Uint8Array;
}
interface SamplePhoto extends Photo {
  readonly expected: { readonly outcome: Outcome; readonly reasons: readonly Reason[] };
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
  const { url, key } = await demoTarget({ url: values.url, key: values.key });
  const client = bonafide({ base: url, key, attempts: 3 });
  if (values.samples) {
    const wrong = await verifySamples(client);
    say(wrong === 0 ? 'All samples ended as expected.' : `${wrong} samples did not end as expected.`);
    process.exitCode = wrong === 0 ? 0 : 1;
  } else {
    const { verdict } = await verify(await photo(values.selfie ?? ''), client);
    process.exitCode = exitCodes.get(verdict?.outcome ?? '') ?? noVerdict;
  }
} catch (error) {
  console.error(wordsFor(error));
  process.exitCode = 1;
}

async function photo(path: string): Promise<Photo> {
  return { file: basename(path), bytes: await readFile(path) };
}

async function samplePhotos(): Promise<readonly SamplePhoto[]> {
  const { samples } = await import('./samples.ts'); // draws pictures: not needed to send one photo
  return samples();
}

/** How many of the samples did not end as expected. */
async function verifySamples(client: Bonafide<Verification>): Promise<number> {
  let wrong = 0;
  for (const sample of await samplePhotos()) {
    const { verdict } = await verify(sample, client);
    const { outcome, reasons } = sample.expected;
    if (verdict?.outcome === outcome && reasons.every((reason) => verdict.reasons.includes(reason))) continue;
    wrong += 1;
    say(`  expected ${outcome}: ${reasons.join(', ')}`);
  }
  return wrong;
}

type Rested = Verification & { state: RestingState };

/** One photo from request to verdict. */
async function verify({ file: name, bytes }: Photo, client: Bonafide<Verification>): Promise<Rested> {
  const sourceId = values['source-id'] ?? `verify-${randomUUID()}`;
  const type = sniffContentType(bytes) ?? byExtension[extname(name).toLowerCase()] ?? 'image/jpeg';
  const selfie = new Blob([Buffer.from(bytes)], { type });
  say(`${name} (${selfie.size} bytes, ${type})`);
  await client.POST('/verifications', {
    body: {
      source_id: sourceId,
      check: 'spoof_detect',
      captures: { selfie: { content_type: type, content_length: selfie.size } },
    },
  });
  await client.uploadCaptures(sourceId, { selfie });
  const uploadedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - uploadedAt);
  say('  uploaded');
  const moves = movesOf(sourceId, client);
  const view = await client.waitForVerdict(sourceId, { waitSeconds: 1, onState: moves.show });
  const milliseconds = elapsed();
  await moves.shown();
  tell({ name, sourceId, view, milliseconds });
  return view;
}

/** Shows the states that a verification passed through; the history has those that came between two looks. */
function movesOf(sourceId: string, client: Bonafide<Verification>) {
  let shown: Promise<void> = Promise.resolve();
  let last = 1; // as it was requested
  const show = async () => {
    const { history } = await client.GET('/verifications/{source_id}/history', {
      params: { path: { source_id: sourceId } },
    });
    for (const { kind, sequence, state } of history) {
      if (kind === 'noted' || sequence <= last) continue;
      last = sequence;
      say(`  ${state}`);
    }
  };
  return {
    show: () => {
      shown = shown.then(show);
    },
    shown: () => shown,
  };
}

interface Ended {
  readonly name: string;
  readonly sourceId: string;
  readonly view: Rested;
  readonly milliseconds: number;
}

function tell({ name, sourceId, view, milliseconds }: Ended): void {
  const { state, verdict, fault } = view;
  if (values.json) {
    console.log(JSON.stringify({ name, source_id: sourceId, state, milliseconds, verdict }));
  } else if (verdict) {
    const live = verdict.scores.live === undefined ? '' : `, live ${verdict.scores.live.toFixed(3)}`;
    const reasons = verdict.reasons.length > 0 ? `: ${verdict.reasons.join(', ')}` : '';
    say(`  ${verdict.outcome.toUpperCase()}${reasons} (${milliseconds} ms after the upload${live})`);
  } else if (fault) {
    say(`  ${fault}`);
  }
}

function wordsFor(error: unknown): string {
  if (!isProblem(error)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'network_failure') return `${error.message}: is Bonafide running? (npm start)`;
  const fields = 'errors' in error ? error.errors.map(({ field, message }) => `\n  ${field} ${message}`) : [];
  return error.message + fields.join('');
}

function say(text: string): void {
  if (!values.json) console.log(text);
}
