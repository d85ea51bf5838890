import { beforeEach, describe, expect, it } from 'vitest';
import { askedOf, verificationRequest } from '../../shared/api/verifications.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import type { SourceIds, Tenant, Verifications } from '../../shared/domain/ports.ts';
import { beginVerification } from '../../shared/lifecycle/begin.ts';
import { eraseEvery } from '../../shared/lifecycle/erase.ts';
import { findEvery, findOf } from '../../shared/lifecycle/find.ts';
import { registry } from '../../shared/providers/registry.ts';
import { clientTokenSecret, idOf, ids, legacyIdOf, signingSecretOf } from '../builders/deployment.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const sourceId = '491701234567';
const tenant: Tenant = { id: 'acme', policy: defaultPolicy, credentials: {} };
const caller = { tenant };
const asked = (metadata?: object) =>
  askedOf(
    verificationRequest.parse({
      source_id: sourceId,
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
      metadata,
    }),
  );
/** What a version from before the key would have written for that request. */
const old = anAwaitingVerification({
  verificationId: legacyIdOf(sourceId),
  sourceId,
  requestHash: asked().requestHash,
});
const ended: SourceIds = { ...ids, legacyOf: () => undefined };

let at: ReturnType<typeof setup>;
let requests: string[];
let verifications: Verifications;
beforeEach(() => {
  at = setup();
  requests = [];
  verifications = {
    ...at.verifications,
    find: (id) => {
      requests.push(id === idOf(sourceId) ? 'find' : 'find old');
      return at.verifications.find(id);
    },
    create: (record) => {
      requests.push('create');
      return at.verifications.create(record);
    },
  };
});

const begin = (metadata?: object, sourceIds = ids) =>
  beginVerification(asked(metadata), tenant, {
    ...at,
    verifications,
    ids: sourceIds,
    uploads: {
      presign: async ({ verificationId }) => ({
        put: { url: `https://captures/${verificationId}`, headers: {} },
        post: { url: 'https://captures', fields: {} },
      }),
    },
    registry,
    tenants: { deploymentCredentials: async () => ({}), hasWebhook: async () => true },
    clientTokenSecret: signingSecretOf(clientTokenSecret),
    newId: () => 'made',
    randomBelow: () => 7,
  });
const find = (sourceIds = ids) => findOf(caller, sourceId, { verifications, ids: sourceIds });
const stored = () => at.verifications.all().map(({ verificationId, state }) => [verificationId, state]);

describe('a record from before ids had a key', () => {
  it('is found under its old id', async () => {
    await at.verifications.create(old);
    expect(await find()).toEqual(old);
    expect(requests).toEqual(['find', 'find old']);
  });

  it('answers its own request again, with uploads to where it looks for them', async () => {
    await at.verifications.create(old);
    const { kind, issued } = await begin();
    expect(kind).toBe('repeated');
    expect(issued?.uploads.selfie?.put.url).toBe(`https://captures/${old.verificationId}`);
    expect(stored()).toEqual([[old.verificationId, 'awaiting_captures']]);
  });

  it('keeps its source_id taken: for another request, and once erased for every request', async () => {
    await at.verifications.create(old);
    await expect(begin({ a: 1 })).rejects.toMatchObject({ code: 'source_id_conflict' });
    await eraseEvery(await findEvery(caller, sourceId, { verifications, ids }), { ...at, verifications });
    expect(at.erased).toEqual([old.verificationId]);
    await expect(begin()).rejects.toMatchObject({ code: 'source_id_erased' });
    expect(stored()).toEqual([[old.verificationId, 'erased']]);
  });

  it('knows its request again: what is compared is what that version compared', () => {
    const request = {
      source_id: sourceId,
      check: 'video_verify',
      captures: {
        video: { content_type: 'video/mp4', content_length: 1234 },
        id_card: { content_type: 'image/jpeg' },
      },
      provider: 'onesmartlab',
      challenge: '407193',
      language_code: 'en-US',
      metadata: { b: [1, 2.5, null, true], a: { z: 'ü', y: '' } },
    };
    // python3: hashlib.sha256(json.dumps(request, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode())
    const recorded = '02a839254eb5f38d5f2b32d389a30d0a05c92bac9043e692cb4dd2feeafea43a';
    expect(askedOf(verificationRequest.parse(request)).requestHash).toBe(recorded);
  });

  it('is unknown, and its source_id free, once the deployment says that none is left', async () => {
    await at.verifications.create(old);
    await expect(find(ended)).rejects.toMatchObject({ code: 'verification_unknown' });
    expect((await begin(undefined, ended)).kind).toBe('created');
  });
});

describe('a source_id that two versions made a record of, one after the other', () => {
  beforeEach(async () => {
    await begin();
    await at.verifications.create(old);
  });

  it('means the record under the key, for a read as for a request', async () => {
    expect((await find()).verificationId).toBe(idOf(sourceId));
    expect((await begin()).verification.verificationId).toBe(idOf(sourceId));
  });

  it('is erased in both', async () => {
    const both = await findEvery(caller, sourceId, { verifications, ids });
    const tombstone = await eraseEvery(both, { ...at, verifications });
    expect(tombstone.verificationId).toBe(idOf(sourceId));
    expect(stored()).toEqual([
      [idOf(sourceId), 'erased'],
      [legacyIdOf(sourceId), 'erased'],
    ]);
    expect(at.erased.toSorted()).toEqual([idOf(sourceId), legacyIdOf(sourceId)].toSorted());
  });
});

describe('the second look', () => {
  it('costs one read where there is no record, and none where there is one', async () => {
    await begin();
    expect(requests).toEqual(['find old', 'create']);
    await find();
    expect(requests.slice(2)).toEqual(['find']);
  });

  it('costs nothing once it has ended', async () => {
    await expect(find(ended)).rejects.toMatchObject({ code: 'verification_unknown' });
    await begin(undefined, ended);
    expect(requests).toEqual(['find', 'create']);
  });
});

it('erasing a source_id that nothing was made of is refused as unknown', async () => {
  const none = await findEvery(caller, sourceId, { verifications, ids });
  await expect(eraseEvery(none, { ...at, verifications })).rejects.toMatchObject({ code: 'verification_unknown' });
});
