import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from '../../shared/api/cursor.ts';
import type { KeptEvent } from '../../shared/domain/delivery.ts';
import { eventId } from '../../shared/domain/event.ts';
import { epochSeconds, keptSeconds } from '../../shared/domain/times.ts';
import { readEvents } from '../../shared/lifecycle/read-events.ts';
import { aKeptEvent } from '../builders/kept-event.ts';
import { setup } from '../builders/setup.ts';
import { memoryEndpoints } from '../simulation/endpoints.ts';
import { memoryKeptEvents } from '../simulation/kept-events.ts';

function reading() {
  const { now, advance } = setup();
  const dependencies = { endpoints: memoryEndpoints(now), keptEvents: memoryKeptEvents(now), now };
  let sequence = 1;
  const seen: string[] = [];
  let cursor: Parameters<typeof readEvents>[1]['cursor'];
  return {
    ...dependencies,
    advance,
    seen,
    async keep(secondsAgo: number, overrides: Partial<KeptEvent> = {}) {
      sequence += 1;
      const at = new Date(now().getTime() - secondsAgo * 1000).toISOString();
      const id = eventId('a'.repeat(26), sequence);
      const purgeAt = epochSeconds(now()) + keptSeconds;
      await dependencies.keptEvents.keep(aKeptEvent({ id, sequence, keptAt: at, purgeAt, ...overrides }));
      return id;
    },
    /** One page, as a caller that keeps the cursor and forgets everything else. */
    async read(asked: Omit<Parameters<typeof readEvents>[1], 'limit' | 'cursor'> & { limit?: number } = {}) {
      const { items, next, more } = await readEvents('acme', { limit: 2, ...asked, cursor }, dependencies);
      cursor = readPlace('events', writePlace('events', next));
      expect(cursor).toEqual(JSON.parse(JSON.stringify(next)));
      seen.push(...items.map(({ id }) => id));
      return { ids: items.map(({ id }) => id), more };
    },
  };
}

describe('events that a program without an address reads', () => {
  it('come in the order in which they were kept, and then those that are new', async () => {
    const world = reading();
    const [one, two, three] = [await world.keep(300), await world.keep(200), await world.keep(100)];
    expect(await world.read()).toEqual({ ids: [one, two], more: true });
    expect(await world.read()).toEqual({ ids: [three], more: false });
    expect(await world.read()).toEqual({ ids: [], more: false });
    const four = await world.keep(0);
    expect(await world.read()).toEqual({ ids: [four], more: false });
    expect(await world.read()).toEqual({ ids: [four], more: false });
    world.advance(61);
    expect(await world.read()).toEqual({ ids: [four], more: false });
    expect(await world.read()).toEqual({ ids: [], more: false });
  });

  it('begin at since, of the types that were asked for', async () => {
    const world = reading();
    await world.keep(300);
    await world.keep(200, { type: 'verification.queued' });
    const wanted = await world.keep(100);
    const since = new Date(world.now().getTime() - 200_000).toISOString();
    expect(await world.read({ since, types: ['verification.decided'] })).toEqual({ ids: [wanted], more: false });
    const later = reading();
    await later.keep(10);
    const soon = new Date(later.now().getTime() + 5000).toISOString();
    expect(await later.read({ since: soon })).toEqual({ ids: [], more: false });
    expect(await later.read()).toEqual({ ids: [], more: false });
  });

  it('leave none out that is kept late, though others were read after it, however long the walk took', async () => {
    const world = reading();
    for (let count = 0; count < 5; count += 1) await world.keep(30 - count);
    expect((await world.read()).more).toBe(true);
    expect((await world.read()).more).toBe(true);
    const late = await world.keep(29.5);
    world.advance(300);
    await world.keep(0);
    expect(world.seen).not.toContain(late);
    for (let page = 0; page < 10; page += 1) await world.read();
    expect(world.seen).toContain(late);
    expect(await world.read()).toMatchObject({ more: false });
  });

  it('are kept from the first read on', async () => {
    const world = reading();
    expect((await world.endpoints.of('acme')).keeps).toBe(false);
    await world.read();
    expect((await world.endpoints.of('acme')).keeps).toBe(true);
    world.advance(keptSeconds + 1);
    expect((await world.endpoints.of('acme')).keeps).toBe(false);
  });
});
