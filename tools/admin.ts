import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { Fault } from '../shared/domain/fault.ts';
import { tenantId } from '../shared/domain/verification.ts';
import { dynamoTenants, type IssuedKey, keyCacheSeconds, type Tenants } from '../shared/stores/tenants.ts';
import { dataDirectory, localStack } from './target.ts';

const usage = `Keeps tenants and their API keys, in the running local stack or in AWS.

  npm run admin -- tenant create acme            a tenant with the default policy; prints its first key, once
  npm run admin -- tenant add-key acme           another key, beside the ones it has
  npm run admin -- tenant revoke-key acme KEY_ID
  npm run admin -- tenant show acme              key ids and policy; keys themselves are not stored

  Without an option: the local stack (npm start) of BONAFIDE_DATA.
  --aws              the stack this checkout deployed (cdk-outputs.json, written by npm run deploy)
  --tenants-table T  a table by name, with the AWS credentials and region of your environment
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    aws: { type: 'boolean', default: false },
    'tenants-table': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

try {
  process.exitCode = await administer(positionals);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function administer([noun, verb, name, keyId]: string[]): Promise<number> {
  const verbs: Record<string, (tenants: Tenants, id: string) => Promise<void>> = {
    create: async (tenants, id) => print(await tenants.create(id)),
    'add-key': async (tenants, id) => print(await tenants.addKey(id)),
    'revoke-key': async (tenants, id) => {
      if (!keyId) throw new Error('Which key? Its id is shown by: tenant show');
      if (!(await tenants.revokeKey(id, keyId))) throw new Error(`Tenant ${id} has no key ${keyId}`);
      console.log(`Revoked. Functions that have just seen the key may take it for ${keyCacheSeconds} s more.`);
    },
    show: async (tenants, id) => {
      const tenant = await tenants.find(id);
      if (!tenant) throw new Error(`There is no tenant ${id}`);
      const { keys, ...rest } = tenant;
      console.log(JSON.stringify({ ...rest, keys: keys.map(({ sha256: _, ...key }) => key) }, null, 2));
    },
  };
  const run = noun === 'tenant' && verb ? verbs[verb] : undefined;
  if (values.help || !run || !name) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  const id = tenantId.safeParse(name);
  if (!id.success) throw new Error(`A tenant's name ${id.error.issues[0]?.message}`);
  const { client, table } = await connect();
  try {
    await run(dynamoTenants({ client, table, now: () => new Date(), randomBytes }), id.data);
  } catch (error) {
    throw error instanceof Fault ? new Error(error.message) : error;
  } finally {
    client.destroy();
  }
  return 0;
}

function print({ id, key }: IssuedKey): void {
  console.log(`key id  ${id}\napi key ${key}\nThe key is shown this once: only its hash is stored.`);
}

async function connect(): Promise<{ client: DynamoDBClient; table: string }> {
  const named = values['tenants-table'];
  if (named) return { client: new DynamoDBClient(), table: named };
  if (values.aws) {
    const outputs = z
      .record(z.string(), z.looseObject({ TenantsTable: z.string() }))
      .parse(JSON.parse(await read('cdk-outputs.json', 'deploy first (npm run deploy), or give --tenants-table')));
    const [stack] = Object.values(outputs);
    if (!stack) throw new Error('cdk-outputs.json names no stack');
    return { client: new DynamoDBClient(), table: stack.TenantsTable };
  }
  const path = join(dataDirectory(), 'stack.json');
  const { environment, outputs } = localStack.parse(
    JSON.parse(await read(path, 'start the local stack (npm start), or give --aws')),
  );
  return {
    client: new DynamoDBClient({
      endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB,
      region: environment.AWS_REGION,
      credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
    }),
    table: outputs.TenantsTable,
  };
}

async function read(path: string, remedy: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new Error(`${path} is not there: ${remedy}`);
  }
}
