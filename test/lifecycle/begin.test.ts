import { S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { qualityLimits } from '../../engine/quality.ts';
import {
  askedOf,
  redeclaredOf,
  replyOfBegun,
  type VerificationRequest,
  verificationRequest,
  viewUploads,
} from '../../shared/api/verifications.ts';
import { imageTypes } from '../../shared/domain/captures.ts';
import { readClientToken } from '../../shared/domain/client-token.ts';
import { defaultPolicy, type Policy } from '../../shared/domain/policy.ts';
import type { Tenant } from '../../shared/domain/ports.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { beginVerification } from '../../shared/lifecycle/begin.ts';
import { requestCaptures as issueAgain } from '../../shared/lifecycle/next-round.ts';
import type { Capabilities } from '../../shared/providers/provider.ts';
import { registry } from '../../shared/providers/registry.ts';
import { presignable, s3Uploads } from '../../shared/stores/captures.ts';
import { idOf, ids, signingSecretOf } from '../builders/deployment.ts';
import { landedFor, start } from '../builders/verification.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

const selfie = { selfie: { content_type: 'image/jpeg' as const } };
const asked = (overrides: object = {}) => ({
  source_id: 'u-42',
  check: 'spoof_detect',
  captures: selfie,
  ...overrides,
});
const parsed = (overrides: object = {}): VerificationRequest => verificationRequest.parse(asked(overrides));

let clock = start.getTime();
let hasWebhook = true;
let webhooksAskedFor: string[][] = [];
const now = () => new Date(clock);
const client = new S3Client({
  ...presignable,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
});
const video = {
  check: 'video_verify',
  captures: { video: { content_type: 'video/mp4' }, id_card: { content_type: 'image/jpeg' } },
};
const tenant: Tenant = { id: 'acme', policy: defaultPolicy, credentials: { capable: 'secret-name' } };

function dependencies(providers: Readonly<Record<string, Capabilities>> = Object.fromEntries(registry)) {
  let lastId = 0;
  return {
    verifications: memoryVerifications({ now, newId: () => `id-${++lastId}` }),
    ids,
    uploads: s3Uploads(client, 'captures-bucket'),
    registry: new Map(Object.entries(providers)),
    tenants: {
      deploymentCredentials: async () => ({ shared: 'bonafide/providers/shared/deployment' }),
      hasWebhook: async (...asked: string[]) => {
        webhooksAskedFor.push(asked);
        return hasWebhook;
      },
    },
    clientTokenSecret: signingSecretOf('secret'),
    now,
    newId: () => `new-${++lastId}`,
    randomBelow: () => 7,
  };
}
let deps = dependencies();
beforeEach(() => {
  clock = start.getTime();
  hasWebhook = true;
  webhooksAskedFor = [];
  deps = dependencies();
});

const origin = 'https://api.example';

const requestVerification = async (request: VerificationRequest, by: Tenant) => {
  const begun = await beginVerification(askedOf(request), by, deps);
  return { kind: begun.kind, body: replyOfBegun(begun, origin).body };
};
const request = (overrides: object = {}) => requestVerification(parsed(overrides), tenant);

const requestCaptures = async (record: Verification | undefined, captures?: VerificationRequest['captures']) =>
  viewUploads(await issueAgain(record, redeclaredOf({ captures }), deps), origin);

/** A provider that can do everything. */
const capable: Capabilities = {
  name: 'capable',
  remote: true,
  checks: ['spoof_detect', 'photo_verify', 'video_verify'],
  accepts: { selfie: ['image/jpeg'], id_card: ['image/jpeg'], video: ['video/mp4'] },
  maximumBytes: { selfie: 1_000_000 },
  consumer: 'dispatch-verification',
  answersBy: 'response',
  live: true,
  thresholds: {},
  timeoutSeconds: { spoof_detect: 10, photo_verify: 10, video_verify: 10 },
};

describe('asking for a verification', () => {
  it('gives uploads, a token and when both end', async () => {
    const { kind, body } = await request();
    expect(kind).toBe('created');
    if (!('uploads' in body)) throw new Error('uploads');
    expect(body).toMatchObject({ source_id: 'u-42', state: 'awaiting_captures', round: 1, sequence: 1 });
    expect(body.expires_at).toBe('2026-01-01T01:00:00.000Z');
    expect(readClientToken('secret', body.client_token, now())).toEqual({ verificationId: idOf('u-42') });
    expect(body.capture_url).toBe('https://api.example/capture/acme/u-42');
    const { put, post, expires_at } = body.uploads.selfie ?? {};
    expect(expires_at).toBe('2026-01-01T00:15:00.000Z');
    const url = new URL(put?.url ?? '');
    expect(url.pathname).toBe(`/captures/${idOf('u-42')}/1/selfie`);
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('content-type;host;if-none-match');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('900');
    expect(put?.url).not.toContain('checksum');
    expect(put?.headers).toEqual({ 'content-type': 'image/jpeg', 'if-none-match': '*' });
    const policy = JSON.parse(Buffer.from(post?.fields.Policy ?? '', 'base64').toString());
    expect(policy.conditions).toEqual(
      expect.arrayContaining([
        ['eq', '$Content-Type', 'image/jpeg'],
        ['content-length-range', 1, 10 * 1024 * 1024],
        { key: `captures/${idOf('u-42')}/1/selfie` },
      ]),
    );
  });

  it('says how large the face must be, by the policy or by the engine’s own limit, where the first provider has one', async () => {
    let limited = 0;
    const limits = async (overrides: object, thresholds: Policy['thresholds'] = {}, livemode = true) => {
      const by = { ...tenant, livemode, policy: { ...defaultPolicy, thresholds } };
      const { body } = await requestVerification(parsed({ source_id: `u-limits-${++limited}`, ...overrides }), by);
      return 'uploads' in body ? body.limits : 'none';
    };
    expect(await limits({})).toEqual({ minimum_face_px: qualityLimits.minimumFacePx });
    expect(await limits({}, { builtin: { minimumFacePx: 200 } })).toEqual({ minimum_face_px: 200 });
    expect(await limits({}, { builtin: { live: 0.6 } })).toEqual({ minimum_face_px: 112 });
    expect(await limits({ provider: 'sandbox' }, { builtin: { minimumFacePx: 200 } }, false)).toBeUndefined();
  });

  it('keeps a return_url of a listed origin as it was sent, as a part of the request, and refuses any other', async () => {
    const page = { returnOrigins: ['https://shop.example'], frameOrigins: [] };
    const by = { ...tenant, policy: { ...defaultPolicy, page } };
    const return_url = 'https://shop.example/done?visit=7#end';
    const { kind } = await requestVerification(parsed({ return_url }), by);
    expect(kind).toBe('created');
    expect(deps.verifications.all()).toEqual([expect.objectContaining({ returnUrl: return_url })]);
    const other = requestVerification(parsed({ return_url: 'https://shop.example/other' }), by);
    await expect(other).rejects.toMatchObject({ code: 'source_id_conflict' });
    await expect(requestVerification(parsed(), by)).rejects.toMatchObject({ code: 'source_id_conflict' });
    const evil = parsed({ source_id: 'u-43', return_url: 'https://shop.example.evil.example/' });
    const refused = { code: 'request_invalid', errors: [{ field: '/return_url' }] };
    await expect(requestVerification(evil, by)).rejects.toMatchObject(refused);
    await expect(request({ source_id: 'u-43', return_url })).rejects.toMatchObject(refused);
    expect(deps.verifications.all()).toHaveLength(1);
  });

  it('signs the length where it was declared', async () => {
    const { body } = await request({ captures: { selfie: { content_type: 'image/png', content_length: 1234 } } });
    if (!('uploads' in body)) throw new Error('uploads');
    const { put, post } = body.uploads.selfie ?? {};
    expect(new URL(put?.url ?? '').searchParams.get('X-Amz-SignedHeaders')).toContain('content-length');
    expect(put?.headers['content-length']).toBe('1234');
    expect(Buffer.from(post?.fields.Policy ?? '', 'base64').toString()).toContain('["content-length-range",1234,1234]');
  });

  it('answers the same request again, however it is written: fresh URLs, then the state alone', async () => {
    const first = await request({ metadata: { a: 1, b: { c: 2, d: 3 } } });
    clock += 60_000;
    const again = await request({ metadata: { b: { d: 3, c: 2 }, a: 1 } });
    expect(again.kind).toBe('repeated');
    if (!('uploads' in again.body) || !('uploads' in first.body)) throw new Error('uploads');
    expect(again.body.uploads.selfie?.expires_at).toBe('2026-01-01T00:16:00.000Z');
    expect(again.body.client_token).not.toBe(first.body.client_token);
    const [record] = deps.verifications.all();
    if (record?.state !== 'awaiting_captures') throw new Error('awaiting');
    await deps.verifications.move(record, 'queued', {
      landed: landedFor('spoof_detect'),
      provider: 'builtin',
      dueAt: 1,
    });
    expect((await request({ metadata: { a: 1, b: { c: 2, d: 3 } } })).body).toEqual({
      source_id: 'u-42',
      livemode: true,
      check: 'spoof_detect',
      state: 'queued',
      round: 1,
      sequence: 2,
    });
    expect(deps.verifications.all()).toHaveLength(1);
  });

  it('refuses another request under a source_id that is taken, and any under one that was erased', async () => {
    await request();
    await expect(request({ metadata: { a: 1 } })).rejects.toMatchObject({ code: 'source_id_conflict', status: 409 });
    const [record] = deps.verifications.all();
    if (!record) throw new Error('record');
    await deps.verifications.move(record, 'erased', {});
    await expect(request()).rejects.toMatchObject({ code: 'source_id_erased', status: 409 });
  });

  it('gives two tenants the same source_id without either knowing', async () => {
    await request();
    const other = await requestVerification(parsed({ metadata: { a: 1 } }), { ...tenant, id: 'other' });
    expect(other.kind).toBe('created');
  });

  it.each([
    ['photo_verify', { selfie: { content_type: 'image/jpeg' }, id_card: { content_type: 'image/jpeg' } }],
    ['video_verify', { video: { content_type: 'video/mp4' }, id_card: { content_type: 'image/jpeg' } }],
  ])('refuses %s before any upload where no provider of the route can do it', async (check, captures) => {
    deps = dependencies({ builtin: { ...capable, name: 'builtin', remote: false, checks: ['spoof_detect'] } });
    await expect(request({ check, captures })).rejects.toMatchObject({ code: 'check_unavailable', status: 422 });
    expect(deps.verifications.all()).toEqual([]);
  });

  it('takes a remote provider only with credentials: the tenant’s own, or the deployment’s', async () => {
    const shared = { ...capable, name: 'shared' };
    deps = dependencies({ capable, shared, unknown: { ...capable, name: 'unknown' } });
    await request({ provider: 'capable' });
    await request({ provider: 'shared', source_id: 'u-43' });
    expect(deps.verifications.all().map((one) => one.state === 'awaiting_captures' && one.plan.credentials)).toEqual([
      { capable: 'secret-name' },
      { shared: 'bonafide/providers/shared/deployment' },
    ]);
    await expect(request({ provider: 'unknown', source_id: 'u-44' })).rejects.toMatchObject({
      code: 'provider_unavailable',
      status: 422,
    });
  });

  it.each([
    ['capable', 'secret-name', 'npm run admin -- webhook rotate capable acme'],
    ['shared', 'bonafide/providers/shared/deployment', 'npm run admin -- webhook rotate shared deployment'],
  ])('refuses %s, which answers by webhook and has no address, saying the command', async (name, secret, command) => {
    deps = dependencies({ [name]: { ...capable, name, answersBy: 'webhook' } });
    hasWebhook = false;
    const refusal = { code: 'provider_unavailable', status: 422, message: expect.stringContaining(command) };
    await expect(request({ provider: name })).rejects.toMatchObject(refusal);
    expect(webhooksAskedFor).toEqual([['acme', name, secret]]);
    expect(deps.verifications.all()).toEqual([]);
    hasWebhook = true;
    expect((await request({ provider: name })).kind).toBe('created');
  });

  it('leaves a provider without an address out of a route that others are left in', async () => {
    deps = dependencies({
      capable: { ...capable, answersBy: 'webhook' },
      builtin: { ...capable, name: 'builtin', remote: false },
    });
    hasWebhook = false;
    const routes = { ...defaultPolicy.routes, spoof_detect: ['capable', 'builtin'] };
    await requestVerification(parsed(), { ...tenant, policy: { ...defaultPolicy, routes } });
    expect(deps.verifications.all()).toMatchObject([{ plan: { route: ['builtin'] } }]);
    expect(webhooksAskedFor).toHaveLength(1);
  });

  it('refuses a language no provider of the route has a model for', async () => {
    deps = dependencies({ capable: { ...capable, languages: ['en'] } });
    const byCapable = { ...video, provider: 'capable' };
    for (const [index, code] of ['en', 'en-US', 'EN-gb', 'en-029'].entries()) {
      expect((await request({ ...byCapable, source_id: `u-${index}`, language_code: code })).kind).toBe('created');
    }
    for (const code of ['th-TH', 'eng', 'de']) {
      await expect(request({ ...byCapable, source_id: 'u-43', language_code: code })).rejects.toMatchObject({
        code: 'language_unsupported',
        errors: [{ field: '/language_code' }],
      });
    }
  });

  it('leaves out providers that do not take as many digits, and refuses where none is left, before any upload', async () => {
    const four = { ...capable, name: 'four', challengeDigits: [4] };
    const six = { ...capable, name: 'six', challengeDigits: [6, 8] };
    deps = dependencies({ four, six });
    const credentials = { four: 'secret-name', six: 'secret-name' };
    const routes = { ...defaultPolicy.routes, video_verify: ['four', 'six'] };
    const by = { ...tenant, credentials, policy: { ...defaultPolicy, routes } };
    for (const [index, challenge] of [undefined, '407193'].entries()) {
      await requestVerification(parsed({ ...video, source_id: `u-${index}`, challenge }), by);
    }
    expect(deps.verifications.all().map((one) => one.state === 'awaiting_captures' && one.plan.route)).toEqual([
      ['six'],
      ['six'],
    ]);
    await expect(
      requestVerification(parsed({ ...video, source_id: 'u-44', provider: 'four', challenge: '407193' }), by),
    ).rejects.toMatchObject({ code: 'challenge_unsupported', status: 422, errors: [{ field: '/challenge' }] });
    expect(deps.verifications.all()).toHaveLength(2);
  });

  it('refuses a live tenant what decides nothing real: named in the request, or in any place of a stored policy', async () => {
    const named = { code: 'provider_unavailable', status: 422, errors: [{ field: '/provider' }] };
    const refusal = await request({ provider: 'sandbox' }).catch((error: unknown) => error);
    expect(refusal).toMatchObject(named);
    expect(String(refusal)).toContain('npm run admin -- tenant create NAME --test');
    for (const route of [['sandbox'], ['builtin', 'sandbox']]) {
      const policy = { ...defaultPolicy, routes: { ...defaultPolicy.routes, spoof_detect: route } };
      await expect(requestVerification(parsed(), { ...tenant, policy })).rejects.toMatchObject({
        code: 'provider_unavailable',
        status: 422,
        message: expect.stringMatching(/^routes\.spoof_detect of the policy: sandbox .* policy set/),
      });
    }
    expect(deps.verifications.all()).toEqual([]);
  });

  it('lets a test tenant use it, by name and by policy, and writes down that it was a test', async () => {
    const routes = { ...defaultPolicy.routes, spoof_detect: ['sandbox'] };
    const by = { ...tenant, livemode: false, policy: { ...defaultPolicy, routes } };
    expect((await requestVerification(parsed({ provider: 'sandbox' }), by)).body).toMatchObject({ livemode: false });
    await requestVerification(parsed({ source_id: 'u-43' }), by);
    await request({ source_id: 'u-44' });
    const [first, second, live] = deps.verifications.all();
    expect([first, second]).toMatchObject([{ livemode: false }, { livemode: false, plan: { route: ['sandbox'] } }]);
    expect(live).not.toHaveProperty('livemode');
  });

  it('refuses a provider there is none of', async () => {
    await expect(request({ provider: 'nobody' })).rejects.toMatchObject({ code: 'provider_unavailable', status: 422 });
  });

  it('refuses what the first provider could not take', async () => {
    deps = dependencies({ capable });
    const heic = { captures: { selfie: { content_type: 'image/heic' } }, provider: 'capable' };
    await expect(request(heic)).rejects.toMatchObject({
      code: 'capture_type_unsupported',
      errors: [{ field: '/captures/selfie/content_type', message: 'capable takes image/jpeg' }],
    });
    const large = {
      captures: { selfie: { content_type: 'image/jpeg', content_length: 1_000_001 } },
      provider: 'capable',
    };
    await expect(request(large)).rejects.toMatchObject({ code: 'capture_length_invalid' });
    expect(deps.verifications.all()).toEqual([]);
  });

  it('makes up a challenge for a video, or takes the caller’s', async () => {
    deps = dependencies({ capable });
    const byCapable = { ...video, provider: 'capable' };
    expect((await request(byCapable)).body).toMatchObject({ challenge: '000008' });
    expect((await request({ ...byCapable, source_id: 'u-43', challenge: '123457' })).body).toMatchObject({
      challenge: '123457',
    });
  });

  it.each([
    ['no source_id', { source_id: undefined }, '/source_id'],
    ['a path for a source_id', { source_id: '../x' }, '/source_id'],
    ['an unknown check', { check: 'dna' }, '/check'],
    ['a missing capture', { captures: {} }, '/captures/selfie'],
    ['a capture too many', { captures: { ...selfie, id_card: { content_type: 'image/jpeg' } } }, '/captures/id_card'],
    [
      'a type of another kind',
      { captures: { selfie: { content_type: 'video/mp4' } } },
      '/captures/selfie/content_type',
    ],
    ['an unknown type', { captures: { selfie: { content_type: 'text/plain' } } }, '/captures/selfie/content_type'],
    [
      'a length of nothing',
      { captures: { selfie: { content_type: 'image/png', content_length: 0 } } },
      '/captures/selfie/content_length',
    ],
    ['a challenge without a video', { challenge: '123457' }, '/challenge'],
    ['metadata over 2 KB', { metadata: { a: 'x'.repeat(2048) } }, '/metadata'],
    ['an unknown field', { selfies: 1 }, '/'],
    ...[
      '1234',
      '12345678',
      '12345',
      '1234567',
      '000000',
      '111111',
      '999999',
      '12345a',
      ' 23457',
      '１２３４５７',
      '',
    ].map((challenge): [string, object, string] => [
      `the challenge ${JSON.stringify(challenge)}`,
      { ...video, challenge },
      '/challenge',
    ]),
  ])('refuses %s, naming the field', (_, overrides, field) => {
    const result = verificationRequest.safeParse(asked(overrides));
    expect(result.error?.issues.map(({ path }) => `/${path.join('/')}`)).toContain(field);
  });
});

describe('asking for captures again', () => {
  it('re-issues the round’s URLs, never beyond the round’s end, for what is still missing', async () => {
    deps = dependencies({ capable });
    await request({
      check: 'photo_verify',
      provider: 'capable',
      captures: { selfie: { content_type: 'image/jpeg' }, id_card: { content_type: 'image/jpeg' } },
    });
    const [record] = deps.verifications.all();
    if (record?.state !== 'awaiting_captures') throw new Error('awaiting');
    await deps.verifications.land(record, { missing: ['id_card'], landed: landedFor('photo_verify') });
    clock += 3500_000;
    const [current] = deps.verifications.all();
    const again = await requestCaptures(current);
    expect(Object.keys(again.uploads)).toEqual(['id_card']);
    expect(again.uploads.id_card?.expires_at).toBe('2026-01-01T01:00:00.000Z');
    expect(again.sequence).toBe(1);
  });

  it.each(['expired', 'erased'] as const)('does not open a round for a verification that is %s', async (state) => {
    await request();
    const [record] = deps.verifications.all();
    if (!record) throw new Error('record');
    const moved = await deps.verifications.move(record, state, {});
    if (moved.kind !== 'moved') throw new Error('moved');
    await expect(requestCaptures(moved.verification)).rejects.toMatchObject({ status: 409 });
  });

  it('takes another type for the new captures, of those the provider takes', async () => {
    await request();
    const [record] = deps.verifications.all();
    const again = await requestCaptures(record, { selfie: { content_type: 'image/heic' } });
    expect(again.uploads.selfie?.put.headers['content-type']).toBe('image/heic');
    const wrong = { id_card: { content_type: 'image/jpeg' as const } };
    await expect(requestCaptures(record, wrong)).rejects.toMatchObject({ code: 'request_invalid' });
    expect(imageTypes).toContain('image/heic');
  });
});
