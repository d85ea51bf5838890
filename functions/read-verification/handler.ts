import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewForClient, viewHistory, viewListed, viewVerification } from '../../shared/api/verifications.ts';
import { verificationByKey, verificationByKeyOrToken } from '../../shared/lambda/authenticate.ts';
import { http, type Request, type Routes, valid } from '../../shared/lambda/http.ts';
import { log } from '../../shared/lambda/log.ts';
import { secretsManager } from '../../shared/stores/secrets.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';
import { listQuery, readCursor, waitForRest, waitQuery, writeCursor } from './read.ts';

export const handler = http(connect, log);

function connect(): Routes {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient();
  const readSecret = secretsManager(new SecretsManagerClient(), now);
  const tenants = dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes });
  const verifications = dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now, newId: randomUUID });
  const maximumWaitSeconds = Number(settings.MAXIMUM_WAIT_SECONDS);
  const clientTokenSecret = () => readSecret(settings.CLIENT_TOKEN_SECRET);
  const dependencies = { tenants, verifications, clientTokenSecret, now };
  return {
    'GET /verifications/{source_id}': async (request: Request) => {
      const wait = valid(waitQuery, request.query.wait);
      const { verification, by } = await verificationByKeyOrToken(request, dependencies);
      const rested = await waitForRest(verification, Math.min(wait, maximumWaitSeconds), dependencies);
      return { status: 200, body: by === 'key' ? viewVerification(rested) : viewForClient(rested) };
    },
    'GET /verifications': async (request: Request) => {
      const tenant = await tenants.authenticate(request.headers['x-api-key']);
      const { state, limit, cursor } = valid(listQuery, request.query);
      const page = await verifications.list({ tenant: tenant.id, state, limit, after: readCursor(cursor) });
      return {
        status: 200,
        body: { verifications: page.items.map(viewListed), next_cursor: page.next ? writeCursor(page.next) : null },
      };
    },
    'GET /verifications/{source_id}/history': async (request: Request) => {
      return { status: 200, body: viewHistory(await verificationByKey(request, dependencies)) };
    },
  };
}
