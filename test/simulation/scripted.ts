import * as z from 'zod';
import { type CaptureName, type Check, captureName, capturesOf } from '../../shared/domain/captures.ts';
import { deliveryId } from '../../shared/domain/delivery.ts';
import type { Endpoint } from '../../shared/domain/endpoint.ts';
import { erasureOf } from '../../shared/domain/erasure.ts';
import { Fault, type FaultCode, faultCodes } from '../../shared/domain/fault.ts';
import { signReference } from '../../shared/domain/reference.ts';
import { type Outcome, outcome } from '../../shared/domain/verdict.ts';
import { idOf, legacyIdOf, referenceSecret } from '../builders/deployment.ts';
import { genuineToken } from './acts.ts';
import { simulatedProvider } from './circumstances.ts';
import { calmNetwork } from './network.ts';
import { randomOf } from './random.ts';
import { kindStrangers, type Strangers } from './strangers.ts';
import { findingOf, fingerprintsOf, type Vendors, webhookBody } from './vendors.ts';
import { declaredAs, simulatedWorld } from './world.ts';

/** What a provider will say to attempt 1, 2, … of the verification; the last is said for ever. */
export type Script = readonly (Outcome | 'accepted' | FaultCode)[];

const source = 'visit-7';

function scriptedVendors(scripts: Readonly<Record<string, Script>>) {
  const calls: { provider: string; attempt: number; round: number }[] = [];
  const submit: Vendors['submit'] = async (provider, submission, { referee }) => {
    const { verificationId, attempt, round, captures, openCapture } = submission;
    const script = scripts[provider] ?? [];
    const says = script[Math.min(attempt, script.length) - 1] ?? 'provider_failed';
    calls.push({ provider, attempt, round });
    for (const name of Object.keys(captures)) await openCapture(captureName.parse(name));
    referee.called(verificationId, attempt, provider, submission.challenge);
    if (says === 'accepted') return { kind: 'accepted' };
    const said = outcome.safeParse(says);
    if (said.success) {
      referee.answered(verificationId, round, provider, said.data);
      return { kind: 'decided', finding: findingOf(said.data), fingerprints: fingerprintsOf(submission) };
    }
    const code = z.enum(faultCodes).parse(says);
    referee.faulted(verificationId, attempt, code);
    throw new Fault(code, 'as scripted');
  };
  return { submit, calls };
}

/**
 * A world of one verification whose vendors say what a test has them say, and in which everything arrives. Tests decide
 * what is delivered, when, and how often.
 */
