import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, clientOf, newSourceId } from '../client.ts';
import { type RunningStack, remove, startLocalStack } from '../local-stack.ts';
import { begin, vendorJourneys } from '../vendor-journeys.ts';

let running: RunningStack;
let client: Client;
beforeAll(async () => {
  running = await startLocalStack();
  client = clientOf(running);
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

vendorJourneys(() => running);

describe('the sandbox', () => {
  it.each([
    ['sandbox-passed', 'passed'],
    ['sandbox-failed', 'failed'],
    ['sandbox-recapture-too_dark', 'recapture'],
  ])('gives %s what its name says', async (name, outcome) => {
    const sourceId = await begin(client, 'spoof_detect', ['selfie'], {
      provider: 'sandbox',
      source_id: `${name}.${newSourceId()}`,
    });
    expect((await client.verdict(sourceId)).verdict).toMatchObject({ outcome, provider: 'sandbox' });
  });
});
