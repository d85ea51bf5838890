import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { expect, inject, it } from 'vitest';
import * as z from 'zod';
import { portrait } from '../../tools/samples.ts';
import { openApi, run } from './run.ts';

const operation = z.object({ operationId: z.string() });
const document = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) });

it('openapi-python-client drops no operation, and brings a photo to a verdict', async () => {
  const binaries = inject('pythonBinaries');
  const env = { PATH: [binaries, process.env.PATH].join(delimiter), PYTHONDONTWRITEBYTECODE: '1' };
  const client = join('build', 'foreign', 'bonafide_client');
  rmSync(client, { recursive: true, force: true });
  const generated = await run(
    join(binaries, 'openapi-python-client'),
    ['generate', '--path', openApi, '--output-path', client, '--meta', 'none', '--fail-on-warning'],
    { env },
  );
  expect(generated.code, generated.output).toBe(0);

  const { paths } = document.parse(JSON.parse(readFileSync(openApi, 'utf8')));
  const described = Object.values(paths).flatMap((methods) => Object.values(methods));
  const modules = readdirSync(join(client, 'api'), { recursive: true, encoding: 'utf8' })
    .map((file) => basename(file))
    .filter((file) => file.endsWith('.py') && file !== '__init__.py');
  expect(modules.toSorted()).toEqual(described.map(({ operationId }) => `${snakeCase(operationId)}.py`).toSorted());

  const photo = join(tmpdir(), 'portrait.jpg');
  writeFileSync(photo, await portrait());
  const program = join(import.meta.dirname, 'python', 'selfie.py');
  const journey = await run(join(binaries, 'python'), [program, inject('url'), inject('apiKey'), randomUUID(), photo], {
    env: { ...env, PYTHONPATH: join('build', 'foreign') },
  });
  expect(journey).toEqual({ code: 0, output: 'decided: passed\n' });
});

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
