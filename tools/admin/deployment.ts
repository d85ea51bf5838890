import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { dynamoTenants, type Tenants } from '../../shared/stores/tenants/tenants.ts';
import { dataDirectory, localStack } from '../target.ts';
import { readJson } from './files.ts';

/** What commands work on: the running local stack, or a stack in AWS. */
export interface Deployment {
  readonly tenants: Tenants;
  readonly secrets: SecretsManagerClient;
  readonly stackName: string;
  readonly apiUrl: string;
  /** Name or ARN of the secret that holds the key of ids; a stack from before ids had a key has none. */
  readonly idKeySecret: string | undefined;
}

export interface Named {
  readonly aws: boolean;
  readonly stack: string;
  readonly 'tenants-table'?: string | undefined;
  readonly url?: string | undefined;
  readonly 'id-key-secret'?: string | undefined;
}

/** Connects to the deployment the options name. */
export async function connect(named: Named): Promise<Deployment> {
  const table = named['tenants-table'];
  if (table) return open(table, named.stack, named.url ?? '<the API>', named['id-key-secret']);
  if (named.aws) {
    const outputs = z
      .record(
        z.string(),
        z.looseObject({ TenantsTable: z.string(), ApiUrl: z.string(), IdKeySecret: z.string().optional() }),
      )
      .parse(await readJson('cdk-outputs.json', 'deploy first (npm run deploy), or give --tenants-table'));
    const [stack] = Object.entries(outputs);
    if (!stack) throw new Error('cdk-outputs.json names no stack');
    return open(stack[1].TenantsTable, stack[0], stack[1].ApiUrl, stack[1].IdKeySecret);
  }
  const path = join(dataDirectory(), 'stack.json');
  const { url, environment, outputs } = localStack.parse(
    await readJson(path, 'start the local stack (npm start), or give --aws'),
  );
  return open(outputs.TenantsTable, named.stack, url, outputs.IdKeySecret, environment);
}

function open(
  table: string,
  stackName: string,
  apiUrl: string,
  idKeySecret: string | undefined,
  at?: z.infer<typeof localStack>['environment'],
): Deployment {
  const config = at && {
    region: at.AWS_REGION,
    credentials: { accessKeyId: at.AWS_ACCESS_KEY_ID, secretAccessKey: at.AWS_SECRET_ACCESS_KEY },
  };
  const client = new DynamoDBClient({ ...config, ...(at && { endpoint: at.AWS_ENDPOINT_URL_DYNAMODB }) });
  const secrets = new SecretsManagerClient({
    ...config,
    ...(at && { endpoint: at.AWS_ENDPOINT_URL_SECRETS_MANAGER }),
  });
  return {
    tenants: dynamoTenants({ client, table, now: () => new Date(), randomBytes }),
    secrets,
    stackName,
    apiUrl,
    idKeySecret,
  };
}
