import { describe, expect, it } from 'vitest';
import {
  askedOf,
  replyOfBegun,
  type UploadsView,
  uploadsView,
  type VerificationRequest,
  verificationRequest,
  viewUploads,
  viewVerification,
} from '../../shared/api/verifications.ts';
import { type CapturePlace, captureKey } from '../../shared/domain/captures.ts';
import type { Turn } from '../../shared/domain/challenge.ts';
import { defaultPolicy, type Policy } from '../../shared/domain/policy.ts';
import { challengeSeconds } from '../../shared/domain/times.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { askProvider } from '../../shared/lifecycle/ask.ts';
import { beginVerification } from '../../shared/lifecycle/begin.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { landCapture } from '../../shared/lifecycle/land.ts';
import { requestCaptures } from '../../shared/lifecycle/next-round.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { registry } from '../../shared/providers/registry.ts';
import { readLanding } from '../../shared/stores/landings.ts';
import { ids, signingSecretOf } from '../builders/deployment.ts';
import { aLandingMessage, ownBucket } from '../builders/landing.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const acme = { id: 'acme', policy: defaultPolicy, credentials: {} };

/** One tenant that asks for video_verify, its client, and a provider that notes what it was asked. */
function videos(policy: Partial<Policy> = {}) {
  const at = setup();
  const tenant = { ...acme, policy: { ...defaultPolicy, ...policy } };
  let drawn = 123_455;
  const asked: (string | undefined)[] = [];
  const turns: (Turn | undefined)[] = [];
  const requesting = {
    verifications: at.verifications,
    uploads: {
      presign: async ({ verificationId, round, name, challengeNumber }: CapturePlace) => {
        const key = captureKey(verificationId, round, name, challengeNumber);
        return { put: { url: `https://put/${key}`, headers: {} }, post: { url: 'https://post', fields: { key } } };
      },
    },
    registry,
    ids,
    tenants: { deploymentCredentials: async () => ({}), hasWebhook: async () => true },
    clientTokenSecret: signingSecretOf('secret'),
    now: at.now,
    newId: () => 'id',
    randomBelow: (limit: number) => ++drawn % limit,
  };
  const find = () => findOf({ tenant }, 'u-42', { ...at, ids });
  let versions = 0;

  return {
    ...at,
    asked,
    turns,
    find,
    request: async (overrides: Partial<VerificationRequest> = {}): Promise<UploadsView> => {
      const request = verificationRequest.parse({
        source_id: 'u-42',
        check: 'video_verify',
        captures: { video: { content_type: 'video/mp4' }, id_card: { content_type: 'image/jpeg' } },
        ...overrides,
      });
      return uploadsView.parse(
        replyOfBegun(await beginVerification(askedOf(request), tenant, requesting), 'https://api.example').body,
      );
    },
    again: async () => viewUploads(await requestCaptures(await find(), undefined, requesting), 'https://api.example'),

    /** What S3 tells of an upload that was stored now, or so many seconds ago. */
    land: (view: UploadsView, name: 'video' | 'id_card', secondsAgo = 0) => {
      const time = new Date(at.now().getTime() - secondsAgo * 1000).toISOString();
      const version = { 'version-id': `v${++versions}` };
      return landCapture(
        readLanding(aLandingMessage(view.uploads[name]?.post.fields.key, version, { time }), ownBucket),
        at,
      );
    },

    /** The message of the record's queue is worked on, by a worker that may call the provider or not. */
    work: async (mayCall = true): Promise<Verification> => {
      const { verificationId, sequence } = await find();
      await askProvider(
        { verificationId, sequence },
        {
          ...at,
          captures: { ...at.captures, open: unused, stream: unused, link: unused },
          provider: builtin,
          open: async () => ({
            submit: async ({ challenge, turn }) => {
              asked.push(challenge);
              turns.push(turn);
              return { kind: 'accepted' };
            },
          }),
          gate: () => ({ mayCall: async () => mayCall, ended: async () => undefined }),
          reference: unused,
        },
      );
      return find();
    },
  };
}
const unused = () => Promise.reject(new Error('not used here'));

