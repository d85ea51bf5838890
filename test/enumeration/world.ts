import { announceChanges } from '../../functions/announce-event/announce.ts';
import { noticeCapture } from '../../functions/notice-capture/notice.ts';
import { waitForRest } from '../../functions/read-verification/read.ts';
import { receiveResult } from '../../functions/receive-result/receive.ts';
import { requestCaptures, requestVerification } from '../../functions/request-verification/request.ts';
import { retryVerification } from '../../functions/retry-verification/retry.ts';
import { sweepVerifications } from '../../functions/sweep-verifications/sweep.ts';
import type { VerificationRequest } from '../../shared/api/verifications.ts';
import { type CaptureName, captureKey, imageTypes } from '../../shared/domain/captures.ts';
import type { Event } from '../../shared/domain/event.ts';
import { Fault, type FaultCode } from '../../shared/domain/fault.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import { signReference } from '../../shared/domain/reference.ts';
import type { Outcome } from '../../shared/domain/verdict.ts';
import { restingStates, type Verification, verificationIdOf } from '../../shared/domain/verification.ts';
import { attemptVerification } from '../../shared/lifecycle/attempt.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { breakerGate } from '../../shared/lifecycle/gate.ts';
import type { Answer, Provider, Delivery as Webhook } from '../../shared/providers/provider.ts';
import type { Captures, Pinned } from '../../shared/stores/captures.ts';
import type { Work } from '../../shared/stores/queues.ts';
import type { Tenant } from '../../shared/stores/tenants/row.ts';
import { found } from '../../shared/stores/verifications.ts';
import { memoryBreakers } from '../../tools/simulate/breakers.ts';
import { memoryVerifications } from '../../tools/simulate/verifications.ts';
import { start } from '../builders/verification.ts';

/** What a provider will say to attempt 1, 2, … of the verification; the last is said for ever. */
export type Script = readonly (Outcome | 'accepted' | FaultCode)[];

/** Something that waits to be delivered, at least once, in any order. */
export interface Delivery {
  readonly name: string;
  readonly deliver: () => Promise<unknown>;
}

interface Change {
  readonly sequenceNumber: string;
  readonly before: Verification | undefined;
  readonly after: Verification;
}

const quiet = { info() {}, warn() {}, error() {}, count() {} };

/**
 * Everything around the verbs, in memory: the table and its stream, the bucket and its events, the queues, the bus, and
 * providers that say what a test has them say. Nothing here delivers by itself: tests decide what, when, how often.
 */
