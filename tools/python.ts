import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes a virtual environment with exactly the versions and hashes of a requirements file, when there is none in
 * `directory` or the file has changed. Answers the directory of its commands.
 */
export async function pythonEnvironment(directory: string, requirements: string): Promise<string> {
  const stamp = join(directory, '.made-from');
  const binaries = join(directory, 'bin');
  const key = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === key) return binaries;

  await rm(directory, { recursive: true, force: true });
  await must('python3', '-m', 'venv', directory);
  const options = ['--require-hashes', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];
  await must(join(binaries, 'python'), '-m', 'pip', 'install', ...options, '--requirement', requirements);
  await writeFile(stamp, key);
  return binaries;
}

async function must(command: string, ...parameters: readonly string[]): Promise<void> {
  await run(command, parameters).catch((cause: unknown) => {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`This needs Python 3.11 or newer with venv and pip. ${said}`, { cause });
  });
}