describe('a challenge', () => {
  it('is told with the time until which a video may say it, and stays the same while it lives', async () => {
    const { request, again, advance } = videos();
    const first = await request();
    expect(first).toMatchObject({ challenge: '123458', challenge_expires_at: '2026-01-01T00:03:00.000Z' });
    advance(challengeSeconds - 1);
    for (const view of [await request(), await again()]) {
      expect(view).toMatchObject({
        challenge: '123458',
        challenge_expires_at: '2026-01-01T00:03:00.000Z',
        sequence: 1,
      });
      expect(view.uploads.video?.post.fields.key).toBe(first.uploads.video?.post.fields.key);
    }
  });

  it('that has died is issued anew in the same round: no move, no note, a place of its own for the video', async () => {
    const { request, again, advance, find } = videos();
    const first = await request({ challenge: '407193' });
    advance(challengeSeconds);
    const second = await again();
    expect(second).toMatchObject({ challenge: '123458', challenge_expires_at: '2026-01-01T00:06:00.000Z' });
    expect(second).toMatchObject({ round: 1, sequence: 1, expires_at: first.expires_at });
    expect(second.uploads.video?.post.fields.key).toBe(`${first.uploads.video?.post.fields.key}-2`);
    expect(second.uploads.id_card?.post.fields.key).toBe(first.uploads.id_card?.post.fields.key);
    expect((await find()).history).toHaveLength(1);
    advance(challengeSeconds);
    expect(await request({ challenge: '407193' })).toMatchObject({ challenge: '123459', sequence: 1 });
  });

  it('of a check without a video is none', async () => {
    const { request } = videos();
    const view = await request({ check: 'spoof_detect', captures: { selfie: { content_type: 'image/jpeg' } } });
    expect(view).not.toHaveProperty('challenge');
    expect(view).not.toHaveProperty('challenge_expires_at');
  });

  it('of a version before, which did not write down when it was issued, never dies', async () => {
    const { verifications, again, advance, land, work, asked } = videos();
    await verifications.create(anAwaitingVerification({ sourceId: 'u-42', check: 'video_verify', challenge: '1234' }));
    advance(3000);
    const view = await again();
    expect(view.challenge).toBe('1234');
    expect(view).not.toHaveProperty('challenge_expires_at');
    await land(view, 'video');
    await land(view, 'id_card');
    await work();
    expect(asked).toEqual(['1234']);
  });

  it.each([
    ['in time is in time, however late the sweep finds its video', challengeSeconds - 10, 'dispatched'],
    ['too late is too late', challengeSeconds + 1, 'decided'],
  ])('that was said %s', async (_, saidAfter, state) => {
    const { request, advance, work, find, landings, ...at } = videos();
    await request({ challenge: '407193' });
    const { verificationId } = await find();
    advance(saidAfter);
    const storedAt = at.now().toISOString();
    const stored = { verificationId, round: 1, etag: 'e', bytes: 9, storedAt } as const;
    landings.push({ ...stored, name: 'video', versionId: 'v1' }, { ...stored, name: 'id_card', versionId: 'c1' });
    advance(7200);
    await sweepVerifications(at);
    expect(await work()).toMatchObject({ state });
    expect(at.asked).toEqual(state === 'dispatched' ? ['407193'] : []);
  });

  it('is left alone once its video has landed, however long the card takes', async () => {
    const { request, again, advance, land } = videos();
    const view = await request();
    await land(view, 'video');
    advance(challengeSeconds + 1);
    expect(await again()).toMatchObject({ challenge: view.challenge, uploads: { id_card: expect.anything() } });
  });
});

