import { randomUUID as newId, randomInt as randomBelow } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { http } from '../../shared/lambda/http.ts';
import { takeOrder } from '../../shared/lifecycle/order.ts';
import { answerCall, refuse } from '../../shared/providers/identify/speech.ts';
import { registry } from '../../shared/providers/registry.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { limits } from '../../shared/stores/limits.ts';
import { sqsOrders } from '../../shared/stores/orders.ts';
import { environment } from './environment.ts';

function connect() {
  const { FETCHES_QUEUE: fetches, ...settings } = environment.parse(process.env);
  const now = () => new Date();
  return {
    // No version from before the key made a record whose source_id begins like these.
    ...connectBySourceId({ ...settings, LEGACY_IDS: 'false' }, new SecretsManagerClient(limits), now),
    orders: sqsOrders(new SQSClient(limits), { fetches }),
    registry,
    newId,
    randomBelow,
  };
}

export const handler = http(
  'serve-identify',
  connect,
  {
    'POST /identify': ({ caller, body }, dependencies) =>
      answerCall(body, (call) => takeOrder(call, caller.tenant, dependencies)),
  },
  refuse,
);
