import { type ExecFileException, execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusals } from '../../shared/providers/onesmartlab/answers.ts';
import { faceOnScreen } from '../../tools/samples.ts';
import { startOurSide } from '../contracts/submission.ts';
import { idCard, selfieOfPair } from '../engine/people.ts';
import { said, video } from '../engine/videos.ts';
import { type RunningStack, remove, startLocalStack } from '../journeys/local-stack.ts';
import { documentText, type Example, examples, type Language, runnable } from './document-examples.ts';

/* The vendors' documents, taken at their word: their own programs and bodies against `npm start`. */

let running: RunningStack;
let directory: string;

const captures = {
  'selfie.jpg': selfieOfPair,
  'card.jpg': () => idCard(),
  'others-card.jpg': () => idCard({ of: 'portrait' }),
  'screen.jpg': faceOnScreen,
  'video.mp4': () => video(),
  'still.mp4': async () => video({ people: [await selfieOfPair()], shown: 'photo' }),
};
type File = keyof typeof captures;

beforeAll(async () => {
  running = await startLocalStack();
  directory = join(running.dataDirectory, 'captures');
  mkdirSync(directory);
  for (const [name, make] of Object.entries(captures)) writeFileSync(join(directory, name), await make());
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

const commands: Readonly<Record<Language, readonly [command: string, ...before: string[]]>> = {
  curl: ['bash', '-c'],
  python: ['python3', '-c'],
  php: ['php'],
};

/** Whether this machine can run a language's examples, and what is missing where it cannot. */
const missing: Readonly<Record<Language, string | undefined>> = {
  curl: lacks('curl', ['--version'], 'curl'),
  python: lacks('python3', ['-c', 'import requests'], 'python3 with requests (test/serving/python/requirements.txt)'),
  php: lacks('php', ['-r', 'exit(function_exists("curl_init") ? 0 : 1);'], 'php-cli and php-curl'),
};

function lacks(command: string, options: string[], what: string): string | undefined {
  try {
    execFileSync(command, options, { stdio: 'ignore' });
    return undefined;
  } catch {
    return what;
  }
}

/** What the document has its reader look at: `json["predictions"]["verification"]["status"]`. */
async function statusOf(example: Example, files: { id_card: File; photo: File; video: File }): Promise<unknown> {
  const path = (name: File) => join(directory, name);
  const { program, edits } = runnable(example, {
    host: running.url,
    key: running.apiKey,
    digits: said,
    languageCode: 'en-US',
    files: { id_card: path(files.id_card), photo: path(files.photo), video: path(files.video) },
  });
  const shown = edits.map(({ from, to }) => `  ${JSON.stringify(from)} → ${JSON.stringify(to)}`);
  const [command, ...before] = commands[example.language];
  const file = join(directory, 'example.php');
  if (example.language === 'php') writeFileSync(file, program);
  const { stdout, stderr } = await ran(command, [...before, example.language === 'php' ? file : program]);
  const told = `${example.service} in ${example.language}:\n${shown.join('\n')}\n${stderr}`;
  // What a busy machine has not judged in time goes on, and is called again.
  if (stdout.includes(refusals.timedOut.body.error)) return statusOf(example, files);
  try {
    return JSON.parse(stdout).predictions.verification.status;
  } catch {
    throw new Error(`${told}\nIt printed: ${stdout}`);
  }
}

const ran = (command: string, options: readonly string[]) =>
  new Promise<{ stdout: string; stderr: string }>((resolve) => {
    const ended = (_: ExecFileException | null, stdout: string, stderr: string) => resolve({ stdout, stderr });
    execFile(command, options, { maxBuffer: 64 * 1024 * 1024 }, ended);
  });

const genuine = { id_card: 'card.jpg', photo: 'selfie.jpg', video: 'video.mp4' } as const;
const scenes = {
  'a genuine pair': [genuine, true],
  'another’s card': [{ ...genuine, id_card: 'others-card.jpg' }, false],
  'a face on a screen': [{ ...genuine, photo: 'screen.jpg', video: 'still.mp4' }, false],
} as const;

const all = examples();
let ranExamples = 0;
const skipped: string[] = [];

describe('the document’s own programs', () => {
  it('are nine', () => {
    expect(all.map(({ service, language }) => `${service} ${language}`)).toEqual(
      ['photoverify', 'videoverify', 'spoofdetect'].flatMap((service) =>
        ['curl', 'python', 'php'].map((language) => `${service} ${language}`),
      ),
    );
  });

  describe.each(all)('$service in $language', (example) => {
    const lacking = missing[example.language];
    it.skipIf(lacking)(
      lacking ? `is not run: there is no ${lacking}` : 'runs, and is answered as it says',
      async () => {
        const told = runnable(example, {
          host: 'HOST',
          key: 'KEY',
          digits: said,
          languageCode: 'en-US',
          files: genuine,
        });
        console.log(
          [`${example.service} in ${example.language}, changed:`]
            .concat(told.edits.map(({ from, to }) => `  ${JSON.stringify(from)} → ${JSON.stringify(to)}`))
            .join('\n'),
        );
        for (const [scene, [files, passes]] of Object.entries(scenes)) {
          if (example.service === 'spoofdetect' && scene === 'another’s card') continue; // it is sent no card
          expect({ scene, status: await statusOf(example, files) }).toEqual({ scene, status: passes });
        }
        ranExamples += 1;
      },
    );
    if (lacking) skipped.push(`${example.service} in ${example.language}: no ${lacking}`);
  });

  afterAll(() => {
    console.log([`${ranExamples} ran, ${skipped.length} skipped`, ...skipped].join('\n'));
  });
});

describe('SpoofSense’s body (001)', () => {
  /** `{ "data": "image_base64_string",          # base64 string of the image }`, without its comment. */
  const bodyOf = (base64: string) => {
    const [documented = ''] = /\{\s*"data"[^}]*\}/.exec(documentText('001_7aaf092c254bc1c8.txt')) ?? [];
    const edits = [
      [/,\s*#[^\n]*/, ''],
      ['image_base64_string', base64],
    ] as const;
    return edits.reduce((body, [from, to]) => body.replace(from, to), documented);
  };

  it.each([
    ['/prod/antispoofing', 'selfie.jpg', true],
    ['/prod/robust', 'selfie.jpg', true],
    ['/prod/antispoofing', 'screen.jpg', false],
    ['/prod/robust', 'screen.jpg', false],
  ] as const)('to %s with %s: the document’s check says %s', async (path, file, live) => {
    const base64 = (await captures[file]()).toString('base64');
    const post = () =>
      fetch(`${running.url}${path}`, {
        method: 'POST',
        headers: { 'x-api-key': running.apiKey },
        body: bodyOf(base64),
      });
    let answer = await post();
    while (answer.status === 504) answer = await post();
    const { model_output } = (await answer.json()) as { model_output: { prob_real: number; pred_idx: string } };
    expect(model_output.prob_real > (path === '/prod/robust' ? 0.5 : 0.55)).toBe(live);
    expect(model_output.pred_idx).toBe(live ? 'real' : 'spoof');
  });
});

describe('Identify’s body (000)', () => {
  let ours: Awaited<ReturnType<typeof startOurSide>>;
  beforeAll(async () => {
    ours = await startOurSide();
    execFileSync(process.execPath, ['tools/admin.ts', 'served-webhook', 'set', 'demo', 'ours', `${ours.url}/results`], {
      env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
    });
  });
  afterAll(() => ours.stop());

  const [documented = ''] = /\{\s*"service"[\s\S]*?\}\s*\}/.exec(documentText('000_0b691360e226a444.txt')) ?? [];

  it.each([
    ['selfie.jpg', true],
    ['screen.jpg', false],
  ] as const)('with a link to %s: its result is posted, and passed is %s', async (file, passes) => {
    const placeholders = [
      ['<LINK TO SELFIE IMAGE>', ours.serve(await captures[file]())],
      ['<YOUR WEBHOOK NAME IDENTIFIER>', 'ours'],
      ['<UNIQUE ID FOR REQUEST>', `request of ${file}`],
    ] as const;
    const body = placeholders.reduce((text, [from, to]) => text.replace(from, () => to), documented);
    const answer = await fetch(`${running.url}/identify`, {
      method: 'POST',
      headers: { 'x-api-key': running.apiKey },
      body,
    });
    expect(await answer.json()).toMatchObject({ message: 'identify-anti-spoof request received' });
    const find = () =>
      ours.posts.map(({ text }) => JSON.parse(text)).find((one) => one.payload.source_id.endsWith(file));
    await expect.poll(find).toMatchObject({ payload: { passed: passes }, error: null });
  });
});
