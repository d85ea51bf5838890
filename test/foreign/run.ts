import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The document all tools read. */
export const openApi = join('docs', 'openapi.json');

/** A command of this folder's own node_modules. */
export const tool = (name: string) => join(import.meta.dirname, 'node_modules', '.bin', name);

/** What a command wrote, stdout and stderr in the order they came, and its exit code. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

export async function run(
  command: string,
  parameters: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = spawn(command, parameters, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Plain text wherever this runs, and no usage reports to the maker of redocly.
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1', REDOCLY_TELEMETRY: 'off', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code: Number(code ?? 1), output };
}
