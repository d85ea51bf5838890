import type { UploadsView, VerificationRequest } from '../../shared/api/verifications.ts';
import { type CaptureName, type Check, captureKey, pinnedOf } from '../../shared/domain/captures.ts';
import { readClientToken } from '../../shared/domain/client-token.ts';
import type { Endpoint } from '../../shared/domain/endpoint.ts';
import { defaultPolicy } from '../../shared/domain/policy.ts';
import type { Captures, Orders, Tenant } from '../../shared/domain/ports.ts';
import { readReference } from '../../shared/domain/reference.ts';
import { isoOf } from '../../shared/domain/times.ts';
import type { Change } from '../../shared/lifecycle/announce.ts';
import { clientTokenSecret, referenceSecret } from '../builders/deployment.ts';
import { ownBucket } from '../builders/landing.ts';
import { nameOf, start } from '../builders/verification.ts';
import { acts } from './acts.ts';
import { memoryBreakers } from './breakers.ts';
import { type StoredObject, simulatedBucket } from './bucket.ts';
import type { SimulatedProvider } from './circumstances.ts';
import type { Network } from './network.ts';
import { type Plant, plantedSightings, plantedStores, plantedTable } from './plants.ts';
import { currentProcess, type Process, standHere } from './processes.ts';
import type { Random } from './random.ts';
import { referee as newReferee } from './referee.ts';
import { memorySightings } from './sightings.ts';
import { type Strangers, writeResult } from './strangers.ts';
import { readWebhook, type Vendors, type Webhook } from './vendors.ts';
import { memoryVerifications } from './verifications.ts';
import { simulatedWebhooks } from './webhooks.ts';

/** Something that is delivered to a verb, again for as long as it is not acknowledged. */
export interface Delivery {
  readonly name: string;
  /** The version that S3 tells of, in a notice. */
  readonly version?: string;
  readonly verb: () => Promise<unknown>;
}

/** What differs between worlds. */
export interface Setting {
  readonly route: readonly SimulatedProvider[];
  readonly keepCaptures: boolean;
  readonly ownCredentials: boolean;
  readonly capturesSeconds: number;
  readonly vendors: Vendors;
  readonly strangers: Strangers;
  /** What the tenant is given for its orders. */
  readonly credits: number;
  /** Endpoints of the tenant, by what is particular to each. */
  readonly endpoints?: readonly Partial<Endpoint>[] | undefined;
  readonly network: Network;
  readonly random: Random;
  readonly plant?: Plant | undefined;
  /** Filled, where given, with what happened: a line each. */
  readonly trace?: string[] | undefined;
}

/**
 * Everything around the verbs, in memory: the table and its stream, the bucket and its events, queues that deliver at
 * least once, the bus, and vendors. Nothing here happens by itself: what does, and when, is the caller's to choose.
 */
