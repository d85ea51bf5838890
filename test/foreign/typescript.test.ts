import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { portrait } from '../../tools/samples.ts';
import { openApi, run, tool } from './run.ts';

it('openapi-typescript’s types compile strictly, and openapi-fetch brings a photo to a verdict with them', async () => {
  // Not a .d.ts, which `skipLibCheck` would pass over.
  const generated = await run(tool('openapi-typescript'), [openApi, '--output', 'build/foreign/openapi.ts']);
  expect(generated.code, generated.output).toBe(0);

  const compiled = await run(join('node_modules', '.bin', 'tsc'), ['--project', import.meta.dirname]);
  expect(compiled.code, compiled.output).toBe(0);

  const photo = join(tmpdir(), 'portrait.jpg');
  writeFileSync(photo, await portrait());
  const program = join(import.meta.dirname, 'typescript', 'selfie.ts');
  const journey = await run(process.execPath, [program, inject('url'), inject('apiKey'), randomUUID(), photo]);
  expect(journey).toEqual({ code: 0, output: 'decided: passed\n' });
});
