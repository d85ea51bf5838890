import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeptEvent } from '../../shared/domain/delivery.ts';
import type { KeptEvents } from '../../shared/domain/ports.ts';
import { epochSeconds, keptSeconds } from '../../shared/domain/times.ts';
import { dynamoKeptEvents } from '../../shared/stores/kept-events.ts';
import { start } from '../builders/verification.ts';
import { memoryKeptEvents } from '../simulation/kept-events.ts';
import { startTables } from './table.ts';

let clock = start.getTime();
const now = () => new Date(clock);
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000).toISOString();

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

let tenants = 0;
const one = 'a'.repeat(26);
const other = 'b'.repeat(26);
const [first, second] = ['ep_aaaaaaaaaaaaaaaa', 'ep_bbbbbbbbbbbbbbbb'];

function anEvent(overrides: Partial<KeptEvent> & Pick<KeptEvent, 'tenant'>): KeptEvent {
  const { about = one, sequence = 2, tenant } = overrides;
  return {
    id: `evt_${tenant}${about}_${sequence}`,
    type: 'verification.decided',
    about,
    sequence,
    occurredAt: later(0),
    keptAt: later(0),
    data: '{"source_id":"an"}',
    verdict: '{"outcome":"passed"}',
    metadata: '{"order":1}',
    purgeAt: epochSeconds(start) + keptSeconds,
    ...overrides,
  };
}

describe.each<[string, () => KeptEvents]>([
  ['in memory', () => memoryKeptEvents(now)],
  ['in DynamoDB', () => dynamoKeptEvents(tables.client, 'events', now)],
])('events that are kept, %s', (_, open) => {
  let store: KeptEvents;
  let tenant: string;
  beforeAll(() => {
    store = open();
  });
  const fresh = () => {
    clock = start.getTime();
    tenant = `tenant-${++tenants}`;
  };
  const idsOf = ({ items }: Awaited<ReturnType<KeptEvents['page']>>) => items.map(({ id }) => id);
  const all = { since: later(-3600), until: later(3600), limit: 100 };

  it('stay as they were kept first', async () => {
    fresh();
    const event = anEvent({ tenant });
    expect(await store.find(event.id)).toBeUndefined();
    expect(await store.keep(event)).toEqual(event);
    expect(await store.keep({ ...event, data: '{"other":true}', keptAt: later(9) })).toEqual(event);
    expect(await store.find(event.id)).toEqual(event);
  });

  it('are listed in the order in which they were kept, a verification’s of one moment by their sequence', async () => {
    fresh();
    const events = [
      anEvent({ tenant, sequence: 10, keptAt: later(1) }),
      anEvent({ tenant, sequence: 9, keptAt: later(1) }),
      anEvent({ tenant, about: other, sequence: 2, keptAt: later(0) }),
      anEvent({ tenant, about: other, sequence: 3, keptAt: later(2) }),
    ];
    for (const event of events) await store.keep(event);
    await store.keep(anEvent({ tenant: `${tenant}-b` }));
    const [ten, nine, before, after] = events.map(({ id }) => id);
    expect(idsOf(await store.page({ tenant, ...all }))).toEqual([before, nine, ten, after]);
    expect((await store.page({ tenant, ...all })).items[1]).toEqual(events[1]);
    expect(idsOf(await store.page({ tenant, ...all, since: later(1), until: later(2) }))).toEqual([nine, ten]);
    expect(await store.page({ tenant, ...all, since: later(2), until: later(1) })).toEqual({ items: [] });
  });

  it('come in pages that leave none out and give none twice, also those of a type', async () => {
    fresh();
    const kept: string[] = [];
    for (let sequence = 2; sequence < 9; sequence += 1) {
      const type = sequence % 2 ? 'verification.queued' : 'verification.decided';
      kept.push((await store.keep(anEvent({ tenant, sequence, type, keptAt: later(Math.floor(sequence / 3)) }))).id);
    }
    const walk = async (limit: number, types?: string[]) => {
      const walked: string[] = [];
      let after: string | undefined;
      do {
        const page = await store.page({ tenant, ...all, types, limit, after });
        expect(page.items.length).toBe(page.next ? limit : page.items.length);
        walked.push(...idsOf(page));
        after = page.next;
      } while (after);
      return walked;
    };
    for (const limit of [1, 2, 3, 7, 8]) {
      expect(await walk(limit)).toEqual(kept);
      expect(await walk(limit, ['verification.queued'])).toEqual(kept.filter((_, index) => index % 2));
    }
  });

  it('lose their texts with an erasure, before it or after', async () => {
    fresh();
    const there = anEvent({ tenant, sequence: 2 });
    const late = anEvent({ tenant, sequence: 3 });
    await store.keep(there);
    const withoutTexts = (event: KeptEvent) => {
      const { data: _, verdict: __, metadata: ___, ...rest } = event;
      return rest;
    };
    for (const _ of ['once', 'and again']) {
      await store.empty([withoutTexts({ ...there, keptAt: later(5) }), withoutTexts(late)]);
      expect(await store.find(there.id)).toEqual(withoutTexts(there));
      expect(await store.keep(late)).toEqual(withoutTexts(late));
      expect((await store.page({ tenant, ...all })).items).toEqual([there, late].map(withoutTexts));
    }
  });

  it('lose the text of an erasure once no endpoint awaits it', async () => {
    fresh();
    const event = anEvent({ tenant, type: 'verification.erased', awaitedBy: [first, second] });
    await store.keep(event);
    await store.noLongerAwaited(event.id, 'ep_cccccccccccccccc');
    expect(await store.find(event.id)).toEqual(event);
    for (const _ of ['once', 'and again']) {
      await store.noLongerAwaited(event.id, second);
      expect(await store.find(event.id)).toEqual({ ...event, awaitedBy: [first] });
    }
    for (const _ of ['once', 'and again']) {
      await store.noLongerAwaited(event.id, first);
      const { data, verdict, metadata, awaitedBy } = (await store.find(event.id)) ?? { data: 'gone' };
      expect([data, verdict, metadata, awaitedBy]).toEqual([undefined, undefined, undefined, undefined]);
    }
    await store.noLongerAwaited('evt_none_2', first);
  });

  it('lose it also where the last two end at once', async () => {
    fresh();
    for (let sequence = 2; sequence < 12; sequence += 1) {
      const { id } = await store.keep(anEvent({ tenant, sequence, awaitedBy: [first, second] }));
      await Promise.all([store.noLongerAwaited(id, first), store.noLongerAwaited(id, second)]);
      expect((await store.find(id))?.data).toBeUndefined();
    }
  });

  it('keep the text of any other event, whichever endpoint is named', async () => {
    fresh();
    const event = await store.keep(anEvent({ tenant }));
    await store.noLongerAwaited(event.id, first);
    expect(await store.find(event.id)).toEqual(event);
  });

  it('are gone after their time, also where the table has them still', async () => {
    fresh();
    const event = await store.keep(anEvent({ tenant }));
    clock += keptSeconds * 1000;
    expect(await store.find(event.id)).toBeUndefined();
    expect((await store.page({ tenant, ...all })).items).toEqual([]);
  });
});
