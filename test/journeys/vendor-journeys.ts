import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import { signReference } from '../../shared/domain/reference.ts';
import { portrait } from '../../tools/samples.ts';
import { startVendorSimulator, type VendorSimulator } from '../../tools/vendor-simulator/server.ts';
import { type Client, clientOf, newSourceId } from './client.ts';

/** A deployment, with its operator's commands. */
export interface Kept {
  readonly url: string;
  /** `npm run admin -- …`; answers what it prints. */
  readonly admin: (...words: string[]) => Promise<string>;
  /** Everything it and its functions wrote. */
  readonly written: () => string | Promise<string>;
}

const directory = mkdtempSync(join(tmpdir(), 'bonafide-vendors-'));

/** Writes a file for `npm run admin` to read. */
export function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** A tenant with a route of its own: policies and credentials are set before anybody asks, so no cache is in the way. */
export async function tenant({ url, admin }: Kept, name: string, spoofDetect: string[]): Promise<Client> {
  const apiKey = /bf_\S+/.exec(await admin('tenant', 'create', name))?.[0] ?? '';
  const { version: _, ...policy } = {
    ...defaultPolicy,
    routes: { ...defaultPolicy.routes, spoof_detect: spoofDetect },
  };
  await admin('policy', 'set', name, file(`${name}.json`, policy));
  return clientOf({ url, apiKey });
}

/** What `credentials set` reads: the simulator in place of each vendor. */
export function secretsOf({ baseUrls, key }: VendorSimulator) {
  return {
    identify: { settings: { baseUrl: baseUrls.identify }, credentials: { token: key, webhookName: 'ours' } },
    spoofsense: { settings: { baseUrl: baseUrls.spoofsense }, credentials: { apiKey: key } },
    onesmartlab: { settings: { baseUrl: baseUrls.onesmartlab }, credentials: { apiKey: key } },
  };
}

/** The address of a tenant's results, as `webhook rotate` prints it. */
const addressOf = async ({ admin }: Kept, owner: string): Promise<string> =>
  (await admin('webhook', 'rotate', 'identify', owner)).split('\n')[0] ?? '';

let face: Buffer;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** Real pictures, and what begins like a video: adapters look at the first bytes, and no test here at the rest. */
const bytesOf = (name: Name): Buffer => {
  if (name === 'selfie') return face;
  if (name === 'id_card') return readFileSync('test/fixtures/portrait.png');
  return Buffer.concat([Buffer.from('\0\0\0\x18ftypisom'), Buffer.alloc(3_000_000, 'a video of a person')]);
};

const types = { selfie: 'image/jpeg', id_card: 'image/png', video: 'video/mp4' } as const;
type Name = keyof typeof types;

/** Asks, uploads everything, answers with the source_id. */
export async function begin(
  by: Client,
  check: string,
  names: Name[],
  overrides: Record<string, unknown> = {},
): Promise<string> {
  const sourceId = String(overrides.source_id ?? newSourceId());
  const captures = Object.fromEntries(names.map((name) => [name, { content_type: types[name] }]));
  const view = await by.request(sourceId, { check, captures, ...overrides });
  for (const name of names) {
    const { url, headers } = view.uploads[name]?.put ?? { url: '', headers: {} };
    expect((await fetch(url, { method: 'PUT', headers, body: bytesOf(name) })).status).toBe(200);
  }
  return sourceId;
}

