import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewDeliveries, viewDelivery, viewEvents, wantedDeliveries } from '../../shared/api/deliveries.ts';
import { http } from '../../shared/lambda/http.ts';
import { listDeliveries, showDelivery } from '../../shared/lifecycle/list-deliveries.ts';
import { readEvents } from '../../shared/lifecycle/read-events.ts';
import { writeResult } from '../../shared/providers/identify/speech.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { connectKeeping } from '../../shared/stores/keeping.ts';
import { limits } from '../../shared/stores/limits.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  return {
    ...connectBySourceId(settings, new SecretsManagerClient(limits), now),
    ...connectKeeping(settings, new DynamoDBClient(limits), now),
    ...{ bodyOf, writeResult },
  };
}

export const handler = http('read-deliveries', connect, {
  'GET /deliveries': async ({ caller, query }, dependencies) => {
    return {
      status: 200,
      body: viewDeliveries(await listDeliveries(caller.tenant, wantedDeliveries(query), dependencies)),
    };
  },
  'GET /deliveries/{delivery_id}': async ({ caller, path }, dependencies) => {
    const { delivery, body } = await showDelivery(caller.tenant.id, path.delivery_id, dependencies);
    return { status: 200, body: { ...viewDelivery(delivery), body } };
  },
  'GET /events': async ({ caller, query }, dependencies) => {
    return { status: 200, body: viewEvents(await readEvents(caller.tenant.id, query, dependencies)) };
  },
});
