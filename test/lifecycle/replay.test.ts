import { beforeEach, describe, expect, it } from 'vitest';
import type { KeptEvent } from '../../shared/domain/delivery.ts';
import { type Endpoint, isCancelled, rememberedReplays } from '../../shared/domain/endpoint.ts';
import { eventId } from '../../shared/domain/event.ts';
import type { ReplayMessage, WebhookMessage } from '../../shared/domain/ports.ts';
import { epochSeconds, keptLateSeconds, keptSeconds } from '../../shared/domain/times.ts';
import { beginReplay, cancelReplay, goOnWithReplay } from '../../shared/lifecycle/replay.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { setup } from '../builders/setup.ts';
import { start } from '../builders/verification.ts';
import { memoryDeliveries } from '../simulation/deliveries.ts';
import { memoryEndpoints } from '../simulation/endpoints.ts';
import { memoryKeptEvents } from '../simulation/kept-events.ts';

const at = (seconds: number) => new Date(start.getTime() + seconds * 1000).toISOString();

/** A queue that keeps one lane: events that were handed over, and messages that go on, each at its time. */
function replaying() {
  const { now, log, advance } = setup();
  const sent: WebhookMessage[] = [];
  const lane: { message: ReplayMessage; at: number }[] = [];
  let ids = 0;
  const dependencies = {
    endpoints: memoryEndpoints(now),
    keptEvents: memoryKeptEvents(now),
    deliveries: memoryDeliveries(now),
    webhooks: {
      send: async (messages: readonly WebhookMessage[]) => void sent.push(...messages),
      goOn: async (message: ReplayMessage, delaySeconds = 0) =>
        void lane.push({ message, at: now().getTime() + delaySeconds * 1000 }),
    },
    newId: () => `replay-${++ids}`,
    now,
    log,
  };
  async function kept(sequence: number, seconds: number, overrides: Partial<KeptEvent> = {}) {
    const about = 'a'.repeat(26);
    return dependencies.keptEvents.keep({
      ...{ id: eventId(about, sequence), tenant: 'acme', type: 'verification.decided', about, sequence },
      ...{ occurredAt: at(seconds), keptAt: at(seconds), data: '{}', purgeAt: epochSeconds(start) + keptSeconds },
      ...overrides,
    });
  }
  /** Takes the next message, at its time. */
  async function next() {
    const [first] = lane.sort((one, other) => one.at - other.at).splice(0, 1);
    if (!first) return false;
    advance(Math.max(0, (first.at - now().getTime()) / 1000));
    await goOnWithReplay(first.message, dependencies);
    return true;
  }
  async function drain() {
    while (await next());
  }
  async function made(overrides: Partial<Endpoint> = {}) {
    const endpoint = anEndpoint(overrides);
    await dependencies.endpoints.create(endpoint);
    return { tenant: endpoint.tenant, endpointId: endpoint.id };
  }
  const replayOf = async (of: { tenant: string; endpointId: string }) =>
    (await dependencies.endpoints.find(of.tenant, of.endpointId))?.replay;
  return { ...dependencies, dependencies, sent, lane, kept, next, drain, made, replayOf, advance };
}

const whole = { since: at(-3600), until: at(3600), failedOnly: false };

