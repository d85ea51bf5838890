import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoOperators } from '../shared/stores/tenants/operators.ts';
import { dynamoTenants } from '../shared/stores/tenants/tenants.ts';
import type { Stack } from './stack.ts';

/** The tenant that `npm start` creates, for tests: it may use every provider. */
export interface DemoTenant {
  tenant: string;
  apiKey: string;
}

const tenant = 'demo';
/** For requests to /identify. */
const credits = 100;

type Running = Pick<Stack, 'environment' | 'endpoints' | 'outputs'>;

/** The tenants of a stack that runs in this process. */
export const tenantsOf = (running: Running) => dynamoTenants(tenantsTable(running));

/** Their operators. */
export const operatorsOf = (running: Running) => dynamoOperators(tenantsTable(running));

function tenantsTable({ environment, endpoints, outputs }: Running) {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_REGION } = environment;
  const client = new DynamoDBClient({
    endpoint: endpoints.dynamodb,
    region: AWS_REGION,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
  const table = outputs.TenantsTable;
  if (!table) throw new Error('The stack has no output TenantsTable');
  return { client, table, now: () => new Date(), randomBytes };
}

/** Makes the demo tenant at the first start; its key is kept beside the data, for this user only, and used again. */
export async function ensureDemoTenant(stack: Stack, dataDirectory: string): Promise<DemoTenant> {
  const tenants = tenantsOf(stack);
  const keyFile = path.join(dataDirectory, 'demo-api-key');

  const kept = readKey(keyFile);
  const stillValid = kept !== undefined && (await tenants.authenticate(kept).then(Boolean, () => false));
  if (stillValid) return { tenant, apiKey: kept };

  // The tenant without its key: a kill came between the two, or the file was removed or the key revoked.
  const { key } = (await tenants.find(tenant))
    ? await tenants.addKey(tenant)
    : await tenants.create(tenant, { test: true });
  if ((await tenants.creditsLeft(tenant)) === 0) await tenants.addCredits(tenant, credits);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return { tenant, apiKey: key };
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