export function world({
  scripts,
  takesNothing = [],
}: {
  scripts: Record<string, Script>;
  takesNothing?: readonly string[];
}) {
  const route = Object.keys(scripts);
  let clock = start.getTime();
  let ids = 0;
  const now = () => new Date(clock);
  const sleep = async (milliseconds: number) => {
    clock += milliseconds;
  };
  const newId = () => `id-${++ids}`;
  const verifications = memoryVerifications({ now, newId });
  const objects = new Map<string, string[]>();
  const queue: Delivery[] = [];
  const changes: Change[] = [];
  const announced = new Map<string, Set<string>>();
  let announcedUpTo = 0;
  const breakers = memoryBreakers();
  const counts = new Map<string, number>();
  const calls: { provider: string; attempt: number; round: number }[] = [];

  verifications.onChange = (before, after) => {
    changes.push({ sequenceNumber: String(changes.length + 1), before, after });
  };

  const captures: Captures = {
    async open(pinned) {
      if (!stored(pinned)) throw new Fault('capture_missing', 'gone');
      return { kind: 'bytes', bytes: new TextEncoder().encode(pinned.versionId) };
    },
    stream: () => Promise.reject(new Error('no provider here streams')),
    link: async ({ versionId }) => `https://captures/${versionId}`,
    exists: async (pinned) => stored(pinned),
    async removeVersion({ verificationId, round, name, versionId }) {
      const key = captureKey(verificationId, round, name);
      objects.set(
        key,
        (objects.get(key) ?? []).filter((version) => version !== versionId),
      );
    },
    async removeAll(verificationId) {
      for (const key of objects.keys()) if (key.includes(verificationId)) objects.delete(key);
    },
  };
  const stored = ({ verificationId, round, name, versionId }: Pinned) =>
    objects.get(captureKey(verificationId, round, name))?.includes(versionId) ?? false;

  const send = async (provider: string, { verificationId, sequence }: { verificationId: string; sequence: number }) => {
    const work: Work = { verification_id: verificationId, sequence };
    queue.push({ name: `attempt at ${provider}`, deliver: () => attemptVerification(work, attempting(provider)) });
  };

  const provider = (name: string): Provider => ({
    name,
    remote: true,
    checks: ['spoof_detect', 'photo_verify'],
    accepts: takesNothing.includes(name) ? {} : { selfie: imageTypes, id_card: imageTypes },
    maximumBytes: {},
    timeoutSeconds: { spoof_detect: 60, photo_verify: 60, video_verify: 60 },
    async submit({ attempt, round, captures: given, openCapture }): Promise<Answer> {
      const script = scripts[name] ?? [];
      const said = script[Math.min(attempt, script.length) - 1];
      calls.push({ provider: name, attempt, round });
      for (const capture of Object.keys(given)) await openCapture(capture as CaptureName);
      if (said === 'accepted') return { kind: 'accepted' };
      if (said === 'passed' || said === 'failed' || said === 'recapture') {
        return { kind: 'decided', finding: { outcome: said, confidence: null, reasons: [], scores: {} } };
      }
      throw new Fault(said ?? 'provider_failed', 'as scripted');
    },
  });

  const attempting = (name: string) => ({
    verifications,
    captures,
    provider: provider(name),
    open: async () => provider(name),
    gate: () => breakerGate(name, 60, { breakers, counts, now }),
    reference: async (verificationId: string, attempt: number) => `${verificationId}.${attempt}`,
    send,
    now,
    random: () => 0.5,
    log: quiet,
  });

  const registry = Object.fromEntries(Object.keys(scripts).map((name) => [name, provider(name)]));
  const tenant: Tenant = {
    id: 'acme',
    createdAt: start.toISOString(),
    keys: [],
    credentials: {},
    webhooks: [],
    policy: { ...defaultPolicy, routes: { spoof_detect: route, photo_verify: route, video_verify: route } },
  };
  const requesting = {
    verifications,
    uploads: {
      presign: async () => ({ put: { url: 'https://put', headers: {} }, post: { url: 'https://post', fields: {} } }),
    },
    registry,
    tenants: { deploymentCredentials: async () => Object.fromEntries(route.map((name) => [name, 'secret'])) },
    clientTokenSecret: async () => 'secret',
    now,
    newId,
    randomBelow: () => 7,
  };
  const id = verificationIdOf('acme', 'visit-7');
  const read = () => verifications.find(id);

  return {
    verifications,
    breakers,
    captures,
    calls,
    changes,
    announced,
    queue,
    objects,
    id,
    read,
    now,
    advance(seconds: number) {
      clock += seconds * 1000;
    },

    /** What the client, its server and AWS do. Each is a verb, or puts a delivery on a queue. */
    request: (check: VerificationRequest['check'] = 'spoof_detect') =>
      requestVerification(
        {
          source_id: 'visit-7',
          check,
          captures: {
            selfie: { content_type: 'image/jpeg' },
            ...(check === 'photo_verify' ? { id_card: { content_type: 'image/jpeg' as const } } : {}),
          },
        },
        tenant,
        requesting,
      ),
    reopen: async () => requestCaptures(await read(), undefined, requesting),
    retry: async () => retryVerification(await read(), { verifications, captures, send, now }),
    erase: async () => eraseVerification(found(await read()), { verifications, captures, now }),
    wait: async () => waitForRest(found(await read()), 1, { verifications, now, sleep }),
    sweep: () => sweepVerifications({ verifications, captures, send, now, log: quiet }),
    upload(name: CaptureName, round: number, versionId = `v-${round}-${name}`) {
      const key = captureKey(id, round, name);
      objects.set(key, [...(objects.get(key) ?? []), versionId]);
      const body = JSON.stringify({
        source: 'aws.s3',
        'detail-type': 'Object Created',
        time: now().toISOString(),
        detail: { reason: 'PutObject', object: { key, size: 1000, etag: 'etag', 'version-id': versionId } },
      });
      queue.push({
        name: 'notice',
        deliver: () => noticeCapture(body, { verifications, captures, send, now, log: quiet }),
      });
    },

    /** The webhook of an attempt is on its way: what it says, to the address and under the name we gave out. */
    webhook(attempt: number, provider: string, says: Outcome | FaultCode) {
      const answer: Webhook['answer'] =
        says === 'passed' || says === 'failed' || says === 'recapture'
          ? { kind: 'decided', finding: { outcome: says, confidence: null, reasons: [], scores: {} } }
          : { kind: 'fault', code: says };
      const receiving = {
        verifications,
        captures,
        send,
        now,
        tenants: { ofWebhook: async () => tenant },
        readers: { [provider]: (body: string) => ({ reference: body, answer }) },
        referenceSecret: async () => 'secret',
      };
      const body = signReference('secret', id, attempt);
      queue.push({ name: 'webhook', deliver: () => receiveResult({ provider, token: 'token', body }, receiving) });
    },

    /** Announces what the stream holds from its last checkpoint on; `checkpoint` false is a worker that died before it. */
    async announce({ checkpoint = true } = {}) {
      const batch = changes.slice(announcedUpTo);
      const end = changes.length;
      const { failed } = await announceChanges(batch, {
        put: async (events: Event[]) => {
          for (const event of events) {
            announced.set(event.id, (announced.get(event.id) ?? new Set()).add(JSON.stringify(event)));
          }
          return [];
        },
        log: quiet,
      });
      if (checkpoint && failed === undefined) announcedUpTo = end;
    },

    /** Whether the record may stay as it is for ever. */
    async rests() {
      const record = await read();
      return record === undefined || restingStates.includes(record.state);
    },
  };
}
export type World = ReturnType<typeof world>;

