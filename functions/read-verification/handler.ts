import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewFor, viewHistory, viewPage } from '../../shared/api/verifications.ts';
import { http } from '../../shared/lambda/http.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { waitForRest } from '../../shared/lifecycle/wait.ts';
import { secretNamed } from '../../shared/stores/secrets.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient();
  return {
    tenants: dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes }),
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now, newId: randomUUID }),
    clientTokenSecret: secretNamed(settings.CLIENT_TOKEN_SECRET, new SecretsManagerClient(), now),
    maximumWaitSeconds: Number(settings.MAXIMUM_WAIT_SECONDS),
    sleep: (milliseconds: number) => setTimeout(milliseconds),
    now,
  };
}

export const handler = http('read-verification', connect, {
  'GET /verifications/{source_id}': async ({ caller, path, query }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    const rested = await waitForRest(verification, query.wait, dependencies);
    return { status: 200, body: viewFor(caller.by, rested, path.source_id) };
  },
  'GET /verifications': async ({ caller, query: { cursor: after, ...query } }, { verifications }) => {
    return { status: 200, body: viewPage(await verifications.list({ tenant: caller.tenant.id, after, ...query })) };
  },
  'GET /verifications/{source_id}/history': async ({ caller, path }, dependencies) => {
    return { status: 200, body: viewHistory(await findOf(caller, path.source_id, dependencies), path.source_id) };
  },
});
