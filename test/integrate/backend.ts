import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { freePort, type RunningStack } from '../journeys/local-stack.ts';

/** A backend of a page, running as a process of its own. */
export interface Backend {
  readonly url: string;
  /** What it printed. */
  readonly written: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts a backend, with the address and key of a stack where it asks one, and waits until it answers. */
export async function startBackend(
  directory: string,
  [command = '', ...parameters]: readonly string[],
  bonafide?: Pick<RunningStack, 'url' | 'apiKey'>,
  variables: Readonly<Record<string, string>> = {},
): Promise<Backend> {
  const port = String(await freePort());
  const { NODE_ENV: _, ...environment } = process.env; // vitest's own
  const ofBonafide = bonafide && { BONAFIDE_URL: bonafide.url, BONAFIDE_API_KEY: bonafide.apiKey };
  const child = spawn(
    command,
    parameters.map((one) => one.replace('PORT', port)),
    {
      cwd: directory,
      env: { ...environment, PORT: port, ...ofBonafide, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, so that what it starts ends with it
    },
  );
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      written += text;
    });
  }
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`The backend ended with ${child.exitCode}: ${written}`);
    await setTimeout(100);
  }
  return {
    url,
    written: () => written,
    async stop() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await exited;
    },
  };
}

const answers = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );
