import { describe, expect, it } from 'vitest';
import { announceChanges, type Change } from '../../functions/announce-event/announce.ts';
import { noticeCapture } from '../../functions/notice-capture/notice.ts';
import { readCursor, waitForRest, writeCursor } from '../../functions/read-verification/read.ts';
import { retryVerification } from '../../functions/retry-verification/retry.ts';
import { sweepVerifications } from '../../functions/sweep-verifications/sweep.ts';
import { captureKey } from '../../shared/domain/captures.ts';
import type { Event } from '../../shared/domain/event.ts';
import { maximumRetries, type Verification } from '../../shared/domain/verification.ts';
import { attemptVerification } from '../../shared/lifecycle/attempt.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { openGate } from '../../shared/lifecycle/gate.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { leaseMarginSeconds } from '../../shared/providers/registry.ts';
import type { Pinned } from '../../shared/stores/captures.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

function setting() {
  let clock = start.getTime();
  let ids = 0;
  const now = () => new Date(clock);
  const sent: [string, number][] = [];
  const removed: string[] = [];
  const erased: string[] = [];
  const counted: string[] = [];
  const logged: string[] = [];
  return {
    verifications: memoryVerifications({ now, newId: () => `id-${++ids}` }),
    captures: {
      exists: async (pinned: Pinned) => !removed.includes(pinned.versionId),
      removeVersion: async ({ versionId }: Pinned) => void removed.push(versionId),
      removeAll: async (id: string) => void erased.push(id),
    },
    send: async (provider: string, { sequence }: { sequence: number }) => void sent.push([provider, sequence]),
    now,
    log: {
      info() {},
      warn() {},
      error: (event: string) => void logged.push(event),
      count: (name: string) => void counted.push(name),
    },
    sent,
    removed,
    erased,
    counted,
    logged,
    advance: (seconds: number) => {
      clock += seconds * 1000;
    },
  };
}

const record = anAwaitingVerification();
const landing = (but: object = {}, object: object = {}) =>
  JSON.stringify({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    time: '2026-01-01T00:00:00Z',
    detail: {
      reason: 'PutObject',
      object: {
        key: captureKey(record.verificationId, 1, 'selfie'),
        size: 9,
        etag: 'e',
        'version-id': 'v1',
        ...object,
      },
    },
    ...but,
  });

describe('noticing a capture', () => {
  it.each(['PutObject', 'POST Object', 'CompleteMultipartUpload', 'CopyObject'])(
    'takes one that came by %s',
    async (reason) => {
      const at = setting();
      await at.verifications.create(record);
      const event = JSON.parse(landing());
      event.detail.reason = reason;
      await noticeCapture(JSON.stringify(event), at);
      expect(await at.verifications.find(record.verificationId)).toMatchObject({
        state: 'queued',
        landed: { selfie: { versionId: 'v1', etag: 'e', bytes: 9 } },
      });
      expect(at.sent).toEqual([['builtin', 2]]);
    },
  );

  it.each([
    ['not JSON', 'x'],
    ['nothing', '{}'],
    ['another event', landing({ 'detail-type': 'Object Deleted' })],
    ['another source', landing({ source: 'aws.ec2' })],
    ['a key that is not a capture', landing({}, { key: 'captures/readme.txt' })],
    ['an unversioned object', landing({}, { 'version-id': undefined })],
    ['an S3 test event', '{"Service":"Amazon S3","Event":"s3:TestEvent"}'],
  ])('acknowledges and counts %s', async (_, body) => {
    const at = setting();
    await noticeCapture(body, at);
    expect(at.counted).toEqual(['foreign_capture_event']);
    expect(at.removed).toEqual([]);
  });

  it('sends again for a repeat of an event whose verification is still queued: the first send may be what was lost', async () => {
    const at = setting();
    await at.verifications.create(record);
    await noticeCapture(landing(), at);
    await noticeCapture(landing(), at);
    expect(at.sent).toEqual([
      ['builtin', 2],
      ['builtin', 2],
    ]);
    expect(at.removed).toEqual([]);
  });

  it('deletes and notes another version of what has landed', async () => {
    const at = setting();
    await at.verifications.create(record);
    await noticeCapture(landing(), at);
    await noticeCapture(landing({}, { 'version-id': 'v2' }), at);
    expect(at.removed).toEqual(['v2']);
    const read = await at.verifications.find(record.verificationId);
    expect(read?.history.at(-1)).toMatchObject({ kind: 'noted', code: 'capture_overwritten' });
    expect(read).toMatchObject({ landed: { selfie: { versionId: 'v1' } } });
  });

  it('deletes what lands for nobody, for an expired or an erased verification', async () => {
    const at = setting();
    await noticeCapture(landing(), at);
    await at.verifications.create(record);
    const expired = await at.verifications.move(record, 'expired', {});
    if (expired.kind !== 'moved') throw new Error('moved');
    await noticeCapture(landing({}, { 'version-id': 'v2' }), at);
    expect((await at.verifications.find(record.verificationId))?.history.at(-1)).toMatchObject({
      code: 'capture_late',
    });
    await at.verifications.move(expired.verification, 'erased', {});
    await noticeCapture(landing({}, { 'version-id': 'v3' }), at);
    expect(at.removed).toEqual(['v1', 'v2', 'v3']);
    expect((await at.verifications.find(record.verificationId))?.history).toHaveLength(1);
  });
});

describe('the sweep', () => {
  it('does not let one bad record stand in another’s way', async () => {
    const at = setting();
    await at.verifications.create(record);
    await at.verifications.create(anAwaitingVerification({ sourceId: 'visit-8' }));
    at.advance(7200);
    const { find } = at.verifications;
    at.verifications.find = async (id) => {
      if (id === record.verificationId) throw new Error('throttled');
      return find(id);
    };
    expect(await sweepVerifications(at)).toEqual({ swept: 1, failed: 1 });
    expect(at.logged).toEqual(['sweep.failed']);
  });

  it('leaves alone what is not due, or no longer', async () => {
    const at = setting();
    await at.verifications.create(record);
    expect(await sweepVerifications(at)).toEqual({ swept: 0, failed: 0 });
    expect(at.sent).toEqual([]);
  });

  it('looks at a bounded number, whatever has piled up', async () => {
    const at = setting();
    for (let one = 0; one < 400; one += 1)
      await at.verifications.create(anAwaitingVerification({ sourceId: `s-${one}` }));
    at.advance(7200);
    const { swept } = await sweepVerifications(at);
    expect(swept).toBe(100); // 4 shards × 25
  });
});

describe('announcing', () => {
  const moved = (sequence: number, state: Verification['state'] = 'queued'): Change => {
    const before = anAwaitingVerification({ sequence: sequence - 1 });
    const fields = {
      sequence,
      state,
      landed: landedFor('spoof_detect'),
      provider: 'builtin',
      fault: 'capture_missing',
    };
    return { sequenceNumber: String(sequence), before, after: { ...before, ...fields } as Verification };
  };
  const log = setting().log;

  it('announces moves, and nothing else that changes a record', async () => {
    const put: Event[] = [];
    const noted = { ...moved(2), after: moved(2).before };
    const made = { ...moved(2), before: undefined };
    const purged = { ...moved(2), after: undefined };
    await announceChanges([made, moved(2), noted, moved(3, 'errored'), purged], {
      put: async (events) => {
        put.push(...events);
        return [];
      },
      log,
    });
    expect(put.map(({ type }) => type)).toEqual(['verification.queued', 'verification.errored']);
  });

  it('puts ten at a time and only the refused ones again', async () => {
    const puts: number[] = [];
    const result = await announceChanges(
      Array.from({ length: 23 }, (_, index) => moved(index + 2)),
      {
        put: async (events) => {
          puts.push(events.length);
          return events.length === 10 && puts.length === 1 ? [3, 7] : [];
        },
        log,
      },
    );
    expect(result).toEqual({ failed: undefined });
    expect(puts).toEqual([10, 2, 10, 3]);
  });

  it('hands back the first change it could not announce', async () => {
    const changes = [moved(2), moved(3), moved(4)];
    expect(
      await announceChanges(changes, {
        put: async (events) => (events.length === 3 ? [1, 2] : events.map((_, index) => index)),
        log,
      }),
    ).toEqual({
      failed: '3',
    });
    const throwing = async () => {
      throw new Error('bus');
    };
    expect(await announceChanges(changes, { put: throwing, log })).toEqual({ failed: '2' });
  });
});

describe('waiting', () => {
  it('answers at once when the record rests, else as it is when the time is over', async () => {
    const at = setting();
    await at.verifications.create(record);
    let slept = 0;
    const sleep = async (milliseconds: number) => {
      slept += milliseconds;
      at.advance(milliseconds / 1000);
      if (slept > 2000 && (await at.verifications.find(record.verificationId))?.state === 'awaiting_captures') {
        await at.verifications.move(record, 'expired', {});
      }
    };
    expect((await waitForRest(record, 1, { ...at, sleep })).state).toBe('awaiting_captures');
    expect(slept).toBeGreaterThanOrEqual(1000);
    const rested = await waitForRest(record, 20, { ...at, sleep });
    expect(rested.state).toBe('expired');
    expect(slept).toBeLessThan(5000);
    slept = 0;
    await waitForRest(rested, 20, { ...at, sleep });
    expect(slept).toBe(0);
  });
});

