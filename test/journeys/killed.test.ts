import { expect, it } from 'vitest';
import { portrait } from '../../tools/samples.ts';
import { clientOf, newSourceId, put } from './client.ts';
import { remove, startLocalStack } from './local-stack.ts';

/** Mostly waits: for the lease of a worker that was killed, and for the sweep that finds it. */
it('a machine killed with -9 anywhere on the way loses no verification, message, object or event', async () => {
  let stack = await startLocalStack();
  const { dataDirectory } = stack;
  const made: string[] = [];
  for (const pause of [0, 30, 120]) {
    const client = clientOf(stack);
    const sourceId = newSourceId();
    made.push(sourceId);
    await put(await client.request(sourceId), await portrait());
    await new Promise((resolve) => setTimeout(resolve, pause));
    await stack.kill();
    stack = await startLocalStack(dataDirectory);
  }
  const client = clientOf(stack);
  for (const sourceId of made) {
    expect((await client.verdict(sourceId)).verdict?.outcome, sourceId).toBe('passed');
    const history = await client.history(sourceId);
    expect(history.filter(({ state, kind }) => state === 'decided' && kind === 'moved')).toHaveLength(1);
    const moves = history.filter(({ kind, sequence }) => kind === 'moved' && Number(sequence) > 1).length;
    const events = () =>
      new Set(
        stack
          .events()
          .map(({ detail }) => detail as { id: string; source_id: string })
          .filter(({ source_id }) => source_id === sourceId)
          .map(({ id }) => id),
      ).size;
    await expect.poll(events, { timeout: 20_000 }).toBe(moves);
  }
  expect(await stack.stop()).toBe(0);
  remove(dataDirectory);
}, 300_000);
