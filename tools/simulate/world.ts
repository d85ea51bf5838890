import { announceChanges, type Change } from '../../functions/announce-event/announce.ts';
import { noticeCapture } from '../../functions/notice-capture/notice.ts';
import { waitForRest } from '../../functions/read-verification/read.ts';
import { receiveResult } from '../../functions/receive-result/receive.ts';
import { requestCaptures, requestVerification } from '../../functions/request-verification/request.ts';
import { retryVerification } from '../../functions/retry-verification/retry.ts';
import { sweepVerifications } from '../../functions/sweep-verifications/sweep.ts';
import { type CaptureName, capturesOf } from '../../shared/domain/captures.ts';
import type { Event } from '../../shared/domain/event.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import { readReference, signReference } from '../../shared/domain/reference.ts';
import { verificationIdOf } from '../../shared/domain/verification.ts';
import { attemptVerification } from '../../shared/lifecycle/attempt.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { breakerGate } from '../../shared/lifecycle/gate.ts';
import { leaseMarginSeconds } from '../../shared/providers/registry.ts';
import type { Work } from '../../shared/stores/queues.ts';
import type { Tenant } from '../../shared/stores/tenants/row.ts';
import { found } from '../../shared/stores/verifications.ts';
import { memoryBreakers } from './breakers.ts';
import { simulatedBucket } from './bucket.ts';
import type { Circumstances, SimulatedProvider } from './circumstances.ts';
import { type Plant, plantedStores, plantedTable } from './plants.ts';
import { currentProcess, standHere } from './processes.ts';
import type { Random } from './random.ts';
import { referee as newReferee } from './referee.ts';
import { readWebhook, simulatedVendors, type Webhook } from './vendors.ts';
import { memoryVerifications } from './verifications.ts';

/** Something that somebody delivers to a verb, again for as long as it is not acknowledged. */
export interface Delivery {
  readonly name: string;
  readonly verb: () => Promise<unknown>;
}

const start = Date.parse('2026-01-01T00:00:00.000Z');
const referenceSecret = 'a secret of the simulation';
const ids = new Map(['u-1', 'u-2'].map((source) => [source, verificationIdOf('acme', source)]));
const contentTypes = {
  jpeg: { selfie: 'image/jpeg', id_card: 'image/jpeg', video: 'video/mp4' },
  webp: { selfie: 'image/webp', id_card: 'image/webp', video: 'video/webm' },
} as const;

/**
 * Everything around the verbs, in memory: the table and its stream, the bucket and its events, queues that deliver at
 * least once, the bus, and vendors. Nothing here happens by itself: what does, and when, is the run's to choose.
 */
