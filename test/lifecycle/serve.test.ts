import { beforeEach, describe, expect, it } from 'vitest';
import { type CaptureName, captureKey, sniffContentType } from '../../shared/domain/captures.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import type { Tenant, Work } from '../../shared/domain/ports.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { requestCaptures } from '../../shared/lifecycle/next-round.ts';
import { retryVerification } from '../../shared/lifecycle/retry.ts';
import { type ServedCall, serveCall } from '../../shared/lifecycle/serve.ts';
import { registry } from '../../shared/providers/registry.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { ids } from '../builders/deployment.ts';
import { aLandingMessage, ownBucket } from '../builders/landing.ts';
import { start } from '../builders/verification.ts';
import { simulatedBucket } from '../simulation/bucket.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

const jpeg = Buffer.from('ffd8ffe000104a464946', 'hex');
const tenant: Tenant = { id: 'acme', policy: defaultPolicy, credentials: {} };
const picture = { contentType: sniffContentType(jpeg) ?? 'image/png', bytes: jpeg };
const call: ServedCall = {
  vendor: 'onesmartlab',
  check: 'photo_verify',
  sourceId: 'onesmartlab.1',
  captures: { selfie: picture, id_card: picture },
};

let clock = start.getTime();
let sent: (Work & { provider: string })[] = [];
/** Called before each request of the call to what it works on. */
let before = async (_request: string): Promise<void> => undefined;

function world() {
  let lastId = 0;
  const now = () => new Date(clock);
  const newId = () => `id-${++lastId}`;
  const bucket = simulatedBucket();
  const verifications = memoryVerifications({ now, newId });
  const watched = <T extends object>(name: string, target: T): T =>
    new Proxy(target, {
      get(object, property, receiver) {
        const value: unknown = Reflect.get(object, property, receiver);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          await before(`${name}.${String(property)}`);
          return value.apply(object, given);
        };
      },
    });
  const send = async (provider: string, { verificationId, sequence }: Work) => {
    await before('send');
    sent.push({ provider, verificationId, sequence });
  };
  const dependencies = {
    verifications: watched('verifications', verifications),
    captures: watched('captures', bucket.captures),
    send,
    registry,
    tenants: { deploymentCredentials: async () => ({}), hasWebhook: async () => false },
    ids,
    newId,
    now,
    randomBelow: () => 7,
    sleep: async (milliseconds: number) => {
      clock += milliseconds;
      await before('sleep');
    },
  };
  /** The event of a stored capture, as the intake takes it. */
  const notice = (record: Verification, name: CaptureName, version: string) =>
    landCapture(
      readLanding(aLandingMessage(captureKey(record.verificationId, 1, name), { 'version-id': version }), ownBucket),
      {
        ...dependencies,
        verifications,
        captures: bucket.captures,
        log: { info() {}, warn() {}, error() {} },
      },
    );
  const decide = async (record: Verification) => {
    if (record.state !== 'queued') throw new Error(record.state);
    const { landed } = record;
    const verdict = {
      outcome: 'passed' as const,
      confidence: 1,
      reasons: [],
      scores: {},
      provider: 'builtin',
      policyVersion: 1,
    };
    await verifications.move(record, 'decided', { landed, verdict });
  };
  const only = () => {
    const [record, ...others] = verifications.all();
    if (!record || others.length > 0) throw new Error(`${others.length + 1} records`);
    return record;
  };
  return { dependencies, bucket, verifications, notice, decide, only };
}

beforeEach(() => {
  clock = start.getTime();
  sent = [];
  before = async () => undefined;
});

