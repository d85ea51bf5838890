// Runs the journeys and the contract suite of the checkout in the working directory and writes down every HTTP exchange.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What is recorded, one run and one directory each. */
const suites = {
  contracts: 'test/contracts',
  engine: 'test/journeys/slow/engine.test.ts',
  local: 'test/journeys/local.test.ts',
  vendors: 'test/journeys/slow/vendors.test.ts',
} as const;

const [output, ...only] = process.argv.slice(2);
if (!output) throw new Error('usage: record.ts DIRECTORY [SUITE …]');

const preload = pathToFileURL(join(import.meta.dirname, 'preload.ts')).href;
for (const [suite, tests] of Object.entries(suites)) {
  if (only.length > 0 && !only.includes(suite)) continue;
  const directory = resolve(output, suite);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', tests], {
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS: `--import ${preload}`, RECORDING_DIRECTORY: directory },
  });
  if (status !== 0) throw new Error(`${suite} failed: a recording of it would be one of a failure`);
}