describe('a replay', () => {
  let world: ReturnType<typeof replaying>;
  let of: { tenant: string; endpointId: string };
  beforeEach(async () => {
    world = replaying();
    of = await world.made();
  });
  const sequences = () => world.sent.map(({ eventId: id }) => Number(id.split('_').at(-1)));

  it('sends every kept event of its window in order, under its id, and tells how far it has come', async () => {
    const events: string[] = [];
    for (let sequence = 2; sequence < 252; sequence += 1) events.push((await world.kept(sequence, sequence - 500)).id);
    await world.kept(900, -3601);
    await world.kept(901, 0);
    await world.kept(902, -10, { tenant: 'other', id: 'evt_of_another' });
    const begun = await beginReplay(of, { ...whole, until: at(-1) }, world.dependencies);
    expect(begun).toMatchObject({ state: 'running', seen: 0, sent: 0, until: at(-1) });
    await world.next();
    expect(await world.replayOf(of)).toMatchObject({ state: 'running', seen: 100, sent: 100 });
    await world.drain();
    expect(world.sent.map(({ eventId: id }) => id)).toEqual(events);
    expect(new Set(world.sent.map(({ again }) => JSON.stringify(again)))).toEqual(
      new Set([JSON.stringify({ kind: 'replay', id: begun.id })]),
    );
    expect(await world.replayOf(of)).toMatchObject({ state: 'done', seen: 250, sent: 250 });
  });

  it('ends now where it was asked to end later, and waits a minute for what is kept late', async () => {
    await world.kept(2, -90);
    await world.kept(4, -1);
    const begun = await beginReplay(of, whole, world.dependencies);
    expect(begun.until).toBe(at(0));
    await world.next();
    await world.next();
    expect(sequences()).toEqual([2]);
    await world.kept(3, -2);
    await world.kept(5, 1);
    await world.drain();
    expect(sequences()).toEqual([2, 3, 4]);
    expect(world.now().getTime()).toBeGreaterThanOrEqual(start.getTime() + keptLateSeconds * 1000);
    expect(await world.replayOf(of)).toMatchObject({ state: 'done', sent: 3 });
  });

  it('sends the types it was asked for, else those of its endpoint', async () => {
    const types = ['verification.queued', 'verification.decided', 'verification.expired'] as const;
    for (const [index, type] of types.entries()) await world.kept(index + 2, -100 + index, { type });
    const choosy = await world.made({ types: ['verification.queued'] });
    await beginReplay(choosy, whole, world.dependencies);
    await world.drain();
    expect(sequences()).toEqual([2]);
    await beginReplay(choosy, { ...whole, types: ['verification.expired'] }, world.dependencies);
    await world.drain();
    expect(sequences()).toEqual([2, 4]);
  });

  it('leaves out what was delivered where only failed ones are asked for, and what was erased always', async () => {
    const [delivered, spent, erased] = [await world.kept(2, -99), await world.kept(3, -98), await world.kept(4, -97)];
    await world.kept(5, -96);
    for (const [event, state] of [
      [delivered, 'delivered'],
      [spent, 'spent'],
    ] as const) {
      const { id: eventId, about, sequence, type, tenant, purgeAt } = event;
      const times = { createdAt: at(-90), updatedAt: at(-90), purgeAt };
      const row = { eventId, endpointId: of.endpointId, tenant, about, sequence, type, state, failed: 0, tries: [] };
      await world.deliveries.begin({ ...row, ...times });
    }
    await world.keptEvents.empty([erased]);
    await beginReplay(of, { ...whole, failedOnly: true }, world.dependencies);
    await world.drain();
    expect(sequences()).toEqual([3, 5]);
    expect(await world.replayOf(of)).toMatchObject({ seen: 4, sent: 2 });
    await beginReplay(of, whole, world.dependencies);
    await world.drain();
    expect(sequences()).toEqual([3, 5, 2, 3, 5]);
  });

  it('is refused while another one runs, to a disabled endpoint, and to another tenant’s as to none', async () => {
    await beginReplay(of, whole, world.dependencies);
    await expect(beginReplay(of, whole, world.dependencies)).rejects.toMatchObject({ code: 'replay_running' });
    const disabled = await world.made({ state: 'disabled' });
    await expect(beginReplay(disabled, whole, world.dependencies)).rejects.toMatchObject({ code: 'endpoint_disabled' });
    const strangers = { ...of, tenant: 'other' };
    const none = { ...of, endpointId: 'ep_aaaaaaaaaaaaaaaa' };
    const refusals: string[] = [];
    for (const wrong of [strangers, none]) {
      await beginReplay(wrong, whole, world.dependencies).catch((error) => refusals.push(`${error.code} ${error}`));
      await cancelReplay(wrong, world.dependencies).catch((error) => refusals.push(`${error.code} ${error}`));
    }
    expect(new Set(refusals).size).toBe(1);
    expect(refusals).toHaveLength(4);
    const idle = await world.made();
    await expect(cancelReplay(idle, world.dependencies)).rejects.toMatchObject({ code: 'replay_unknown' });
  });

  it('begins once of two that are asked for at once', async () => {
    const both = await Promise.allSettled([1, 2].map(() => beginReplay(of, whole, world.dependencies)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('hands over nothing more once it is cancelled, also after the next one has begun', async () => {
    for (let sequence = 2; sequence < 152; sequence += 1) await world.kept(sequence, sequence - 500);
    const first = await beginReplay(of, whole, world.dependencies);
    await world.next();
    expect(await cancelReplay(of, world.dependencies)).toMatchObject({ id: first.id, state: 'cancelled', sent: 100 });
    expect(await cancelReplay(of, world.dependencies)).toMatchObject({ id: first.id, state: 'cancelled' });
    await world.drain();
    expect(world.sent).toHaveLength(100);
    for (let count = 0; count <= rememberedReplays; count += 1) {
      const endpoint = await world.endpoints.find(of.tenant, of.endpointId);
      expect(endpoint && isCancelled(endpoint, first.id)).toBe(count <= rememberedReplays);
      await beginReplay(of, whole, world.dependencies);
      if (count < rememberedReplays) await cancelReplay(of, world.dependencies);
    }
    const endpoint = await world.endpoints.find(of.tenant, of.endpointId);
    expect(endpoint?.replay?.cancelled).toHaveLength(rememberedReplays);
    expect(endpoint?.replay && isCancelled(endpoint, endpoint.replay.id)).toBe(false);
  });

  it('ends when its endpoint is disabled meanwhile, also where that is enabled again', async () => {
    for (let sequence = 2; sequence < 152; sequence += 1) await world.kept(sequence, sequence - 500);
    await beginReplay(of, whole, world.dependencies);
    await world.next();
    const endpoint = await world.endpoints.find(of.tenant, of.endpointId);
    world.advance(1);
    if (endpoint) await world.endpoints.change(endpoint, { stoppedAt: world.now().toISOString() });
    await world.drain();
    expect(world.sent).toHaveLength(100);
    expect(await world.replayOf(of)).toMatchObject({ state: 'cancelled' });
  });

  it('goes on where another change of its endpoint came between, and where a message comes twice', async () => {
    for (let sequence = 2; sequence < 352; sequence += 1) await world.kept(sequence, sequence - 500);
    await beginReplay(of, whole, world.dependencies);
    const { change } = world.endpoints;
    let races = 0;
    const raced = {
      ...world.dependencies,
      endpoints: {
        ...world.endpoints,
        change: async (...[from, fields]: Parameters<typeof change>) => {
          if (races++ < 3) await change(from, { failingSince: at(races) });
          return change(from, fields);
        },
      },
    };
    while (world.lane.length > 0) {
      const [first] = world.lane.splice(0, 1);
      if (!first) break;
      world.advance(60);
      await goOnWithReplay(first.message, world.sent.length === 100 ? raced : world.dependencies);
      if (world.sent.length < 300) world.lane.push(first);
    }
    expect(await world.replayOf(of)).toMatchObject({ state: 'done', seen: 350, sent: 350 });
    expect(new Set(sequences()).size).toBe(350);
  });
});