describe('a turn of the head', () => {
  const asking = { turn: true };

  it('is told with the digits where the policy asks for one, stays while they live, and is given to the provider', async () => {
    const { request, again, advance, land, work, turns, find } = videos(asking);
    const view = await request({ challenge: '407193' });
    expect(view).toMatchObject({ challenge: '407193', turn: { side: 'left', second: 2 } });
    advance(challengeSeconds - 1);
    expect((await again()).turn).toEqual(view.turn);
    await land(view, 'video');
    await land(view, 'id_card');
    await work();
    expect(turns).toEqual([view.turn]);
    expect(viewVerification(await find(), 'u-42').turn).toEqual(view.turn);
  });

  it('is drawn anew with new digits: in the same round, and in the next', async () => {
    const { request, again, advance, land, work, turns } = videos(asking);
    const first = await request();
    advance(challengeSeconds);
    const second = await again();
    expect(second).toMatchObject({ round: 1, turn: expect.anything() });
    expect(second.turn).not.toEqual(first.turn);
    await land(first, 'video'); // of dead digits, and of their turn
    await land(second, 'id_card');
    expect(await work()).toMatchObject({ verdict: { reasons: ['challenge_expired'] } });
    expect(turns).toEqual([]);
    const third = await again();
    expect(third).toMatchObject({ round: 2, turn: expect.anything() });
    expect(third.turn).not.toEqual(second.turn);
  });

  it('is none where the policy asks for none, the check has no video, or no provider of the route looks for it', async () => {
    expect(await videos().request()).not.toHaveProperty('turn');
    const selfie = { check: 'spoof_detect', captures: { selfie: { content_type: 'image/jpeg' } } } as const;
    expect(await videos(asking).request(selfie)).not.toHaveProperty('turn');
    const bySandbox = videos(asking);
    expect(await bySandbox.request({ provider: 'sandbox' })).not.toHaveProperty('turn');
    bySandbox.advance(challengeSeconds);
    expect(await bySandbox.again()).not.toHaveProperty('turn');
  });
});

describe('a video', () => {
  it.each([
    ['as its digits die', challengeSeconds, 0],
    ['in time, noticed much later', challengeSeconds + 600, 600],
  ])('stored %s is judged by them', async (_, after, secondsAgo) => {
    const { request, advance, land, work, asked } = videos();
    const view = await request();
    advance(after);
    await land(view, 'video', secondsAgo);
    await land(view, 'id_card');
    expect(await work()).toMatchObject({ state: 'dispatched', attempt: 1 });
    expect(asked).toEqual([view.challenge]);
  });

  it.each([
    ['could be', true],
    ['could not even be', false],
  ])('stored after its digits had died is a recapture where a provider %s asked; none is', async (_, mayCall) => {
    const { request, again, advance, land, work, asked, removed } = videos();
    const view = await request();
    advance(challengeSeconds + 1);
    await land(view, 'video');
    await land(view, 'id_card');
    expect(await work(mayCall)).toMatchObject({
      state: 'decided',
      sequence: 3,
      verdict: { outcome: 'recapture', reasons: ['challenge_expired'], provider: 'bonafide', policyVersion: 1 },
      attempts: [],
    });
    expect(asked).toEqual([]);
    expect(removed.sort()).toEqual(['v1', 'v2']);
    expect(await again()).toMatchObject({ round: 2, challenge: '123459' });
  });

  it('for dead digits that lands after new ones were issued is not judged by digits its speaker never saw', async () => {
    const { request, again, advance, land, work, asked } = videos();
    const first = await request();
    advance(challengeSeconds + 1);
    const second = await again();
    expect(second.challenge).not.toBe(first.challenge);
    await land(first, 'video'); // S3 stored it within the life of the new digits
    await land(second, 'id_card');
    expect(await work()).toMatchObject({ state: 'decided', verdict: { reasons: ['challenge_expired'] } });
    expect(asked).toEqual([]);
  });

  it('for new digits in a dead round is judged by them', async () => {
    const { request, again, advance, land, work, asked } = videos();
    await request();
    advance(challengeSeconds + 1);
    const second = await again();
    await land(second, 'id_card');
    await land(second, 'video');
    await work();
    expect(asked).toEqual([second.challenge]);
  });

  it('that comes again for a round it has decided finishes the deletion of captures', async () => {
    const { request, advance, land, work, removed } = videos();
    const view = await request();
    advance(challengeSeconds + 1);
    await land(view, 'video');
    await land(view, 'id_card');
    await work();
    removed.splice(0); // as if the worker had died before
    await work();
    expect(removed.sort()).toEqual(['v1', 'v2']);
  });
});

it('no provider is called as we call ourselves where we decide', () => {
  expect([...registry.keys()]).not.toContain('bonafide');
});
