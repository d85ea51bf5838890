import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presignable } from '../../shared/stores/captures.ts';
import { portrait } from '../../tools/samples.ts';
import { clientOf, newSourceId, put } from './client.ts';
import { journeysSeenFromInside } from './inside.ts';
import { journeys } from './journeys.ts';
import { type RunningStack, remove, startLocalStack } from './local-stack.ts';

let running: RunningStack;
let face: Uint8Array;
beforeAll(async () => {
  running = await startLocalStack();
  face = await portrait();
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

journeys(() => running);

journeysSeenFromInside(() => {
  const { environment, outputs } = running.stack;
  const config = {
    region: environment.AWS_REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
  };
  return {
    ...running,
    tenant: 'demo',
    outputs,
    s3: new S3Client({ ...config, ...presignable, endpoint: environment.AWS_ENDPOINT_URL_S3 }),
    dynamodb: new DynamoDBClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB }),
    events: async () => running.events(),
    written: async () => running.written(),
    secrets: [environment.AWS_SECRET_ACCESS_KEY],
  };
});

describe('a machine that fails', () => {
  it('killed with -9 anywhere on the way, it loses no verification, message, object or event', async () => {
    let stack = await startLocalStack();
    const { dataDirectory } = stack;
    const made: string[] = [];
    for (const pause of [0, 30, 120]) {
      const client = clientOf(stack);
      const sourceId = newSourceId();
      made.push(sourceId);
      await put(await client.request(sourceId), face);
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
  }, 180_000);
});
