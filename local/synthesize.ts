import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';

/** Runs the CDK app for this machine's processor, in a process of its own: CDK is not needed once it has written. */
export async function synthesize(outputDirectory: string): Promise<void> {
  rmSync(outputDirectory, { recursive: true, force: true });
  const project = path.join(import.meta.dirname, '..');
  const app = spawn(process.execPath, ['infra/app.ts'], {
    cwd: project,
    // Its stdout is nobody's: ours may be read by a program.
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      CDK_OUTDIR: outputDirectory,
      CDK_CONTEXT_JSON: JSON.stringify({ architecture: process.arch, local: true }),
    },
  });
  let complaints = '';
  app.stderr.on('data', (text: Buffer) => {
    complaints += text;
  });
  const [code] = (await once(app, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The stack could not be synthesized:\n${complaints.trim()}`);
}
