import { afterEach, expect, it, vi } from 'vitest';
import { openedInInit } from '../../shared/lambda/init.ts';

afterEach(() => vi.restoreAllMocks());

it('an init ends when what it opens is open, and not before', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const order: string[] = [];
  const ended = openedInInit(promise).then(() => order.push('ended'));
  setTimeout(() => {
    order.push('open');
    resolve();
  }, 20);
  await ended;
  expect(order).toEqual(['open', 'ended']);
});

it('an init that would take longer than Lambda waits ends before, and the first message waits for the rest', async () => {
  await openedInInit(new Promise(() => undefined), 20);
});

it('an init that fails ends all the same, and says why in a line that has no message of strangers', async () => {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await openedInInit(Promise.reject(new TypeError('a path, a key')));
  const [line = ''] = written.mock.calls.map(([text]) => String(text));
  expect(JSON.parse(line)).toMatchObject({ level: 'ERROR', event: 'init.failed', error: 'TypeError' });
  expect(line).not.toContain('a key');
});