export function scriptedWorld({
  scripts,
  takesNothing = [],
  keepCaptures = false,
  legacy = false,
  strangers = kindStrangers,
  endpoints = [],
}: {
  scripts: Readonly<Record<string, Script>>;
  takesNothing?: readonly string[];
  keepCaptures?: boolean | undefined;
  /** The verification is one that a version from before ids had a key made, under its old id. */
  legacy?: boolean;
  strangers?: Strangers | undefined;
  endpoints?: readonly Partial<Endpoint>[] | undefined;
}) {
  const vendors = scriptedVendors(scripts);
  const route = Object.entries(scripts).map(([name, script]) =>
    simulatedProvider(name, script.includes('accepted') ? 'webhook' : 'response', {
      ...(takesNothing.includes(name) ? { images: [] } : {}),
    }),
  );
  const world = simulatedWorld({
    route,
    keepCaptures,
    ownCredentials: false,
    capturesSeconds: 3600,
    vendors,
    strangers,
    endpoints,
    credits: 1,
    network: calmNetwork,
    random: randomOf(1, 1),
  });
  const { verbs, verifications, queue, breakers, referee } = world;
  let seen: number | undefined;
  const id = legacy ? legacyIdOf(source) : idOf(source);

  return {
    ...world,
    calls: vendors.calls,
    read: () => verifications.find(id),
    advance: (seconds: number) => world.advanceTo(world.clock() + seconds * 1000),

    request: (check: Check = 'spoof_detect') => world.request(source, check, declaredAs('jpeg', capturesOf[check])),
    /** One of several verifications of one subject. */
    requestOfSubject: (from: string) =>
      world.request(from, 'spoof_detect', declaredAs('jpeg', capturesOf.spoof_detect), 'the subject'),
    requestBefore: () => world.requestBefore(source, 'spoof_detect', declaredAs('jpeg', capturesOf.spoof_detect)),
    reopen: () => world.reopen(source),
    handOff: () => world.handOff(source),
    claim: (choose?: number) => world.claim(source, choose),
    takeBack: () => world.takeBack(source),
    retry: () => verbs.retry(source),
    /** Of the sequence that the reviewer saw at the first of its calls. */
    review(says: 'passed' | 'failed'): Promise<unknown> {
      seen ??= referee.latest.get(id)?.sequence ?? 1;
      return verbs.review(source, seen, says);
    },
    erase: () => verbs.erase(source),
    /** The same of the record as it is when the erasure begins. */
    eraseRead: () =>
      verbs.eraseRead([...referee.latest.values()].filter(({ verificationId }) => verificationId === id)),
    receipt: () => verbs.receipt(source),
    wait: () => verbs.wait(source, 1),
    serve: (check: Check) => verbs.serve(source, check),
    order: (from = source, link?: string, webhook?: string) => verbs.order(from, link, webhook),
    sweep: () => verbs.sweep(),
    sweepDeliveries: () => verbs.sweepDeliveries(),
    /** Everything that was kept until now, to the n-th endpoint. */
    replay: (index: number, failedOnly = false) =>
      verbs.replay(world.hooks.made[index]?.id ?? '', { ...everything, failedOnly }),
    cancelReplay: (index: number) => verbs.cancelReplay(world.hooks.made[index]?.id ?? ''),
    /** The newest delivery of this verification. */
    async resend(): Promise<void> {
      const { items } = await verbs.listDeliveries({ sourceId: source, limit: 1 });
      if (items[0]) await verbs.resend(deliveryId(items[0]));
    },
    /** Everything that is kept, from the beginning. */
    async readEvents(): Promise<void> {
      let next: Awaited<ReturnType<typeof verbs.readEvents>> | undefined;
      do next = await verbs.readEvents(next?.next);
      while (next.more);
    },
    /** What the tenant sees of deliveries: those that were delivered, those to an endpoint, the newest alone. */
    async seeDeliveries(): Promise<void> {
      await verbs.listDeliveries({ state: 'delivered', limit: 1 });
      await verbs.listDeliveries({ endpointId: world.hooks.made.at(-1)?.id ?? 'result', limit: 1 });
      const { items } = await verbs.listDeliveries({ sourceId: source, limit: 1 });
      if (items[0]) await verbs.showDelivery(deliveryId(items[0]));
    },
    /** What an operator sees of this verification, with a look at its selfie, and of providers. */
    async seeAsOperator(): Promise<void> {
      await verbs.keptCaptures(source);
      await verbs.look(source, { write: async () => undefined }).catch((error) => {
        if (error.code !== 'captures_gone') throw error; // not there yet, or judged and deleted
      });
      await verbs.listBreakers();
    },
    /** A video says the n-th digits that its client was told in the round, the last where it is not said. */
    upload: (name: CaptureName, round: number, says = -1) =>
      world.upload(source, 'POST', round, name, { id, choose: (known) => known.at(says) }),

    uploadFrom: (from: string) =>
      world.upload(from, 'POST', 1, 'selfie', { id: idOf(from), choose: (known) => known.at(-1) }),

    /** A webhook of an attempt is on its way, to the address and under the reference that we gave out. */
    webhook(attempt: number, provider: string, says: Outcome | FaultCode): void {
      const said = outcome.safeParse(says);
      const record = referee.latest.get(id);
      const tried = record && 'attempts' in record ? record.attempts.find((one) => one.attempt === attempt) : undefined;
      if (said.success) referee.answered(id, tried?.round ?? 1, provider, said.data);
      const body = webhookBody(signReference(referenceSecret, id, attempt), says);
      queue.push(world.webhook({ provider, token: genuineToken, body, readyAt: world.clock() }));
    },

    announceAgain: async (): Promise<void> => {
      const record = await verifications.find(id);
      if (record) await verbs.announceAgain(record, everything);
    },

    /** An open breaker that stays open. */
    openBreaker: (provider: string) =>
      breakers.open(provider, { openUntil: 2 ** 31, probeUntil: 0, openings: 1, reason: 'test' }),

    /** Half an erasure: the tombstone is written, and the worker dead before it has deleted anything. */
    async halfErase(): Promise<void> {
      const record = await verifications.find(id);
      if (record?.state === 'queued')
        await verifications.move(record, 'erased', {
          dueAt: 0,
          erasure: erasureOf(record, { now: world.now(), keepsEtags: true, isVendor: () => true }),
        });
    },
  };
}
/** A window that every event is in. */
const everything = { since: '2000-01-01T00:00:00.000Z', until: '2100-01-01T00:00:00.000Z' };

export type ScriptedWorld = ReturnType<typeof scriptedWorld>;

/** Delivers until nothing waits: messages, the stream, sweeps past every deadline. */
export async function drain(at: ScriptedWorld): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    for (let next = at.queue.shift(); next; next = at.queue.shift()) await next.verb();
    await at.announce();
    if (at.queue.length > 0) continue;
    const record = await at.read();
    const due = record && 'dueAt' in record && record.dueAt !== undefined;
    const nextWebhook = at.hooks.nextDue();
    if (!due && nextWebhook === undefined) return;
    if (nextWebhook !== undefined) {
      at.advanceTo(nextWebhook);
      await at.sweepDeliveries();
    } else {
      at.advance(2 * 86_400);
      await at.sweep();
    }
  }
  throw new Error('The world does not come to rest');
}

/** What the referee holds against a drained world, however it came there. */
export function violations(at: ScriptedWorld): string[] {
  at.conclude();
  return at.referee.violations.map(({ wrong, what }) => `${wrong}: ${what}`);
}