describe('a call of a vendor’s API', () => {
  it('is a verification like any other: made, stored, handed over and waited for', async () => {
    const { dependencies, decide, only } = world();
    const requests: string[] = [];
    before = async (request) => {
      requests.push(request);
      if (request === 'sleep') await decide(only());
    };
    const rested = await serveCall(call, tenant, dependencies);
    expect(rested).toMatchObject({ state: 'decided', served: 'onesmartlab', sourceId: 'onesmartlab.1' });
    expect(sent).toEqual([{ provider: 'builtin', verificationId: rested.verificationId, sequence: 2 }]);
    expect(requests).toEqual([
      'verifications.create',
      'captures.put',
      'captures.put',
      'verifications.move',
      'send',
      'sleep',
      'verifications.find',
    ]);
    expect(clock - start.getTime()).toBe(40);
    expect(rested.history.map(({ state }) => state)).toEqual(['awaiting_captures', 'queued', 'decided']);
  });

  it('asks for no turn of the head, which its protocol cannot tell, and for no smaller face than its vendor judges', async () => {
    const { dependencies } = world();
    const policy = { ...defaultPolicy, turn: true, thresholds: { builtin: { live: 0.6, minimumFacePx: 100 } } };
    const videoCall: ServedCall = {
      ...call,
      check: 'video_verify',
      challenge: '123457',
      minimumFacePx: 128,
      captures: { video: { contentType: 'video/mp4', bytes: jpeg }, id_card: picture },
    };
    const record = await serveCall(videoCall, { ...tenant, policy }, dependencies);
    expect(record).toMatchObject({
      challenge: '123457',
      plan: { thresholds: { builtin: { live: 0.6, minimumFacePx: 128 } } },
    });
    expect(record).not.toHaveProperty('turn');
    expect(record).not.toHaveProperty('plan.turn');
  });

  it('is answered after 25 s with the record as it is', async () => {
    const { dependencies } = world();
    expect(await serveCall(call, tenant, dependencies)).toMatchObject({ state: 'queued' });
    expect(clock - start.getTime()).toBeCloseTo(25_000, -1);
  });

  it.each([
    ['of the first capture before the second is stored', 1],
    ['of both before it hands over', 2],
  ])('goes on from the record as it has become where the event comes first: %s', async (_, noticed) => {
    const { dependencies, notice, decide, only } = world();
    before = async (request) => {
      if (request === 'verifications.move' && noticed > 0) {
        const names: CaptureName[] = ['selfie', 'id_card'];
        const wanted = names.slice(0, noticed);
        noticed = 0;
        for (const name of wanted) await notice(only(), name, name === 'selfie' ? 'version-1' : 'version-2');
      }
      if (request === 'sleep') await decide(only());
    };
    const rested = await serveCall(call, tenant, dependencies);
    expect(rested).toMatchObject({
      state: 'decided',
      sequence: 3,
      landed: { selfie: { versionId: 'version-1' }, id_card: { versionId: 'version-2' } },
    });
    expect(new Set(sent.map(({ sequence }) => sequence))).toEqual(new Set([2]));
  });

  it.each(['captures.put', 'verifications.move', 'send', 'sleep'])(
    'killed before %s, it leaves nothing that the events or the sweep do not finish',
    async (fatal) => {
      const { dependencies, notice, bucket, only } = world();
      let killed = false;
      before = async (request) => {
        if (killed || request !== fatal) return;
        killed = true;
        throw new Error('killed');
      };
      await expect(serveCall(call, tenant, dependencies)).rejects.toThrow('killed');
      const stored = bucket.left(only().verificationId);
      const names: CaptureName[] = fatal === 'captures.put' ? ['id_card'] : ['selfie', 'id_card'];
      for (const [index, name] of names.entries()) await notice(only(), name, stored[index] ?? '');
      if (fatal === 'captures.put') {
        expect(only()).toMatchObject({ state: 'awaiting_captures', missing: ['selfie'] });
        expect(only()).toHaveProperty('dueAt', start.getTime() / 1000 + 60);
      } else {
        expect(only()).toMatchObject({ state: 'queued', sequence: 2 });
        expect(sent.length).toBeGreaterThan(0);
      }
    },
  );

  it('has one round and no retry', async () => {
    const { dependencies, verifications, only } = world();
    const again = { ...dependencies, verifications, captures: { exists: async () => true } };
    before = async (request) => {
      const record = request === 'sleep' ? only() : undefined;
      if (record?.state !== 'queued') return;
      const { landed } = record;
      await verifications.move(record, 'errored', { landed, fault: 'provider_failed' });
    };
    const errored = await serveCall(call, tenant, dependencies);
    await expect(retryVerification(errored, again)).rejects.toMatchObject({ code: 'state_conflict' });
    const issuing = { ...again, uploads: { presign: async () => Promise.reject(new Error('none')) } };
    const secret = { clientTokenSecret: { current: async () => 'secret' } };
    await expect(requestCaptures(errored, undefined, { ...issuing, ...secret })).rejects.toMatchObject({
      code: 'state_conflict',
      message: expect.stringContaining('onesmartlab'),
    });
  });
});
