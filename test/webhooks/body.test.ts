import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { aKeptEvent } from '../builders/kept-event.ts';

const event = aKeptEvent({
  data: '{"id":"evt_a_4","type":"verification.decided","source_id":"u-42"}',
  verdict: '{"outcome":"passed","scores":{"live":0.99}}',
  metadata: '{"visit":7,"name":"Zoë"}',
});
const thin = { body: 'thin', metadata: false } as const;

describe('the body of an event', () => {
  // These bytes are a promise: a change of them changes what is signed of events that were kept before it.
  it.each([
    [thin, ''],
    [{ ...thin, body: 'full' }, ',"verdict":{"outcome":"passed","scores":{"live":0.99}}'],
    [{ ...thin, metadata: true }, ',"metadata":{"visit":7,"name":"Zoë"}'],
    [
      { body: 'full', metadata: true },
      ',"verdict":{"outcome":"passed","scores":{"live":0.99}},"metadata":{"visit":7,"name":"Zoë"}',
    ],
  ] as const)('of an endpoint with %j is what was kept, put together', (endpoint, added) => {
    const body = bodyOf(event, endpoint);
    expect(body).toBe(
      `{"type":"verification.decided","timestamp":"2026-01-01T00:00:09.000Z","data":{"id":"evt_a_4","type":"verification.decided","source_id":"u-42"${added}}}`,
    );
    expect(JSON.parse(body ?? '')).toMatchObject({ data: { source_id: 'u-42' } });
  });

  it('has no verdict and no metadata where there was none', () => {
    const { verdict: _, metadata: __, ...plain } = event;
    expect(bodyOf(plain, { body: 'full', metadata: true })).toBe(bodyOf(event, thin));
  });

  it('is none once the event was emptied', () => {
    expect(bodyOf(aKeptEvent({ data: undefined }), thin)).toBeUndefined();
  });
});
