import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { dynamoTenants, type Tenants } from '../../../shared/stores/tenants/tenants.ts';
import { startTables } from '../table.ts';

/** The tenants' table on the embedded DynamoDB, with a clock that only the test moves and a count of its requests. */
export function tenantsTable() {
  let tables: Awaited<ReturnType<typeof startTables>>;
  let clock = Date.parse('2026-01-01T00:00:00Z');
  const requests: string[] = [];

  beforeAll(async () => {
    tables = await startTables();
    tables.client.middlewareStack.add(
      (next, context) => (args) => {
        requests.push(context.commandName ?? '');
        return next(args);
      },
      { step: 'initialize' },
    );
  });
  afterAll(() => tables.stop());

  return {
    /** One function's view of the table: its own cache. */
    open: (): Tenants =>
      dynamoTenants({ client: tables.client, table: 'tenants', now: () => new Date(clock), randomBytes }),
    client: () => tables.client,
    passes: (seconds: number) => {
      clock += seconds * 1000;
    },
    /** The commands sent since the last call. */
    requests: (): string[] => requests.splice(0),
  };
}
