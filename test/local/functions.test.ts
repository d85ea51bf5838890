import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FunctionDefinition, type LocalFunction, startFunction } from '../../local/functions/functions.ts';
import { isRunning } from './fixtures/is-running.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

let running: LocalFunction | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await running?.stop(100);
});

function start(more: Partial<FunctionDefinition> = {}) {
  const logDirectory = temporaryDirectory();
  const definition: FunctionDefinition = {
    name: 'test-echo',
    shortName: 'echo',
    file: path.join(import.meta.dirname, 'fixtures/functions/echo.mjs'),
    exportName: 'handler',
    timeoutSeconds: 5,
    memoryMb: 256,
    environment: { OURS: 'yes', AWS_REGION: 'us-east-1' },
    concurrency: 2,
    ...more,
  };
  const started = startFunction(definition, { logDirectory });
  running = started;
  const ask = async (act: string) =>
    (await started.invoke({ queryStringParameters: { act } })) as Record<string, unknown>;
  return { ask, logs: () => readFileSync(path.join(logDirectory, 'echo.log'), 'utf8') };
}

describe('a function', () => {
  it('finds only its own environment', async () => {
    vi.stubEnv('SECRET_OF_THE_PARENT', 'hidden');
    const environment = await start().ask('environment');
    expect(environment).toMatchObject({ OURS: 'yes', AWS_LAMBDA_FUNCTION_NAME: 'test-echo' });
    const allowed = /^(OURS|PATH|TZ|LAMBDA_TASK_ROOT|AWS_.*|NODE_CHANNEL_.*|NODE_COMPILE_CACHE)$/;
    expect(Object.keys(environment).filter((name) => !allowed.test(name))).toEqual([]);
  });

  it('keeps its process, has one invocation at a time in it, and no more processes than it may', async () => {
    const { ask } = start();
    const first = await ask('');
    expect((await ask('')).process).toBe(first.process);
    const processes = (await Promise.all(Array.from({ length: 6 }, () => ask('')))).map(({ process: pid }) => pid);
    expect(new Set(processes).size).toBeLessThanOrEqual(2);
  });

  it('is killed at its timeout, and works again', async () => {
    const { ask, logs } = start({ timeoutSeconds: 1, concurrency: 1 });
    const first = await ask('');
    const waiting = Promise.allSettled([ask('hang'), ask('')]);
    const [hung, next] = await waiting;
    expect(hung).toMatchObject({ reason: { errorType: 'Sandbox.Timedout' } });
    expect(next).toMatchObject({ status: 'fulfilled' });
    expect(next.status === 'fulfilled' && next.value.process).not.toBe(first.process);
    await expect.poll(() => isRunning(Number(first.process))).toBe(false);
    expect(logs()).toContain('Task timed out after 1 seconds');
  });

  it('fails when its handler throws or its process ends, and logs why', async () => {
    const { ask, logs } = start();
    await expect(ask('throw')).rejects.toMatchObject({ errorType: 'Error', message: 'a secret of the inside' });
    await expect(ask('exit')).rejects.toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await ask('')).toMatchObject({ queryStringParameters: { act: '' } });
    await expect.poll(logs).toContain('a secret of the inside');
  });

  it('that cannot be loaded says so at every invocation', async () => {
    const { ask, logs } = start({ exportName: 'nothing' });
    await expect(ask('')).rejects.toMatchObject({ errorType: 'Runtime.ExitError' });
    await expect.poll(logs).toContain('has no function named nothing');
  });
});
