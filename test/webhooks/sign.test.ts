import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secretText } from '../../shared/domain/endpoint-secret.ts';
import { epochSeconds } from '../../shared/domain/times.ts';
import { publicKeysOf, validSecrets, webhookSigner } from '../../shared/webhooks/sign.ts';
import { aSealedEndpoint, seals } from '../builders/sealed.ts';
import { start } from '../builders/verification.ts';

const sign = webhookSigner(seals);
const now = epochSeconds(start);
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const message = { id: 'evt_abc_2', at: start, body: '{"type":"verification.decided","data":{"name":"Zoë 🙂"}}' };

/** Verifies as a receiver does that has nothing but the public key. */
function verifiesWith(publicKey: string, headers: Readonly<Record<string, string>>, body: string): boolean {
  const x = Buffer.from(publicKey.replace(/^whpk_/, ''), 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  return (headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((one) => one.startsWith('v1a,'))
    .some((one) => verify(null, signed, key, Buffer.from(one.slice('v1a,'.length), 'base64')));
}

beforeEach(() => void vi.useFakeTimers({ now: start, toFake: ['Date'] })); // the package asks the clock itself
afterEach(() => void vi.useRealTimers());

describe('a signed body', () => {
  it('is taken by the official package, with the secret as it was shown', async () => {
    const { endpoint, texts } = await aSealedEndpoint();
    const headers = await sign(endpoint, message);
    expect(headers).toEqual({
      'webhook-id': 'evt_abc_2',
      'webhook-timestamp': String(now),
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
    });
    for (const text of texts) expect(new Webhook(text).verify(message.body, headers)).toEqual(JSON.parse(message.body));
  });

  it("is taken with a caller's own secret of 24 to 64 bytes", async () => {
    for (const length of [24, 40, 64]) {
      const { endpoint } = await aSealedEndpoint();
      const secret = randomBytes(length);
      const secrets = [{ ...(await seals.seal(endpoint.id, secret)), createdAt: endpoint.createdAt }];
      const headers = await sign({ ...endpoint, secrets }, message);
      expect(new Webhook(secretText(secret)).verify(message.body, headers)).toEqual(JSON.parse(message.body));
    }
  });

  it('is taken with the new and the old secret in the middle of a rotation, and with the new alone after it', async () => {
    const { endpoint, texts } = await aSealedEndpoint({ v1a: true, expiring: [now + 60] });
    const during = await sign(endpoint, message);
    for (const text of texts) expect(new Webhook(text).verify(message.body, during)).toEqual(JSON.parse(message.body));
    const keys = await publicKeysOf(endpoint, start, seals);
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(verifiesWith(key, during, message.body)).toBe(true);

    vi.setSystemTime(later(60));
    const after = await sign(endpoint, { ...message, at: later(60) });
    const [fresh = '', replaced = ''] = texts;
    expect(new Webhook(fresh).verify(message.body, after)).toEqual(JSON.parse(message.body));
    expect(() => new Webhook(replaced).verify(message.body, after)).toThrow(WebhookVerificationError);
    expect(await publicKeysOf(endpoint, later(60), seals)).toEqual(keys.slice(0, 1));
    expect(validSecrets(endpoint.secrets, later(60))).toEqual(endpoint.secrets.slice(0, 1));
  });

  it('is refused with a changed body, another id, an old or future timestamp, or another secret', async () => {
    const { endpoint, texts } = await aSealedEndpoint();
    const webhook = new Webhook(texts[0] ?? '');
    const headers = await sign(endpoint, message);
    expect(() => webhook.verify(message.body.replace('decided', 'errored'), headers)).toThrow('No matching signature');
    expect(() => webhook.verify(message.body, { ...headers, 'webhook-id': 'evt_abc_3' })).toThrow(
      'No matching signature',
    );
    const moved = { ...headers, 'webhook-timestamp': String(now + 1) };
    expect(() => webhook.verify(message.body, moved)).toThrow('No matching signature');
    expect(() => new Webhook(secretText(randomBytes(32))).verify(message.body, headers)).toThrow(
      'No matching signature',
    );
    vi.setSystemTime(later(301));
    expect(() => webhook.verify(message.body, headers)).toThrow('too old');
    vi.setSystemTime(later(-301));
    expect(() => webhook.verify(message.body, headers)).toThrow('too new');
  });

  it('has an ed25519 signature beside the first where the endpoint asked for it, which its public key alone verifies', async () => {
    const { endpoint, texts } = await aSealedEndpoint({ v1a: true });
    const headers = await sign(endpoint, message);
    const [key = '', ...others] = await publicKeysOf(endpoint, start, seals);
    expect(headers['webhook-signature']).toMatch(/^v1,\S{44} v1a,\S{88}$/);
    expect([key, others]).toEqual([expect.stringMatching(/^whpk_[A-Za-z0-9+/]{43}=$/), []]);
    expect(verifiesWith(key, headers, message.body)).toBe(true);
    expect(verifiesWith(key, headers, `${message.body} `)).toBe(false);
    expect(verifiesWith(key, { ...headers, 'webhook-timestamp': String(now + 1) }, message.body)).toBe(false);
    const [stranger = ''] = await publicKeysOf((await aSealedEndpoint()).endpoint, start, seals);
    expect(verifiesWith(stranger, headers, message.body)).toBe(false);
    expect(new Webhook(texts[0] ?? '').verify(message.body, headers)).toEqual(JSON.parse(message.body));
  });

  it('has the same signature for the same message, and no secret of the endpoint is in its headers', async () => {
    const { endpoint, texts } = await aSealedEndpoint({ v1a: true });
    const headers = await sign(endpoint, message);
    expect(await sign(endpoint, message)).toEqual(headers);
    for (const text of texts) expect(JSON.stringify(headers)).not.toContain(text.slice('whsec_'.length));
  });
});