describe('cursors', () => {
  it('come back as they were given, and nothing else is one', () => {
    const start = { verificationId: record.verificationId, createdAt: record.createdAt };
    expect(readCursor(writeCursor(start))).toEqual(start);
    for (const wrong of ['x', '', Buffer.from('["a","b"]').toString('base64url'), 'e30']) {
      expect(() => readCursor(wrong)).toThrow('next_cursor');
    }
  });
});

describe('retrying', () => {
  async function errored(at: ReturnType<typeof setting>, but = {}) {
    const made = anAwaitingVerification(but);
    await at.verifications.create(made);
    const landed = landedFor('spoof_detect');
    const queued = await at.verifications.move(made, 'queued', { landed, provider: 'builtin', dueAt: 1 });
    if (queued.kind !== 'moved') throw new Error('moved');
    const result = await at.verifications.move(queued.verification, 'errored', { landed, fault: 'provider_failed' });
    if (result.kind !== 'moved') throw new Error('moved');
    return result.verification;
  }

  it('begins another pass while the captures are stored', async () => {
    const at = setting();
    const queued = await retryVerification(await errored(at), at);
    expect(queued).toMatchObject({ state: 'queued', pass: 2, retries: 1 });
    expect(at.sent).toEqual([['builtin', queued.sequence]]);
  });

  it('refuses when they are gone, when it was tried too often, or when it is not errored', async () => {
    const at = setting();
    const record = await errored(at);
    at.removed.push('v1-selfie');
    await expect(retryVerification(record, at)).rejects.toMatchObject({ code: 'captures_gone', status: 409 });
    await expect(retryVerification({ ...record, retries: maximumRetries }, at)).rejects.toMatchObject({
      code: 'retries_spent',
    });
    const awaiting = anAwaitingVerification({ sourceId: 'another' });
    await expect(retryVerification(awaiting, at)).rejects.toMatchObject({ code: 'state_conflict' });
    await expect(retryVerification(undefined, at)).rejects.toMatchObject({ code: 'verification_unknown' });
  });
});

describe('attempting', () => {
  /** A queued record, and what its message needs; `stall` is how long the worker stands still while it claims. */
  async function claiming(stall: number) {
    const at = setting();
    const made = await at.verifications.create(record);
    const landed = landedFor('spoof_detect');
    const queued = await at.verifications.move(made.verification, 'queued', { landed, provider: 'builtin', dueAt: 1 });
    if (queued.kind !== 'moved') throw new Error('moved');
    let calls = 0;
    await attemptVerification(
      { verification_id: record.verificationId, sequence: queued.verification.sequence },
      {
        ...at,
        verifications: {
          ...at.verifications,
          move: async (from, to, fields, remark) => {
            if (to === 'dispatched') at.advance(stall); // the lease is already counted from before
            return at.verifications.move(from, to, fields, remark);
          },
        },
        captures: { ...at.captures, open: unused, stream: unused, link: unused },
        provider: builtin,
        open: async () => ({
          submit: async () => {
            calls += 1;
            return { kind: 'accepted' };
          },
        }),
        gate: () => openGate,
        reference: unused,
        random: () => 0.5,
      },
    );
    return { at, calls, ended: await at.verifications.find(record.verificationId) };
  }
  const unused = () => Promise.reject(new Error('not used here'));

  it('calls with the whole of a call’s time left of the lease', async () => {
    const { calls, ended } = await claiming(leaseMarginSeconds);
    expect(calls).toBe(1);
    expect(ended).toMatchObject({ state: 'dispatched', waitingFor: 'webhook' });
  });

  it('does not call where the worker stalled while it claimed: the takeover would call beside it', async () => {
    const { at, calls, ended } = await claiming(leaseMarginSeconds + 1);
    expect(calls).toBe(0);
    expect(ended).toMatchObject({ state: 'queued', attempts: [{ attempt: 1, result: 'lease_expired' }] });
    expect(at.sent).toEqual([['builtin', ended?.sequence]]);
  });
});

it('erasing leaves no object when it answers', async () => {
  const at = setting();
  await at.verifications.create(record);
  const tombstone = await eraseVerification(record, at);
  expect(tombstone.state).toBe('erased');
  expect(at.erased).toEqual([record.verificationId]);
  expect(await at.verifications.find(record.verificationId)).not.toHaveProperty('dueAt');
});
