import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { localContext, originsOf, sourcesKey } from '../../local/synthesize.ts';

it('gives CDK the context that was asked for, this machine, and a local origin for CORS rules to exist', () => {
  const local = { architecture: process.arch, local: true };
  expect(localContext({})).toEqual({ ...local, allowedOrigins: ['http://localhost'] });
  const allowed = originsOf('https://a.example, https://b.example:8443');
  const asked = { allowedOrigins: allowed, engineConcurrency: '4', awsLimits: 'true' };
  const allowedOrigins = ['http://localhost', 'https://a.example', 'https://b.example:8443'];
  expect(localContext(asked)).toEqual({ ...local, engineConcurrency: '4', allowedOrigins });
  for (const wrong of ['https://a.example/', 'a.example', 'https://a.example/path']) {
    expect(() => originsOf(wrong)).toThrow(
      `ALLOWED_ORIGINS must be origins like https://app.example.com, not ${wrong}`,
    );
  }
});

it('makes the stack anew when a source has changed, appeared or moved, or the context, engine or models have', () => {
  const root = mkdtempSync(join(tmpdir(), 'bonafide-'));
  for (const folder of ['infra/constructs', 'functions', 'shared', 'engine', `build/engine/${process.arch}`]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  const write = (file: string, text: string) => writeFileSync(join(root, file), text);
  const settings = (models?: string) => write('cdk.json', JSON.stringify({ context: { models } }));
  const ready = `build/engine/${process.arch}/.ready`;
  settings();
  for (const file of ['package-lock.json', 'infra/constructs/a.ts', ready]) write(file, 'one');
  const keys = [sourcesKey(root), sourcesKey(root)];
  write('infra/constructs/a.ts', 'two');
  keys.push(sourcesKey(root));
  write('shared/b.ts', '');
  keys.push(sourcesKey(root));
  renameSync(join(root, 'shared/b.ts'), join(root, 'functions/b.ts'));
  keys.push(sourcesKey(root));
  write('engine/c.ts', '');
  keys.push(sourcesKey(root));
  write(ready, 'two');
  keys.push(sourcesKey(root));
  settings('my-pack');
  keys.push(sourcesKey(root));
  mkdirSync(join(root, 'my-pack'));
  write('my-pack/manifest.json', '{}');
  keys.push(sourcesKey(root));
  keys.push(sourcesKey(root, { engineConcurrency: '4' }));
  keys.push(sourcesKey(root, { models: 'other-pack' }));
  mkdirSync(join(root, 'other-pack'));
  write('other-pack/manifest.json', '{}');
  keys.push(sourcesKey(root, { models: 'other-pack' }));
  expect(keys[1]).toBe(keys[0]);
  expect(new Set(keys).size).toBe(keys.length - 1);
  rmSync(root, { recursive: true });
});
