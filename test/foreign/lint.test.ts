import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openApi, run, tool } from './run.ts';

it('docs/openapi.json has no error by redocly’s recommended rules', async () => {
  const { code, output } = await run(tool('redocly'), ['lint', '--extends=recommended', '--format=stylish', openApi]);
  expect(code, output).toBe(0);
});

it('docs/openapi.json has no error by spectral’s rules for OpenAPI', async () => {
  const ruleset = join(import.meta.dirname, 'spectral.yaml');
  const { code, output } = await run(tool('spectral'), [
    'lint',
    '--fail-severity=error',
    '--ruleset',
    ruleset,
    openApi,
  ]);
  expect(code, output).toBe(0);
});