/** What any deployment does with vendors: asked by each of the three, heard from by webhook, failed and passed over. */
export function vendorJourneys(kept: () => Kept): void {
  describe('vendors', () => {
    let vendors: VendorSimulator;
    let client: Client;
    let failover: Client;
    let killed: Client;
    let spent: Client;
    /** A tenant without credentials or a webhook address of its own. */
    let other: Client;
    let webhookUrl: string;
    let deploymentUrl: string;

    beforeAll(async () => {
      vendors = await startVendorSimulator();
      face = await portrait(400);
      const secrets = secretsOf(vendors);
      for (const [provider, secret] of Object.entries(secrets)) {
        await kept().admin('credentials', 'set', provider, 'deployment', file(`${provider}.json`, secret));
      }
      client = await tenant(kept(), 'asking', ['builtin']);
      failover = await tenant(kept(), 'failover', ['spoofsense', 'onesmartlab']);
      killed = await tenant(kept(), 'killed', ['spoofsense', 'onesmartlab']);
      spent = await tenant(kept(), 'spent', ['identify', 'spoofsense']);
      await kept().admin('credentials', 'set', 'identify', 'spent', file('spent-identify.json', secrets.identify));
      await addressOf(kept(), 'spent');
      other = await tenant(kept(), 'other', ['builtin']);
      deploymentUrl = await addressOf(kept(), 'deployment');
      webhookUrl = await addressOf(kept(), 'asking');
      vendors.registerWebhook('ours', webhookUrl);
    });
    afterAll(() => vendors.stop());
    beforeEach(() => vendors.reset());

    describe('SpoofSense', () => {
      it.each([
        ['genuine', 'passed', []],
        ['spoof', 'failed', ['presentation_attack_suspected']],
        ['no_face', 'recapture', ['face_not_detected']],
        ['face_too_small', 'recapture', ['face_too_small']],
      ] as const)('says %s of the very bytes that were uploaded', async (says, outcome, reasons) => {
        vendors.always('spoofsense', { says });
        const sourceId = await begin(client, 'spoof_detect', ['selfie'], { provider: 'spoofsense' });
        expect((await client.verdict(sourceId)).verdict).toMatchObject({ outcome, reasons, provider: 'spoofsense' });
        const [request, ...others] = vendors.received('spoofsense');
        expect(others).toEqual([]);
        expect(Object.values(request?.captures ?? {}).map((capture) => capture.sha256)).toEqual([sha256(face)]);
      });
    });

    describe('One Smart Lab', () => {
      it.each([
        ['spoof_detect', ['selfie'], 'genuine', 'passed', []],
        ['photo_verify', ['selfie', 'id_card'], 'genuine', 'passed', []],
        ['photo_verify', ['selfie', 'id_card'], 'mismatch', 'failed', ['face_mismatch']],
        ['video_verify', ['video', 'id_card'], 'genuine', 'passed', []],
        ['video_verify', ['video', 'id_card'], 'wrong_digits', 'failed', ['wrong_digits']],
      ] as const)('%s of %j says %s', async (check, names, says, outcome, reasons) => {
        vendors.always('onesmartlab', { says });
        const sourceId = await begin(client, check, [...names], {
          provider: 'onesmartlab',
          ...(check === 'video_verify' ? { challenge: '123457', language_code: 'th-TH' } : {}),
        });
        expect((await client.verdict(sourceId)).verdict).toMatchObject({ outcome, reasons, provider: 'onesmartlab' });
        const [request] = vendors.received('onesmartlab');
        const got = Object.values(request?.captures ?? {}).map((capture) => capture.sha256);
        expect(got.sort()).toEqual(names.map((name) => sha256(bytesOf(name))).sort());
        if (check === 'video_verify') {
          expect(request?.fields).toMatchObject({ audiochallenge: '123457', languageCode: 'th-TH' });
        }
      });
    });

    describe('Identify', () => {
      it.each([
        ['after its response', {}],
        ['before its response', { when: 'before' }],
        ['twice', { times: 2 }],
        ['and then the contrary', { contradict: true }],
      ] as const)('decides by webhook, %s, on the very bytes that were uploaded', async (_, webhook) => {
        vendors.always('identify', { says: 'genuine', webhook });
        const sourceId = await begin(client, 'spoof_detect', ['selfie'], { provider: 'identify' });
        const { verdict, attempts, sequence } = await client.verdict(sourceId);
        expect(verdict).toMatchObject({ outcome: 'passed', provider: 'identify' });
        await vendors.settled();
        expect(await client.read(sourceId)).toMatchObject({ verdict: { outcome: 'passed' }, sequence });
        expect(attempts).toHaveLength(1);
        expect(vendors.posted().every(({ status }) => status === 200)).toBe(true);
        const [request] = vendors.received('identify');
        expect(request?.captures.image?.sha256).toBe(sha256(face));
        const moves = (await client.history(sourceId)).filter(({ kind }) => kind === 'moved');
        expect(moves.map(({ state }) => state)).toEqual(['awaiting_captures', 'queued', 'dispatched', 'decided']);
      });

      it('decides for every tenant by the webhook of the deployment, whose credentials it was asked with', async () => {
        vendors.registerWebhook('ours', deploymentUrl);
        try {
          for (const by of [client, other]) {
            const sourceId = await begin(by, 'spoof_detect', ['selfie'], { provider: 'identify' });
            expect((await by.verdict(sourceId)).verdict).toMatchObject({ outcome: 'passed', provider: 'identify' });
          }
        } finally {
          vendors.registerWebhook('ours', webhookUrl);
        }
      });

      it('is not asked for a tenant without an address for its results: the request is refused, with the command', async () => {
        const unheard = await tenant(kept(), 'unheard', ['identify']);
        const credentials = file('unheard-identify.json', secretsOf(vendors).identify);
        await kept().admin('credentials', 'set', 'identify', 'unheard', credentials);
        const selfie = { selfie: { content_type: 'image/jpeg' } };
        const asked = { source_id: newSourceId(), check: 'spoof_detect', captures: selfie };
        expect(await unheard.problem('POST', '/verifications', asked)).toMatchObject({
          status: 422,
          code: 'provider_unavailable',
          detail: expect.stringContaining('npm run admin -- webhook rotate identify unheard'),
        });
      });

      it('refuses every webhook it cannot tell apart from a guess in the same words', async () => {
        const sourceId = await begin(client, 'spoof_detect', ['selfie'], { provider: 'identify' });
        await client.verdict(sourceId);
        await vendors.settled();
        const [good] = vendors.posted();
        const body = good?.body as { payload: { source_id: string } };
        const reference = body.payload.source_id;
        const send = async (url: string, sent: unknown) => {
          const answer = await fetch(url, {
            method: 'POST',
            body: typeof sent === 'string' ? sent : JSON.stringify(sent),
          });
          return { status: answer.status, text: await answer.text() };
        };
        const naming = (source_id: string) => ({ ...body, payload: { ...body.payload, source_id } });
        const forged = signReference('not our secret', reference.split('.')[0] ?? '', 1);
        const refusals = await Promise.all([
          send(webhookUrl.replace(/.{4}$/, 'AAAA'), body),
          send(webhookUrl.replace('wh_asking_', 'wh_nobody_'), body),
          send(webhookUrl.replace('/identify/', '/spoofsense/'), body),
          send(webhookUrl, naming('nonsense')),
          send(webhookUrl, naming(forged)),
          send(webhookUrl, naming(reference.replace(/^..../, 'aaaa'))),
        ]);
        expect(new Set(refusals.map(({ status }) => status))).toEqual(new Set([404]));
        expect(new Set(refusals.map(({ text }) => text)).size).toBe(1);
        expect((await send(webhookUrl, { other: 'shape' })).status).toBe(400);
        expect((await send(webhookUrl, 'x'.repeat(70_000))).status).toBe(413);
        expect((await send(webhookUrl, body)).status).toBe(200); // a repeat
        expect((await client.history(sourceId)).at(-1)).toMatchObject({ kind: 'noted', code: 'answer_repeated' });
      });
    });

    describe('a route', () => {
      it('tries a failing provider once more, then goes on to the next', async () => {
        vendors.always('spoofsense', { fault: 'failed' });
        const sourceId = await begin(failover, 'spoof_detect', ['selfie']);
        const { verdict, attempts } = await failover.verdict(sourceId);
        expect(verdict).toMatchObject({ outcome: 'passed', provider: 'onesmartlab' });
        expect(attempts.map(({ provider, result }) => [provider, result])).toEqual([
          ['spoofsense', 'provider_failed'],
          ['spoofsense', 'provider_failed'],
          ['onesmartlab', 'decided'],
        ]);
      });

      it('passes over a provider whose credits are spent, and does not ask it again', async () => {
        vendors.always('identify', { fault: 'no_credits' });
        const first = await begin(spent, 'spoof_detect', ['selfie']);
        expect((await spent.verdict(first)).verdict?.provider).toBe('spoofsense');
        const second = await begin(spent, 'spoof_detect', ['selfie']);
        expect((await spent.verdict(second)).attempts.map(({ provider }) => provider)).toEqual(['spoofsense']);
        expect(vendors.received('identify')).toHaveLength(1);
        expect((await spent.history(second)).map(({ code }) => code)).toContain('breaker_open');
        // That tenant's credentials only: everybody else still asks Identify.
        vendors.always('identify', { says: 'genuine' });
        const elsewhere = await begin(client, 'spoof_detect', ['selfie'], { provider: 'identify' });
        expect((await client.verdict(elsewhere)).verdict?.provider).toBe('identify');
      });

      it('whose first provider dies in the middle decides everything, and nothing twice', async () => {
        vendors.always('spoofsense', { latencyMilliseconds: 50 });
        const before = await Promise.all(Array.from({ length: 4 }, () => begin(killed, 'spoof_detect', ['selfie'])));
        vendors.always('spoofsense', { fault: 'reset' });
        const after = await Promise.all(Array.from({ length: 4 }, () => begin(killed, 'spoof_detect', ['selfie'])));
        for (const sourceId of [...before, ...after]) {
          expect((await killed.verdict(sourceId)).verdict?.outcome).toBe('passed');
          const decisions = (await killed.history(sourceId)).filter(
            ({ kind, state }) => kind === 'moved' && state === 'decided',
          );
          expect(decisions).toHaveLength(1);
        }
      });
    });

    it('writes no vendor’s key, link, token or reference anywhere', async () => {
      const written = await kept().written();
      for (const secret of [vendors.key, webhookUrl.split('/').at(-1) ?? '', 'X-Amz-Signature', 'of a person']) {
        expect(written.includes(secret)).toBe(false);
      }
    });
  });
}
