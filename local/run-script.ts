import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Where the project lies. */
export const root = path.dirname(import.meta.dirname);

/** Runs a script of the project in a process of its own; the error of one that fails has what it wrote on stderr. */
export async function runScript(script: string, parameters: string[], environment: Record<string, string> = {}) {
  const running = spawn(process.execPath, [script, ...parameters], {
    cwd: root,
    // Its stdout is dropped: a program may read ours.
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let complaints = '';
  running.stderr.on('data', (text: Buffer) => {
    complaints += text;
  });
  const [code] = (await once(running, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${script} failed:\n${complaints.trim()}`);
}
