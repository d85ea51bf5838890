import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoint } from '../../../shared/domain/endpoint.ts';
import { daySeconds, epochSeconds } from '../../../shared/domain/times.ts';
import { webhookSigner } from '../../../shared/webhooks/sign.ts';
import { aSealedEndpoint, seals } from '../../builders/sealed.ts';
import { type Backend, startBackend } from '../backend.ts';

/** How a program of docs/receive-webhooks.md is prepared in a directory, and with which command it then runs. */
export interface Receiver {
  readonly prepare: (directory: string) => void | Promise<void>;
  /** PORT stands for the port. */
  readonly command: () => readonly string[];
}

const sign = webhookSigner(seals);

/** Spaces and escapes that no JSON library would write: what was parsed and written again is another body. */
const bodyOf = (sourceId: string, sequence: number, state: string, outcome?: string) =>
  `{ "type":"verification.${state}",  "timestamp": "2030-01-01T00:00:00.000Z", "data": {"source_id": "${sourceId}", ` +
  `"sequence": ${sequence}, "state":"${state}"${outcome ? `, "outcome": "${outcome}"` : ''}, "said": "\\u00fc\\/ \u00fc"}}`;

/** What every receiver of docs/receive-webhooks.md does, whatever it is written in. */
export function receivesWebhooks({ prepare, command }: Receiver): void {
  /** In the middle of a rotation: the receiver still knows the replaced secret alone. */
  let rotated: Endpoint;
  let endpoint: Endpoint;
  let secret: string;
  let directory: string;
  let receiver: Backend;
  let written = '';

  const start = async () => {
    receiver = await startBackend(directory, command(), undefined, {
      BONAFIDE_WEBHOOK_SECRET: secret,
      DATABASE: join(directory, 'kept'),
    });
  };
  const stop = async () => {
    await receiver.stop();
    written += receiver.written();
  };
  beforeAll(async () => {
    const tomorrow = epochSeconds(new Date()) + daySeconds;
    const sealed = await aSealedEndpoint({ v1a: true, expiring: [tomorrow] });
    rotated = sealed.endpoint;
    endpoint = { ...rotated, v1a: false, secrets: rotated.secrets.slice(1) };
    secret = sealed.texts[1] ?? '';
    directory = mkdtempSync(join(tmpdir(), 'receiver-'));
    await prepare(directory);
    await start();
  });
  afterAll(stop);

  const post = async (body: string, headers: Record<string, string>) =>
    (await fetch(`${receiver.url}/hook`, { method: 'POST', headers, body })).status;
  let ids = 0;
  const send = async (body: string, { id = `evt_${++ids}`, at = new Date(), to = endpoint } = {}) =>
    post(body, await headersOf(body, { id, at, to }));
  const headersOf = async (body: string, { id = `evt_${++ids}`, at = new Date(), to = endpoint } = {}) => ({
    'content-type': 'application/json',
    ...(await sign(to, { id, at, body })),
  });
  /** What the program did with events of a verification, in order: their sequence and how they ended. */
  const didWith = (sourceId: string) =>
    [...(written + receiver.written()).matchAll(new RegExp(`${sourceId} (\\d+ \\w+)`, 'g'))].map(([, what]) => what);

  it('takes what is signed', async () => {
    expect(await send(bodyOf('genuine', 2, 'queued'))).toBe(204);
    expect(await send(bodyOf('genuine', 4, 'decided', 'passed'))).toBe(204);
    await expect.poll(() => didWith('genuine')).toEqual(['2 queued', '4 passed']);
  });

  it('refuses a body that was changed, an old or a later timestamp, another secret, and what is no signature', async () => {
    const body = bodyOf('refused', 4, 'decided', 'failed');
    const good = await headersOf(body);
    const [, signature = ''] = good['webhook-signature'].split(',');
    const minutesAway = (minutes: number) => new Date(Date.now() + minutes * 60_000);
    expect(await post(body.replace('failed', 'passed'), good)).toBe(401);
    expect(await post(JSON.stringify(JSON.parse(body)), good)).toBe(401);
    expect(await send(body, { at: minutesAway(-6) })).toBe(401);
    expect(await send(body, { at: minutesAway(6) })).toBe(401);
    expect(await send(body, { to: (await aSealedEndpoint()).endpoint })).toBe(401);
    expect(await post(body, { ...good, 'webhook-id': 'evt_another' })).toBe(401);
    expect(await post(body, { ...good, 'webhook-timestamp': 'soon' })).toBe(401);
    for (const wrong of ['v1', 'v1,', signature, `v2,${signature}`, 'v1,ü', `v1,${signature.slice(0, -4)}`]) {
      expect(await post(body, { ...good, 'webhook-signature': Buffer.from(wrong).toString('latin1') })).toBe(401);
    }
    for (const missing of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      const others = Object.fromEntries(Object.entries(good).filter(([name]) => name !== missing));
      expect(await post(body, others)).toBe(401);
    }
    expect(didWith('refused')).toEqual([]);
    expect(await post(body, good)).toBe(204);
  });

  it('does nothing with a repeat, also of several at once', async () => {
    const repeats = Array.from({ length: 6 }, () => send(bodyOf('repeated', 3, 'dispatched'), { id: 'evt_repeated' }));
    expect(new Set(await Promise.all(repeats))).toEqual(new Set([204]));
    expect(await send(bodyOf('repeated', 3, 'dispatched'), { id: 'evt_repeated' })).toBe(204);
    await expect.poll(() => didWith('repeated')).toEqual(['3 dispatched']);
  });

  it('does not put an older event over a newer one', async () => {
    expect(await send(bodyOf('late', 4, 'decided', 'passed'))).toBe(204);
    expect(await send(bodyOf('late', 3, 'dispatched'))).toBe(204);
    expect(await send(bodyOf('late', 5, 'erased'))).toBe(204);
    await expect.poll(() => didWith('late')).toEqual(['4 passed', '5 erased']);
  });

  it('takes what is signed with two secrets, in the middle of a rotation, and with ed25519 beside them', async () => {
    const body = bodyOf('rotated', 2, 'queued');
    const headers = await headersOf(body, { to: rotated });
    expect(headers['webhook-signature'].split(' ').map((one) => one.split(',')[0])).toEqual(['v1', 'v1', 'v1a', 'v1a']);
    expect(await post(body, headers)).toBe(204);
    await expect.poll(() => didWith('rotated')).toEqual(['2 queued']);
  });

  it('acknowledges what is about no verification', async () => {
    for (const type of ['endpoint.test', 'endpoint.disabled', 'something.new']) {
      expect(await send(JSON.stringify({ type, timestamp: '2030-01-01T00:00:00.000Z', data: {} }))).toBe(204);
    }
  });

  it('remembers after a restart what it has taken', async () => {
    expect(await send(bodyOf('restarted', 4, 'decided', 'failed'), { id: 'evt_before' })).toBe(204);
    await expect.poll(() => didWith('restarted')).toEqual(['4 failed']);
    await stop();
    await start();
    expect(await send(bodyOf('restarted', 4, 'decided', 'failed'), { id: 'evt_before' })).toBe(204);
    expect(await send(bodyOf('restarted', 3, 'dispatched'), { id: 'evt_older' })).toBe(204);
    expect(await send(bodyOf('restarted', 5, 'erased'))).toBe(204);
    await expect.poll(() => didWith('restarted')).toEqual(['4 failed', '5 erased']);
  });
}
