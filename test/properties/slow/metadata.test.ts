/** Thousands of requests: `npm run test:slow` runs it and `npm test` does not. */
import { expect, it } from 'vitest';
import { callsOf } from '../calls.ts';
import { serveApi } from '../served-api.ts';

it('metadata of any JSON comes back equal or is 422 naming the field: 10,000 random values', async () => {
  const api = await serveApi();
  const { kept, refused, values } = await callsOf(api).manyMetadata(2700);
  await api.stop();
  expect(values).toBeGreaterThanOrEqual(10_000);
  expect(kept).toBeGreaterThan(500); // refusing everything would be no answer
  expect(refused).toBeGreaterThan(50);
});
