import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeptOutcome } from '../../shared/domain/outcome.ts';
import { epochSeconds, outcomesSeconds } from '../../shared/domain/times.ts';
import { dynamoOutcomes } from '../../shared/stores/outcomes.ts';
import { commandsOf, startTables } from './table.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let requests: string[];
let clock = Date.parse('2026-01-01T00:00:00Z');
const now = () => new Date(clock);
beforeAll(async () => {
  tables = await startTables();
  requests = commandsOf(tables.client);
});
afterAll(() => tables.stop());
const open = (at = now) => dynamoOutcomes(tables.client, 'outcomes', at);

const anOutcome = (tenant: string, id: string, at = now()): KeptOutcome => ({
  tenant,
  id,
  at: at.toISOString(),
  check: 'spoof_detect',
  outcome: 'passed',
  reasons: [],
  provider: 'builtin',
  seconds: 1.2,
});
const ids = (told: { outcomes: readonly KeptOutcome[] }) => told.outcomes.map(({ id }) => id);

describe('outcomes', () => {
  it('are told the newest first, of one tenant, for one read', async () => {
    for (const id of ['a', 'b', 'c']) {
      clock += 1000;
      await open().keep(anOutcome('acme', id));
    }
    await open().keep(anOutcome('other', 'd'));
    requests.splice(0);
    const told = await open().newest('acme', undefined);
    expect([ids(told), told.until, requests]).toEqual([['c', 'b', 'a'], now().toISOString(), ['QueryCommand']]);
    expect(told.outcomes[0]).toEqual(anOutcome('acme', 'c'));
  });

  it('are told once, however often they are announced', async () => {
    const outcome = anOutcome('repeated', 'a');
    for (let time = 0; time < 3; time += 1) {
      clock += 1000;
      await open().keep(outcome);
    }
    expect(ids(await open().newest('repeated', undefined))).toEqual(['a']);
  });

  it('that are announced late are among what is newer, whatever time they say that they were decided at', async () => {
    await open().keep(anOutcome('late', 'seen'));
    const { until } = await open().newest('late', undefined);
    const decidedBefore = new Date(clock - 600_000);
    clock += 300_000;
    await open().keep(anOutcome('late', 'announced late', decidedBefore));
    expect(ids(await open().newest('late', until))).toContain('announced late');
  });

  it('of a writer whose clock is behind are among what is newer', async () => {
    await open().keep(anOutcome('skewed', 'seen'));
    const { until } = await open().newest('skewed', undefined);
    await open(() => new Date(clock - 30_000)).keep(anOutcome('skewed', 'behind'));
    expect(ids(await open().newest('skewed', until))).toContain('behind');
  });

  it('that are older than a minute are not told again', async () => {
    await open().keep(anOutcome('polled', 'old'));
    clock += 61_000;
    await open().keep(anOutcome('polled', 'new'));
    const { until } = await open().newest('polled', undefined);
    const again = await open().newest('polled', until);
    expect([ids(again), again.until]).toEqual([['new'], until]);
    clock += 61_000;
    expect((await open().newest('nothing yet', undefined)).outcomes).toEqual([]);
  });

  it('are 1,000 at the most, the newest', async () => {
    for (let batch = 0; batch < 26; batch += 1) {
      const keeping = Array.from({ length: 40 }, (_, index) => {
        const at = new Date(clock + batch * 40 + index);
        return open(() => at).keep(anOutcome('busy', `o-${batch * 40 + index}`, at));
      });
      await Promise.all(keeping);
    }
    const told = await open().newest('busy', undefined);
    expect([told.outcomes.length, ids(told)[0], ids(told).at(-1)]).toEqual([1000, 'o-1039', 'o-40']);
  });

  it('are forgotten after thirty days', async () => {
    const { Items = [] } = await tables.client.send(new ScanCommand({ TableName: 'outcomes' }));
    for (const row of Items.map((item) => unmarshall(item))) {
      const keptAt = new Date(row.position.split('#')[0]);
      expect(row.purgeAt).toBe(epochSeconds(keptAt) + outcomesSeconds);
    }
  });
});
