import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { ManagedEndpoints, Verifications } from '../../shared/domain/ports.ts';
import { fetcher } from '../../shared/fetching.ts';
import { limits } from '../../shared/stores/limits.ts';
import { everyId } from '../../shared/stores/lists.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { dynamoLogos, type KeptLogos } from '../../shared/stores/tenants/logos.ts';
import { dynamoOperators, type ManagedOperators } from '../../shared/stores/tenants/operators.ts';
import { dynamoTenants, type Tenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { manageEndpoints } from '../../shared/webhooks/manage.ts';
import { dataDirectory, localStack } from '../target.ts';
import { readJson } from './files.ts';

/** What commands work on: the running local stack, or a stack in AWS. */
export interface Deployment {
  readonly tenants: Tenants;
  readonly logos: KeptLogos;
  readonly operators: ManagedOperators;
  readonly verifications: Pick<Verifications, 'find'>;
  /** Ids of a tenant's verifications, by index, in no order; one that moves meanwhile may come twice. */
  readonly verificationIds: (tenant: string) => AsyncIterable<string>;
  readonly secrets: SecretsManagerClient;
  readonly stackName: string;
  readonly apiUrl: string;
  /** Name or ARN of the secret that holds the key of ids; a stack from before ids had a key has none. */
  readonly idKeySecret: string | undefined;
  /** Throws where the secret that holds the key of endpoints is not known. A test is sent from this machine. */
  readonly endpoints: () => ManagedEndpoints;
}

export interface Named {
  readonly aws: boolean;
  readonly stack: string;
  readonly 'tenants-table'?: string | undefined;
  readonly url?: string | undefined;
  readonly 'id-key-secret'?: string | undefined;
  readonly 'endpoint-key-secret'?: string | undefined;
  readonly 'verifications-table'?: string | undefined;
}

/** Connects to the deployment the options name. */
export async function connect(named: Named): Promise<Deployment> {
  const table = named['tenants-table'];
  if (table) {
    const tables = { tenants: table, verifications: named['verifications-table'] };
    const keys = { idKeySecret: named['id-key-secret'], endpointKeySecret: named['endpoint-key-secret'] };
    return open(tables, named.stack, named.url ?? '<the API>', keys);
  }
  if (named.aws) {
    const outputs = z
      .record(
        z.string(),
        z.looseObject({
          TenantsTable: z.string(),
          VerificationsTable: z.string().optional(),
          ApiUrl: z.string(),
          IdKeySecret: z.string().optional(),
          EndpointKeySecret: z.string().optional(),
        }),
      )
      .parse(await readJson('cdk-outputs.json', 'deploy first (npm run deploy), or give --tenants-table'));
    const [stack] = Object.entries(outputs);
    if (!stack) throw new Error('cdk-outputs.json names no stack');
    const [name, { TenantsTable: tenants, VerificationsTable: verifications, ApiUrl, IdKeySecret, EndpointKeySecret }] =
      stack;
    const keys = { idKeySecret: IdKeySecret, endpointKeySecret: EndpointKeySecret };
    return open({ tenants, verifications }, name, ApiUrl, keys);
  }
  const path = join(dataDirectory(), 'stack.json');
  const { url, environment, outputs } = localStack.parse(
    await readJson(path, 'start the local stack (npm start), or give --aws'),
  );
  const tables = { tenants: outputs.TenantsTable, verifications: outputs.VerificationsTable };
  const keys = { idKeySecret: outputs.IdKeySecret, endpointKeySecret: outputs.EndpointKeySecret };
  return open(tables, named.stack, url, keys, environment);
}

function open(
  tables: { readonly tenants: string; readonly verifications: string | undefined },
  stackName: string,
  apiUrl: string,
  { idKeySecret, endpointKeySecret }: Record<'idKeySecret' | 'endpointKeySecret', string | undefined>,
  at?: z.infer<typeof localStack>['environment'],
): Deployment {
  const config = at && {
    region: at.AWS_REGION,
    credentials: { accessKeyId: at.AWS_ACCESS_KEY_ID, secretAccessKey: at.AWS_SECRET_ACCESS_KEY },
  };
  const client = new DynamoDBClient({ ...limits, ...config, ...(at && { endpoint: at.AWS_ENDPOINT_URL_DYNAMODB }) });
  const secrets = new SecretsManagerClient({
    ...limits,
    ...config,
    ...(at && { endpoint: at.AWS_ENDPOINT_URL_SECRETS_MANAGER }),
  });
  const now = () => new Date();
  const records = (): string => {
    if (tables.verifications === undefined)
      throw new Error('Give --verifications-table: the output VerificationsTable');
    return tables.verifications;
  };
  return {
    tenants: dynamoTenants({ client, table: tables.tenants, now, randomBytes }),
    logos: dynamoLogos({ client, table: tables.tenants }),
    operators: dynamoOperators({ client, table: tables.tenants, now, randomBytes }),
    verifications: { find: (id) => dynamoVerifications({ client, table: records(), now }).find(id) },
    verificationIds: (tenant) => everyId(client, records(), tenant),
    secrets,
    stackName,
    apiUrl,
    idKeySecret,
    endpoints: () => {
      if (!endpointKeySecret)
        throw new Error('Give --endpoint-key-secret: its ARN is the stack’s output EndpointKeySecret');
      return manageEndpoints({
        endpoints: dynamoEndpoints({ client, table: tables.tenants, now }),
        key: signingSecret(endpointKeySecret, secrets, now),
        fetcher: fetcher({ loopback: at !== undefined }),
        now,
        randomBytes,
      });
    },
  };
}
