import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';

/**
 * Runs the CDK app for this machine's processor, and before it what the engine needs. In processes of their own:
 * neither CDK nor the bundler is needed once they have written.
 */
export async function synthesize(outputDirectory: string): Promise<void> {
  // Done already, this is a look at one file; after a fresh `npm ci` it copies what is in node_modules.
  await runScript('tools/engine-assets.ts', ['--arch', process.arch]);
  rmSync(outputDirectory, { recursive: true, force: true });
  await runScript('infra/app.ts', [], {
    CDK_OUTDIR: outputDirectory,
    CDK_CONTEXT_JSON: JSON.stringify({ architecture: process.arch, local: true }),
  });
}

async function runScript(script: string, parameters: string[], environment: Record<string, string> = {}) {
  const running = spawn(process.execPath, [script, ...parameters], {
    cwd: path.join(import.meta.dirname, '..'),
    // Its stdout is nobody's: ours may be read by a program.
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