export function simulatedWorld(
  circumstances: Circumstances,
  { random, plant, trace }: { random: Random; plant: Plant | undefined; trace: string[] | undefined },
) {
  const { check, route, contentType, keepCaptures, ownCredentials, capturesSeconds } = circumstances;
  let clock = start;
  let made = 0;
  const now = () => new Date(clock);
  const seconds = () => Math.floor(clock / 1000);
  const newId = () => `id-${++made}`;
  const say = trace && ((line: string) => void trace.push(`${sinceStart(clock)}  ${line}`));

  const referee = newReferee(route, seconds);
  const bucket = simulatedBucket(referee.read);
  const { captures } = bucket;
  const vendors = simulatedVendors({ circumstances, random, referee, clock: () => clock, say });
  const queue: Delivery[] = [];
  const changes: Change[] = [];
  /** The stream's checkpoint: everything before it is announced. */
  let announcedUpTo = 0;
  /** Versions S3 told nobody of: nobody can delete them but the bucket's lifecycle. */
  const unnoticed = new Set<string>();

  const table = memoryVerifications({ now, newId, ...plantedTable(plant) });
  table.onChange = (before, after) => {
    const process = currentProcess();
    changes.push({ sequenceNumber: String(changes.length), before, after });
    if (before?.sequence !== after.sequence || before.state !== after.state) {
      const { sourceId, state, sequence, round } = after;
      const provider = 'provider' in after ? `, ${after.provider}` : '';
      say?.(`${title(process)}: ${sourceId} is ${state}, sequence ${sequence}, round ${round}${provider}`);
    } else say?.(`${title(process)}: ${after.sourceId} noted or landed at sequence ${after.sequence}`);
    referee.changed(before, after, process);
  };

  /** Onto a queue: once, twice, or never. */
  function put(message: Delivery): boolean {
    if (random.chance(circumstances.losing)) {
      say?.(`lost: ${message.name}`);
      return false;
    }
    queue.push(message);
    if (random.chance(circumstances.doubling)) queue.push(message);
    return true;
  }

  const { verifications, send } = plantedStores(
    plant,
    {
      verifications: table,
      async send(provider, { verificationId, sequence }) {
        const work: Work = { verification_id: verificationId, sequence };
        const to = route.find(({ name }) => name === provider);
        if (!to) throw new Error(`No queue is set for provider ${provider}`);
        put({ name: `attempt by ${provider} at ${sequence}`, verb: () => attemptVerification(work, attempting(to)) });
      },
    },
    random,
  );

  const quiet = { info() {}, warn() {}, count() {} };
  const log = {
    ...quiet,
    error(event: string, error: unknown) {
      const expected = event === 'provider.failed' || event === 'announce.failed';
      if (!expected) referee.wrong('verbs failed', `${event}: ${error}`);
    },
  };

  const secrets = Object.fromEntries(route.map(({ name }) => [name, `secret of ${name}`]));
  const names = route.map(({ name }) => name);
  const tenant: Tenant = {
    id: 'acme',
    createdAt: now().toISOString(),
    keys: [],
    credentials: ownCredentials ? secrets : {},
    webhooks: [],
    policy: {
      ...defaultPolicy,
      routes: { spoof_detect: names, photo_verify: names, video_verify: names } as typeof defaultPolicy.routes,
      deadlines: { capturesSeconds },
      keepCaptures,
    },
  };
  const tenants = {
    deploymentCredentials: async () => secrets,
    ofWebhook: async (_provider: string, token: string) => (token === 'genuine' ? tenant : undefined),
  };

  const breakers = memoryBreakers();
  if (circumstances.openSeconds && route[0]) {
    const openUntil = seconds() + circumstances.openSeconds;
    void breakers.open(route[0].name, { openUntil, probeUntil: 0, openings: 1, reason: 'before the run' });
  }
  const counts = new Map<string, number>();
  const attempting = (provider: SimulatedProvider) => ({
    verifications,
    captures,
    provider,
    open: async () => ({
      submit: (submission: Parameters<typeof vendors.submit>[1]) => vendors.submit(provider, submission),
    }),
    gate: () =>
      breakerGate(provider.name, provider.timeoutSeconds[check] + leaseMarginSeconds, { breakers, counts, now }),
    reference: async (verificationId: string, attempt: number) =>
      signReference(referenceSecret, verificationId, attempt),
    send,
    now,
    random: random.fraction,
    log,
  });

  const requesting = {
    verifications,
    uploads: {
      presign: async () => ({ put: { url: 'https://put', headers: {} }, post: { url: 'https://post', fields: {} } }),
    },
    registry: Object.fromEntries(route.map((provider) => [provider.name, provider])),
    tenants,
    clientTokenSecret: async () => 'secret',
    now,
    newId,
    randomBelow: random.below,
  };
  const idOf = (source: string) => ids.get(source) ?? verificationIdOf('acme', source);
  const read = (source: string) => verifications.find(idOf(source));
  const declared = (kind: keyof typeof contentTypes) =>
    Object.fromEntries(capturesOf[check].map((name) => [name, { content_type: contentTypes[kind][name] }]));

  return {
    referee,
    queue,
    flying: vendors.flying,
    say,
    idOf,
    title,
    clock: () => clock,
    /** Milliseconds, forwards only. */
    advanceTo(time: number): void {
      clock = Math.max(clock, time);
    },

    /** What a tenant's server and its client may ask for. */
    request: (source: string) => () =>
      requestVerification({ source_id: source, check, captures: declared(contentType) }, tenant, requesting),
    reopen: (source: string) => async () =>
      requestCaptures(await read(source), random.chance(0.2) ? declared('jpeg') : undefined, requesting),
    retry: (source: string) => async () =>
      retryVerification(await read(source), { verifications, captures, send, now }),
    erase: (source: string) => async () =>
      eraseVerification(found(await read(source)), { verifications, captures, now }),
    wait: (source: string) => async () =>
      waitForRest(found(await read(source)), 3, {
        verifications,
        now,
        async sleep(milliseconds) {
          clock += milliseconds;
          await standHere();
        },
      }),

    /** An upload to the bucket, and what S3 tells of it. */
    upload(source: string, how: 'PUT' | 'POST', round: number, name: CaptureName): void {
      const object = bucket.upload(how, idOf(source), round, name);
      say?.(`${how} of ${source}'s ${name} for round ${round}: ${object?.['version-id'] ?? 'refused'}`);
      if (!object) return;
      const body = JSON.stringify({
        source: 'aws.s3',
        'detail-type': 'Object Created',
        time: now().toISOString(),
        detail: { reason: how === 'PUT' ? 'PutObject' : 'POST Object', object },
      });
      const told = put({
        name: `notice of ${source}'s ${object['version-id']}`,
        verb: () => noticeCapture(body, { verifications, captures, send, now, log }),
      });
      if (!told) unnoticed.add(object['version-id']);
    },

    sweep: () => sweepVerifications({ verifications, captures, send, now, log }),

    webhook: ({ provider, token, body }: Webhook): Delivery => ({
      name: `${token} webhook of ${provider}: ${body.replace(/"reference":"[^"]*",/, '')}`,
      verb: () => {
        const said = readWebhook(body);
        const named = said && readReference(referenceSecret, said.reference);
        if (said?.answer.kind === 'fault' && named) {
          referee.faulted(named.verificationId, named.attempt, said.answer.code);
        }
        return receiveResult(
          { provider, token, body },
          {
            tenants,
            verifications,
            captures,
            send,
            readers: { [provider]: readWebhook },
            referenceSecret: async () => referenceSecret,
            now,
          },
        );
      },
    }),

    isBehind: () => announcedUpTo < changes.length,
    /** One batch of the table's stream, from its checkpoint or from further back: it repeats whatever it likes. */
    async announce(): Promise<void> {
      const from = random.chance(0.1) ? random.below(announcedUpTo + 1) : announcedUpTo;
      const batch = changes.slice(from, from + 1 + random.below(30));
      const { failed } = await announceChanges(batch, { put: putEvents, log });
      const done = failed === undefined ? from + batch.length : Number(failed);
      announcedUpTo = Math.max(announcedUpTo, done);
    },

    conclude(): void {
      referee.conclude((id) => bucket.left(id).filter((version) => !unnoticed.has(version)).length);
    },
  };

  /** The bus: takes some, refuses some, and sometimes breaks before or after taking them. */
  async function putEvents(events: Event[]): Promise<number[]> {
    if (random.chance(0.03)) throw new Error('The bus is not to be reached');
    const refused = events.flatMap((_, index) => (random.chance(0.05) ? [index] : []));
    events.forEach((event, index) => {
      if (!refused.includes(index)) referee.announced(event);
    });
    if (random.chance(0.03)) throw new Error('The answer of the bus was lost');
    return refused;
  }
}
export type World = ReturnType<typeof simulatedWorld>;

/** A process as the trace names it. */
function title(process: { number: number; name: string } | undefined): string {
  return process ? `#${process.number} ${process.name}` : 'somebody';
}

function sinceStart(clock: number): string {
  const days = Math.floor((clock - start) / 86_400_000);
  return `${days > 0 ? `${days}d ` : ''}${new Date(clock).toISOString().slice(11, 23)}`;
}
