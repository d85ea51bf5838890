import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as z from 'zod';
import { synthesize } from '../../local/synthesize.ts';
import { portrait } from '../../tools/samples.ts';
import { type LocalStack, localStack } from '../../tools/target.ts';

const ready = z.strictObject({ ready: z.literal(true), url: z.url(), api_key: z.string(), tenant: z.string() });

/** `npm start -- --json` as its user would run it, in a process of its own. */
export interface RunningStack {
  readonly url: string;
  readonly apiKey: string;
  readonly tenant: string;
  readonly dataDirectory: string;
  readonly stack: LocalStack;
  /** Everything it and its functions wrote. */
  readonly written: () => string;
  readonly events: () => Record<string, unknown>[];
  /** `npm run admin -- …` against this stack: what it prints. */
  readonly admin: (...words: string[]) => Promise<string>;
  /** SIGTERM; resolves to the exit code. */
  readonly stop: () => Promise<number | null>;
  /** kill -9, the functions' processes with it; one that has ended already stays so. */
  readonly kill: () => Promise<void>;
}

/** How it is started, where it is not as everybody starts it. */
export interface StartOptions {
  /** @default a free one */
  readonly port?: number;
  /** CDK context. Another one than others have is another synthesis. */
  readonly context?: Readonly<Record<string, string>>;
  /** The checkout of another version, to run that one. */
  readonly root?: string;
}

export async function startLocalStack(
  dataDirectory = mkdtempSync(join(tmpdir(), 'bonafide-')),
  { port, context = {}, root }: StartOptions = {},
): Promise<RunningStack> {
  const choices = Object.entries(context).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  if (choices.length === 0 && root === undefined) await giveSynthesis(dataDirectory);
  const child = spawn(process.execPath, ['local/start.ts', '--json', ...choices], {
    cwd: root,
    env: { ...process.env, PORT: String(port ?? (await freePort())), BONAFIDE_DATA: dataDirectory },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own: kill -9 takes its functions too
  });
  let written = '';
  child.stderr.on('data', (text: Buffer) => {
    written += text;
  });
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  const line = await new Promise<string>((resolve, reject) => {
    output.on('line', (text) => {
      lines.push(text);
      resolve(text);
    });
    child.on('exit', (code) => reject(new Error(`The stack ended with ${code}: ${written}`)));
  });
  const { url, api_key, tenant } = ready.parse(JSON.parse(line));
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return {
    url,
    apiKey: api_key,
    tenant,
    dataDirectory,
    stack: localStack.parse(JSON.parse(readFileSync(join(dataDirectory, 'stack.json'), 'utf8'))),
    written: () => {
      const logs = join(dataDirectory, 'logs');
      return [
        written,
        ...lines.slice(1),
        ...readdirSync(logs).map((file) => readFileSync(join(logs, file), 'utf8')),
      ].join('\n');
    },
    events: () =>
      readFileSync(join(dataDirectory, 'events.ndjson'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((text) => JSON.parse(text)),
    admin: async (...words) => {
      const env = { ...process.env, BONAFIDE_DATA: dataDirectory };
      return (await promisify(execFile)(process.execPath, ['tools/admin.ts', ...words], { env })).stdout;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) killGroup(child);
      await exited;
    },
  };
}

export function remove(dataDirectory: string): void {
  rmSync(dataDirectory, { recursive: true, force: true });
}

/**
 * The stack as `npm start` synthesizes it, once for all test files of a run, and the photo that it would write; `npm start`
 * finds the one made from the same sources, the other there, and takes them. `.ci/run` starts one without.
 */
export async function giveSynthesis(dataDirectory: string): Promise<void> {
  const to = join(dataDirectory, 'cdk.out');
  if (existsSync(to)) return;
  const [once, lock] = [join(tmpdir(), 'synthesis'), join(tmpdir(), 'synthesis.lock')];
  while (!(await created(lock))) await setTimeout(100);
  await synthesize(once).finally(() => rmdir(lock));
  await mkdir(dataDirectory, { recursive: true });
  await Promise.all([symlink(once, to), writeFile(join(dataDirectory, 'portrait.jpg'), await portrait())]);
}

/** False where the directory is there already. */
const created = (directory: string): Promise<boolean> =>
  mkdir(directory).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
