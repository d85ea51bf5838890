import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { VerificationView } from '../../../shared/api/verifications.ts';
import { builtin } from '../../../shared/providers/builtin/capabilities.ts';
import { portrait } from '../../../tools/samples.ts';
import { clientOf, newSourceId, put } from '../client.ts';
import { remove, startLocalStack } from '../local-stack.ts';

type Attempt = VerificationView['attempts'][number];

it('a machine killed with -9 anywhere on the way loses no verification, message, object or event', async () => {
  let stack = await startLocalStack();
  const { dataDirectory } = stack;
  onTestFinished(() => stack.kill());
  const sourceIds: string[] = [];
  for (const pause of [0, 30, 120]) {
    const client = clientOf(stack);
    const sourceId = newSourceId();
    sourceIds.push(sourceId);
    await put(await client.request(sourceId), await portrait());
    await setTimeout(pause);
    await stack.kill();
    stack = await startLocalStack(dataDirectory);
    // Two workers that die are `errored`: on a slow machine the next kills would meet this one under way.
    await clientOf(stack).verdict(sourceId);
  }
  // Once while it is worked on; again where the worker was quicker than the kill. A large photo keeps it busy longer.
  const large = await portrait(4000);
  let inFlight: Attempt[];
  do {
    const sourceId = newSourceId();
    sourceIds.push(sourceId);
    await put(await clientOf(stack).request(sourceId), large);
    while (['awaiting_captures', 'queued'].includes((await clientOf(stack).read(sourceId)).state)) await setTimeout(10);
    await stack.kill();
    stack = await startLocalStack(dataDirectory);
    inFlight = (await clientOf(stack).verdict(sourceId)).attempts;
  } while (inFlight.length < 2);
  const client = clientOf(stack);
  for (const sourceId of sourceIds) {
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
    await expect.poll(events).toBe(moves);
  }
  // The worker died with its stack: another took its lease over, long before that would have ended.
  const [killed, second] = inFlight;
  expect([killed?.result, second?.result]).toEqual(['lease_expired', 'decided']);
  const leased = Date.parse(killed?.ended_at ?? '') - Date.parse(killed?.started_at ?? '');
  expect(leased).toBeLessThan(builtin.timeoutSeconds.spoof_detect * 1000);
  expect(await stack.stop()).toBe(0);
  remove(dataDirectory);
}, 300_000);
