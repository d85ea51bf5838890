import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { borrowPackages, layOut, receiverPrograms } from './programs.ts';
import { receivesWebhooks } from './receivers/receiver.ts';

describe.each(['node/express.mjs', 'node/hono.mjs'])('%s of docs/receive-webhooks.md', (server) => {
  receivesWebhooks({
    prepare: (directory) => {
      layOut(directory, { 'receive.mjs': 'node/receive.mjs', 'server.mjs': server }, receiverPrograms);
      borrowPackages(directory);
    },
    command: () => [process.execPath, 'server.mjs'],
  });
});

it('the programs of docs/receive-webhooks.md in Node are formatted and linted as this project is', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'programs-'));
  const files = [...receiverPrograms.keys()].filter((file) => file.startsWith('node/'));
  layOut(directory, Object.fromEntries(files.map((file) => [file, file])), receiverPrograms);
  const biome = ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--config-path=biome.json'];
  await promisify(execFile)(process.execPath, [...biome, directory]);
});

it.each([...receiverPrograms.keys()])('%s is run by a test', (file) => {
  const tests = globSync('test/integrate/**/*.test.ts').map((test) => readFileSync(test, 'utf8'));
  expect(tests.some((text) => text.includes(`'${file}'`))).toBe(true);
});
