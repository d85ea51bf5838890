import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleFunction } from '../../infra/bundle.ts';
import { startFunction } from '../../local/functions/functions.ts';
import { temporaryDirectory } from '../local/fixtures/temporary-directory.ts';

/** A request that a function without its settings answers with 500: `environment.parse` throws. */
const event = { routeKey: 'GET /verifications', headers: {}, requestContext: {} };
const thrower = readFileSync('functions/read-verification/handler.ts', 'utf8')
  .split('\n')
  .findIndex((line) => line.includes('environment.parse('));
const place = `functions/read-verification/handler.ts:${thrower + 1}:`;

describe('a 500 in the log', () => {
  it('of a local function names the lines of sources', async () => {
    const directory = temporaryDirectory();
    bundleFunction('read-verification', directory, { sourceMaps: true });
    const started = startFunction(
      {
        name: 'read',
        shortName: 'read',
        file: join(directory, 'index.mjs'),
        exportName: 'handler',
        timeoutSeconds: 10,
        memoryMb: 256,
        environment: { AWS_REGION: 'us-east-1' },
        concurrency: 1,
      },
      { logDirectory: directory },
    );
    expect(await started.invoke(event)).toMatchObject({ statusCode: 500 });
    await started.stop(1000);
    expect(readFileSync(join(directory, 'read.log'), 'utf8')).toContain(place);
  });

  it('of a deployed one does by npm run source-lines', async () => {
    const directory = temporaryDirectory();
    bundleFunction('read-verification', directory);
    const script = `const { handler } = await import(${JSON.stringify(join(directory, 'index.mjs'))}); await handler(${JSON.stringify(event)}, {});`;
    const env = { AWS_REGION: 'us-east-1' };
    const { stdout: log } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env,
      encoding: 'utf8',
    });
    expect(log).toContain('request.failed');
    expect(log).not.toContain('handler.ts');
    const read = spawnSync(process.execPath, ['tools/source-lines.ts', 'read-verification'], {
      input: log,
      encoding: 'utf8',
    });
    expect(read.stdout).toContain(place);
  });
});
