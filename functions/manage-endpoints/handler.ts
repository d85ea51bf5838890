import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { endpointCalls } from '../../shared/api/endpoints.ts';
import { fetcher } from '../../shared/fetching.ts';
import { http } from '../../shared/lambda/http.ts';
import { limits } from '../../shared/stores/limits.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { manageEndpoints } from '../../shared/webhooks/manage.ts';
import { environment } from './environment.ts';

function connect() {
  const { TENANTS_TABLE: table, ENDPOINT_KEY_SECRET, LOOPBACK } = environment.parse(process.env);
  const now = () => new Date();
  const rows = { client: new DynamoDBClient(limits), table, now, randomBytes };
  const key = signingSecret(ENDPOINT_KEY_SECRET, new SecretsManagerClient(limits), now);
  const stranger = fetcher({ loopback: LOOPBACK === 'true' });
  const managed = manageEndpoints({ endpoints: dynamoEndpoints(rows), key, fetcher: stranger, now, randomBytes });
  return { tenants: dynamoTenants(rows), endpoints: endpointCalls(managed) };
}

const ok = async <Body>(body: Promise<Body>) => ({ status: 200 as const, body: await body });

export const handler = http('manage-endpoints', connect, {
  'POST /endpoints': async (asked, { endpoints }) => ({ status: 201, body: await endpoints.create(asked) }),
  'GET /endpoints': (asked, { endpoints }) => ok(endpoints.list(asked)),
  'GET /endpoints/{endpoint_id}': (asked, { endpoints }) => ok(endpoints.show(asked)),
  'PATCH /endpoints/{endpoint_id}': (asked, { endpoints }) => ok(endpoints.change(asked)),
  'DELETE /endpoints/{endpoint_id}': (asked, { endpoints }) => ok(endpoints.remove(asked)),
  'POST /endpoints/{endpoint_id}/disable': (asked, { endpoints }) => ok(endpoints.disable(asked)),
  'POST /endpoints/{endpoint_id}/enable': (asked, { endpoints }) => ok(endpoints.enable(asked)),
  'POST /endpoints/{endpoint_id}/rotate': (asked, { endpoints }) => ok(endpoints.rotate(asked)),
  'POST /endpoints/{endpoint_id}/test': (asked, { endpoints }) => ok(endpoints.test(asked)),
});
