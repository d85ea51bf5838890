import { type ExecFileException, execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusals } from '../../shared/providers/onesmartlab/answers.ts';
import { faceOnScreen } from '../../tools/samples.ts';
import { idCard, selfieOfPair } from '../engine/people.ts';
import { said, video } from '../engine/videos.ts';
import type { RunningStack } from '../journeys/local-stack.ts';
import { type Example, examples, type Language, runnable, type Service } from './document-examples.ts';

const captures = {
  'selfie.jpg': selfieOfPair,
  'card.jpg': () => idCard(),
  'others-card.jpg': () => idCard({ of: 'portrait' }),
  'screen.jpg': faceOnScreen,
  'video.mp4': () => video(),
  'still.mp4': async () => video({ people: [await selfieOfPair()], shown: 'photo' }),
};
type File = keyof typeof captures;

const genuine = { id_card: 'card.jpg', photo: 'selfie.jpg', video: 'video.mp4' } as const;
const scenes = {
  'a genuine pair': [genuine, true],
  'another’s card': [{ ...genuine, id_card: 'others-card.jpg' }, false],
  'a face on a screen': [{ ...genuine, photo: 'screen.jpg', video: 'still.mp4' }, false],
} as const;

/** What of a scene a service is sent. */
const sent: Readonly<Record<Service, readonly (keyof typeof genuine)[]>> = {
  photoverify: ['id_card', 'photo'],
  videoverify: ['id_card', 'video'],
  spoofdetect: ['photo'],
};

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

/** One Smart Lab's own programs of these services against a stack: each scene is answered as the document says. */
export function documentPrograms(services: readonly Service[], running: () => RunningStack): void {
  let directory: string;
  beforeAll(async () => {
    directory = join(running().dataDirectory, 'captures');
    mkdirSync(directory);
    const files = services.flatMap((service) =>
      Object.values(scenes).flatMap(([scene]) => sent[service].map((part): File => scene[part])),
    );
    for (const name of new Set(files)) writeFileSync(join(directory, name), await captures[name]());
  });

  /** What the document has its reader look at: `json["predictions"]["verification"]["status"]`. */
  async function statusOf(example: Example, files: { id_card: File; photo: File; video: File }): Promise<unknown> {
    const path = (name: File) => join(directory, name);
    const { program, edits } = runnable(example, {
      host: running().url,
      key: running().apiKey,
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

  const all = examples().filter(({ service }) => services.includes(service));
  let ranExamples = 0;
  const skipped: string[] = [];

  it('are three for each service', () => {
    expect(all.map(({ service, language }) => `${service} ${language}`)).toEqual(
      services.flatMap((service) => ['curl', 'python', 'php'].map((language) => `${service} ${language}`)),
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
}

const ran = (command: string, options: readonly string[]) =>
  new Promise<{ stdout: string; stderr: string }>((resolve) => {
    const ended = (_: ExecFileException | null, stdout: string, stderr: string) => resolve({ stdout, stderr });
    execFile(command, options, { maxBuffer: 64 * 1024 * 1024 }, ended);
  });