/** Delivers until nothing waits: messages, sweeps past every deadline, the stream. Returns how often it had to sweep. */
export async function drain(at: World): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) {
    for (let next = at.queue.shift(); next; next = at.queue.shift()) await next.deliver();
    await at.announce();
    const record = await at.read();
    const due = record && 'dueAt' in record && record.dueAt !== undefined;
    if (!due && at.queue.length === 0) return;
    at.advance(2 * 86_400);
    await at.sweep();
  }
  throw new Error('The world does not come to rest');
}

/** What must hold of every drained world, however it came there. */
export async function violations(at: World): Promise<string[]> {
  const wrong: string[] = [];
  const moves = at.changes.filter(({ before, after }) => before && after.sequence > before.sequence);
  const decidedRounds = moves.filter(({ after }) => after.state === 'decided').map(({ after }) => after.round);
  if (new Set(decidedRounds).size < decidedRounds.length) wrong.push(`rounds decided twice: ${decidedRounds}`);
  if (!(await at.rests())) wrong.push(`left ${(await at.read())?.state}`);

  const moved = new Set(moves.map(({ after }) => `evt_${after.verificationId}_${after.sequence}`));
  if (moved.size < moves.length) wrong.push('two moves with one sequence');
  for (const id of moved) if (!at.announced.has(id)) wrong.push(`no event for ${id}`);
  for (const [id, bodies] of at.announced) {
    if (!moved.has(id)) wrong.push(`an event without a move: ${id}`);
    if (bodies.size > 1) wrong.push(`${id} was sent with ${bodies.size} bodies`);
  }
  const record = await at.read();
  const sequences = (record?.history ?? []).filter(({ kind }) => kind === 'moved').map(({ sequence }) => sequence);
  if (new Set(sequences).size < sequences.length) wrong.push('a move stands twice in the history');
  if (record && record.state !== 'erased' && sequences.length !== record.sequence) {
    wrong.push(`${record.sequence} sequences and ${sequences.length} moves in the history`);
  }
  if (record?.state === 'erased' && [...at.objects.values()].flat().length > 0) wrong.push('objects outlived erasure');
  return wrong;
}
