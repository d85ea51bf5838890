// The names of all tests of the checkout in the working directory, without their files: tests may move.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

const tests = z.array(z.object({ name: z.string() }));
const directory = mkdtempSync(join(tmpdir(), 'bonafide-test-names-'));

function namesOf(...options: string[]): string[] {
  const file = join(directory, 'tests.json');
  // Run and not parsed: some tests are made by functions that their files call.
  const list = ['node_modules/vitest/vitest.mjs', 'list', '--no-static-parse', `--json=${file}`, ...options];
  execFileSync(process.execPath, list, { stdio: 'inherit' });
  return tests.parse(JSON.parse(readFileSync(file, 'utf8'))).map(({ name }) => name);
}

const deployed = namesOf('--config', 'test/deployed/vitest.config.ts');
const names = [...namesOf(), ...deployed.map((name) => `deployed: ${name}`)];
rmSync(directory, { recursive: true });
for (const name of names.sort()) console.log(name);
