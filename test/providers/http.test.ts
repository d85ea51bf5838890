import { expect, it } from 'vitest';
import { Fault } from '../../shared/domain/fault.ts';
import { callVendor, maximumAnswerBytes } from '../../shared/providers/http.ts';
import type { Fetch } from '../../shared/providers/provider.ts';

/** What a call ends with where the network does as `fetch` does. */
async function calling(fetch: Fetch): Promise<unknown> {
  const call = {
    provider: 'vendor',
    url: 'https://vendor.example/',
    headers: {},
    body: '{}',
    timeoutSeconds: 10,
    fetch,
  };
  return callVendor(call).catch((error: unknown) => error);
}

it('no more of an answer than its cap is read, and as much is taken', async () => {
  const chunk = new Uint8Array(64 * 1024).fill(32);
  let sent = 0;
  const sending = (bytes: number) => {
    sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (sent >= bytes) return controller.close();
        sent += chunk.byteLength;
        controller.enqueue(chunk);
      },
    });
    return calling(async () => new Response(body)).then((ended) => (ended instanceof Fault ? ended.code : 'taken'));
  };
  expect(await sending(maximumAnswerBytes)).toBe('taken');
  expect(await sending(64 * maximumAnswerBytes)).toBe('provider_unreadable');
  expect(sent).toBeLessThan(2 * maximumAnswerBytes);
});

it('a fault tells nothing of an error of the network but its code: its words may be our key or our URL', async () => {
  const cause = Object.assign(new Error('connect to https://vendor.example/?key=a-key'), { code: 'ECONNREFUSED' });
  const fault = await calling(() => Promise.reject(new TypeError('fetch failed: a-key', { cause })));
  if (!(fault instanceof Fault)) throw new Error('a fault');
  expect([fault.code, fault.message]).toEqual([
    'provider_unreachable',
    'The connection to vendor failed (ECONNREFUSED).',
  ]);
  expect(fault.cause).toBeUndefined();
});