export function simulatedWorld(setting: Setting) {
  const { route, keepCaptures, ownCredentials, capturesSeconds, vendors, strangers, network, random, plant, trace } =
    setting;
  let clock = start.getTime();
  let ids = 0;
  const now = () => new Date(clock);
  const newId = () => `id-${++ids}`;
  const say = trace && ((line: string) => void trace.push(`${sinceStart(clock)}  ${line}`));

  const credits = new Map([['acme', setting.credits]]);
  const referee = newReferee(route, () => Math.floor(clock / 1000));
  const bucket = simulatedBucket(referee, now);
  const breakers = memoryBreakers();
  const queue: Delivery[] = [];
  const changes: Change[] = [];
  /** The stream's checkpoint: everything before it is announced. */
  let announced = 0;
  /** Versions whose event was lost: nothing can delete them but the bucket's lifecycle. */
  const unnoticed = new Set<string>();

  const sightings = plantedSightings(plant, memorySightings(now), random);
  const table = memoryVerifications({ now, newId, sightings, credits, ...plantedTable(plant) });
  table.onChange = (before, after) => {
    for (const { versionId } of 'landed' in after ? pinnedOf(after) : []) unnoticed.delete(versionId);
    const process = currentProcess();
    changes.push({ sequenceNumber: String(changes.length), before, after });
    if (before?.sequence !== after.sequence || before.state !== after.state) {
      const { state, sequence, round } = after;
      const provider = 'provider' in after ? `, ${after.provider}` : '';
      say?.(
        `${title(process)}: ${nameOf(before ?? after)} is ${state}, sequence ${sequence}, round ${round}${provider}`,
      );
    } else say?.(`${title(process)}: ${nameOf(after)} noted or landed at sequence ${after.sequence}`);
    referee.changed(before, after, process);
  };

  /** Onto a queue: once, twice, or, where something else brings it back, never. */
  function put(message: Delivery, least = 0): boolean {
    const copies = Math.max(least, network.copies());
    for (let copy = 0; copy < copies; copy += 1) queue.push(message);
    if (copies === 0) say?.(`lost: ${message.name}`);
    return copies > 0;
  }

  const { verifications, send } = plantedStores(
    plant,
    {
      verifications: table,
      async send(provider, { verificationId, sequence }) {
        const to = route.find(({ name }) => name === provider);
        if (!to) throw new Error(`No queue is set for provider ${provider}`);
        const name = `attempt by ${provider} at ${sequence}`;
        put({ name, verb: () => verbs.attempt(to, { verificationId, sequence }) });
      },
    },
    random,
  );

  const orders: Orders = {
    fetch: async (id) => void put({ name: 'fetch', verb: () => verbs.fetch(id) }),
    deliver: async (result) => {
      const name = `delivery after ${result.failedPosts} in vain`;
      // SQS keeps it. Of a tombstone nothing is due that would send it again, where no credit is.
      const least = referee.latest.get(result.verificationId)?.state === 'erased' ? 1 : 0;
      put({ name, verb: () => verbs.carryOut({ kind: 'result', result }) }, least);
    },
    giveUp: async ({ verificationId, failedPosts }) => referee.givenUp(verificationId, failedPosts),
  };

  const { endpoints, keptEvents, deliveries, webhooks, postSigned, ...hooks } = simulatedWebhooks({
    endpoints: setting.endpoints ?? [],
    ...{ now, strangers, random, plant, referee, say },
    pass: (seconds) => {
      clock += seconds * 1000;
    },
    put(message, name) {
      const delivery = { name, verb: () => verbs.carryOut(message) };
      put(delivery, 1);
    },
  });

  const secrets = Object.fromEntries(route.map(({ name }) => [name, `secret of ${name}`]));
  const names = route.map(({ name }) => name);
  const tenant: Tenant = {
    id: 'acme',
    credentials: ownCredentials ? secrets : {},
    policy: {
      ...defaultPolicy,
      routes: { spoof_detect: names, photo_verify: names, video_verify: names },
      deadlines: { capturesSeconds },
      keepCaptures,
    },
  };

  /** What S3 tells of a version that was stored. */
  function announceStored(source: string, object: StoredObject, reason: 'PutObject' | 'POST Object'): void {
    const version = object['version-id'];
    referee.stored(object.key);
    const body = JSON.stringify({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      account: ownBucket.account,
      time: isoOf(Math.floor(clock / 1000)), // whole seconds, as S3 writes them
      detail: { reason, bucket: { name: ownBucket.bucket }, object },
    });
    const delivery = { name: `notice of ${source}'s ${version}`, version, verb: () => verbs.notice(body) };
    if (!put(delivery)) unnoticed.add(version);
  }

  const captures: Captures = {
    ...bucket.captures,
    ...(plant === 'no-look-in-bucket' && { oldest: async () => [] }),
    async put(capture) {
      const { verificationId, round, name } = capture;
      const version = await bucket.captures.put(capture);
      const key = captureKey(verificationId, round, name);
      const object = { key, size: capture.bytes.length, etag: version.etag, 'version-id': version.versionId };
      announceStored(verificationId, object, 'PutObject');
      return version;
    },
  };

  const verbs = acts({
    verifications,
    captures,
    sightings,
    breakers,
    send,
    tenant,
    registry: new Map(route.map((provider) => [provider.name, provider])),
    deploymentCredentials: secrets,
    submit: ({ name }, submission) => vendors.submit(name, submission, { referee, clock: () => clock, say }),
    readWebhook,
    orders,
    creditsLeft: () => credits.get('acme') ?? 0,
    ...{ endpoints, keptEvents, deliveries, webhooks, postSigned },
    fetcher: {
      async get(link) {
        await standHere();
        return strangers.get(link);
      },
    },
    writeResult,
    async post(_url, body) {
      await standHere();
      const taken = strangers.takes(body);
      referee.posted(body, taken);
      await standHere();
      return { kind: 'answered', status: taken ? 200 : 503 };
    },
    putEvents: async (events) => network.put(events, referee.announced),
    now,
    async sleep(milliseconds) {
      clock += milliseconds;
      await standHere();
    },
    newId,
    fraction: random.fraction,
    randomBelow: random.below,
    log: {
      info() {},
      warn() {},
      error(event, error) {
        const expected = event === 'provider.failed' || event === 'announce.failed';
        if (!expected) referee.wrong('verbs failed', `${event}: ${error}`);
      },
    },
    measure() {},
  });

  /** Codes of hand-offs, and the numbers of those that were claimed, by source. */
  const codes = new Map<string, string[]>();
  const claims = new Map<string, number[]>();

  /** The digits that clients were given for their videos, by source and round: they know of no others. */
  const knownDigits = new Map<string, KnownDigits[]>();

  function learn(source: string, { round, challenge, challenge_expires_at, uploads }: UploadsView): void {
    const key = uploads.video?.post.fields.key;
    if (challenge === undefined || key === undefined) return;
    const known = knownDigits.get(`${source} ${round}`) ?? [];
    if (known.some((one) => one.key === key && one.digits === challenge)) return;
    known.push({ key, digits: challenge, expiresAt: Date.parse(challenge_expires_at ?? '') });
    knownDigits.set(`${source} ${round}`, known);
  }

  return {
    verbs,
    verifications,
    breakers,
    referee,
    queue,
    say,
    now,
    clock: () => clock,
    /** Milliseconds, forwards only. */
    advanceTo(time: number): void {
      clock = Math.max(clock, time);
      hooks.ripen();
    },
    /** What lies behind the tenant's endpoints, and what it does with them. */
    hooks,

    async request(source: string, check: Check, captures: VerificationRequest['captures'], subject?: string) {
      const view = await verbs.request(source, check, captures, subject);
      if ('uploads' in view) learn(source, view);
    },

    /** The same as a version from before ids had a key did it. */
    async requestBefore(source: string, check: Check, captures: VerificationRequest['captures']) {
      const view = await verbs.requestBefore(source, check, captures);
      if ('uploads' in view) learn(source, view);
    },

    async reopen(source: string, captures?: VerificationRequest['captures']) {
      learn(source, await verbs.reopen(source, captures));
    },

    /** Another device is offered the capture. */
    async handOff(source: string) {
      const { code } = await verbs.handOff(source);
      codes.set(source, [...(codes.get(source) ?? []), code]);
    },
    /** It claims with a code that was offered: the n-th, the last where it is not said. */
    async claim(source: string, choose = -1) {
      const code = codes.get(source)?.at(choose) ?? 'none';
      const { clientToken } = await verbs.claim(source, code);
      const { handOff = 0 } = readClientToken(clientTokenSecret, clientToken, now()) ?? {};
      const numbers = claims.get(source) ?? [];
      if (numbers.includes(handOff)) referee.wrong('hand-offs misjudged', `${source}: ${code} was claimed twice`);
      claims.set(source, [...numbers, handOff]);
    },
    /** No token that was given before is valid after. */
    async takeBack(source: string) {
      const given = claims.get(source) ?? [];
      const { handOff } = await verbs.takeBack(source);
      if (given.some((number) => number === handOff?.number)) {
        referee.wrong('hand-offs misjudged', `${source}: a token outlives the end of its hand-off`);
      }
    },

    /**
     * An upload to the bucket, for the record under `id`, and what S3 tells of it. A video says digits that its client was
     * told in the round, which `choose` chooses, and goes where they were told to be brought.
     */
    upload(
      source: string,
      how: 'PUT' | 'POST',
      round: number,
      name: CaptureName,
      { id, choose }: { id: string; choose: (known: readonly KnownDigits[]) => KnownDigits | undefined },
    ): void {
      const says = name === 'video' ? choose(knownDigits.get(`${source} ${round}`) ?? []) : undefined;
      if (name === 'video' && !says) return; // its client was given no URL
      const object = bucket.upload(how, says?.key ?? captureKey(id, round, name));
      say?.(`${how} of ${source}'s ${name} for round ${round}: ${object?.['version-id'] ?? 'refused'}`);
      if (!object) return;
      if (says) {
        referee.spoken(object['version-id'], { says: says.digits, expiresAt: says.expiresAt, storedAt: clock });
      }
      announceStored(source, object, how === 'PUT' ? 'PutObject' : 'POST Object');
    },

    webhook: ({ provider, token, body }: Webhook): Delivery => ({
      name: `${token} webhook of ${provider}: ${body.replace(/"reference":"[^"]*",/, '')}`,
      verb: () => {
        const said = readWebhook(body);
        const named = said && readReference(referenceSecret, said.reference);
        if (said?.answer.kind === 'fault' && named) {
          referee.faulted(named.verificationId, named.attempt, said.answer.code);
        }
        return verbs.receive({ provider, token, body });
      },
    }),

    /** Everything that waits on a queue is lost. */
    lose(): void {
      for (const { version } of queue.splice(0)) if (version !== undefined) unnoticed.add(version);
    },

    isBehind: () => announced < changes.length,
    /** One batch of the table's stream, from its checkpoint or from further back. */
    async announce(): Promise<void> {
      const [from, to] = network.batch(announced, changes.length);
      const batch = changes.slice(from, to);
      const { failed } = await verbs.announce(batch);
      const done = failed === undefined ? from + batch.length : Number(failed);
      for (let index = announced; index < done; index += 1) {
        const change = changes[index];
        if (change) referee.webhooks.announced(change, index);
      }
      announced = Math.max(announced, done);
    },

    conclude(): void {
      hooks.conclude();
      referee.concludeOrders({ given: setting.credits, left: credits.get('acme') ?? 0 });
      referee.conclude((id) => bucket.left(id).filter((version) => !unnoticed.has(version)).length, sightings.all());
    },
  };
}
/** Digits a client was told, where it was to bring the video that says them, and until when (milliseconds). */
interface KnownDigits {
  readonly digits: string;
  readonly key: string;
  readonly expiresAt: number;
}

export type World = ReturnType<typeof simulatedWorld>;

/** What a client declares of its captures, by kind. */
export const contentTypes = {
  jpeg: { selfie: 'image/jpeg', id_card: 'image/jpeg', video: 'video/mp4' },
  webp: { selfie: 'image/webp', id_card: 'image/webp', video: 'video/webm' },
} as const;

export function declaredAs(
  kind: keyof typeof contentTypes,
  captures: readonly CaptureName[],
): VerificationRequest['captures'] {
  return Object.fromEntries(captures.map((name) => [name, { content_type: contentTypes[kind][name] }]));
}

/** A process as the trace names it. */
function title(process: Process | undefined): string {
  return process?.name ?? 'outside every process';
}

function sinceStart(clock: number): string {
  const days = Math.floor((clock - start.getTime()) / 86_400_000);
  return `${days > 0 ? `${days}d ` : ''}${new Date(clock).toISOString().slice(11, 23)}`;
}
