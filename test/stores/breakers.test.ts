import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsToOpen } from '../../shared/domain/breaker.ts';
import type { Breakers } from '../../shared/domain/ports.ts';
import { breakerGate } from '../../shared/lifecycle/gate.ts';
import { dynamoBreakers } from '../../shared/stores/breakers.ts';
import { memoryBreakers } from '../simulation/breakers.ts';
import { startTables } from './table.ts';

let clock = Date.parse('2026-01-01T00:00:00Z');
const now = () => new Date(clock);
const later = (seconds: number) => {
  clock += seconds * 1000;
};
let tables: Awaited<ReturnType<typeof startTables>>;
let keys = 0;

beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

describe.each([
  ['in memory', (kept: { memory: Breakers }) => kept.memory],
  ['in DynamoDB', () => dynamoBreakers(tables.client, 'breakers', now)],
])('a breaker %s', (_, open) => {
  /** Workers of one provider and credential: each its own process, the rows shared. */
  function workers(count: number) {
    const memory = memoryBreakers();
    const key = `vendor#secret-${++keys}`;
    return Array.from({ length: count }, () => {
      const gate = breakerGate(key, 60, { breakers: open({ memory }), counts: new Map(), now });
      return { gate, open: () => open({ memory }) };
    });
  }

  it('lets calls through until a process has seen five faults in a row', async () => {
    const [worker] = workers(1);
    for (let fault = 1; fault < faultsToOpen; fault += 1) await worker?.gate.ended('provider_failed');
    await worker?.gate.ended(undefined); // an answer: the count begins again
    for (let fault = 1; fault < faultsToOpen; fault += 1) await worker?.gate.ended('provider_failed');
    expect(await worker?.gate.mayCall()).toBe(true);
    await worker?.gate.ended('provider_failed');
    expect(await worker?.gate.mayCall()).toBe(false);
  });

  it.each(['provider_unauthorized', 'provider_credits_spent'] as const)(
    'opens at once for %s, for everybody within five seconds',
    async (code) => {
      const [one, two] = workers(2);
      expect(await two?.gate.mayCall()).toBe(true);
      await one?.gate.ended(code);
      later(5.1);
      expect(await two?.gate.mayCall()).toBe(false);
    },
  );

  it('says nothing of a provider because it refused one request', async () => {
    const [worker] = workers(1);
    for (let fault = 0; fault < 20; fault += 1) await worker?.gate.ended('provider_refused');
    expect(await worker?.gate.mayCall()).toBe(true);
  });

  it('half open lets one probe, whose answer closes it and whose fault opens it for longer', async () => {
    const [one, two] = workers(2);
    await one?.gate.ended('provider_credits_spent');
    later(16);
    const probes = [await one?.gate.mayCall(), await two?.gate.mayCall()];
    expect(probes.sort()).toEqual([false, true]);
    await one?.gate.ended('provider_failed');
    later(16);
    expect(await one?.gate.mayCall()).toBe(false); // 30 s this time
    later(16);
    expect(await one?.gate.mayCall()).toBe(true);
    await one?.gate.ended(undefined);
    later(6);
    expect(await two?.gate.mayCall()).toBe(true);
  });

  it('lets another probe when the one that had it died', async () => {
    const [one, two] = workers(2);
    await one?.gate.ended('provider_unauthorized');
    later(16);
    expect(await one?.gate.mayCall()).toBe(true);
    later(30);
    expect(await two?.gate.mayCall()).toBe(false);
    later(31);
    expect(await two?.gate.mayCall()).toBe(true);
  });
});
