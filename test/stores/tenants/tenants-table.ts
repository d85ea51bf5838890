import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { dynamoTenants, type Tenants } from '../../../shared/stores/tenants/tenants.ts';
import { commandsOf, startTables } from '../table.ts';

/** The tenants' table on the embedded DynamoDB, with a clock that only the test moves and a count of its requests. */
export function tenantsTable() {
  let tables: Awaited<ReturnType<typeof startTables>>;
  let clock = Date.parse('2026-01-01T00:00:00Z');
  let requests: string[];

  beforeAll(async () => {
    tables = await startTables();
    requests = commandsOf(tables.client);
  });
  afterAll(() => tables.stop());

  return {
    /** One function's view of the table: its own cache. */
    open: (): Tenants =>
      dynamoTenants({ client: tables.client, table: 'tenants', now: () => new Date(clock), randomBytes }),
    client: () => tables.client,
    now: () => new Date(clock),
    passes: (seconds: number) => {
      clock += seconds * 1000;
    },
    /** The commands sent since the last call. */
    requests: (): string[] => requests.splice(0),
  };
}
