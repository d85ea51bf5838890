import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { log } from '../../shared/lambda/log.ts';
import { stream } from '../../shared/lambda/stream.ts';
import { announceChanges } from '../../shared/lifecycle/announce.ts';
import { changeOf } from '../../shared/stores/changes.ts';
import { eventBus } from '../../shared/stores/event-bus.ts';
import { sqsOrders } from '../../shared/stores/orders.ts';
import { environment } from './environment.ts';

function connect() {
  const { EVENT_BUS, DELIVERIES_QUEUE: deliveries } = environment.parse(process.env);
  return { put: eventBus(new EventBridgeClient(), EVENT_BUS), orders: sqsOrders(new SQSClient(), { deliveries }), log };
}

export const handler = stream(connect, (records, dependencies) => announceChanges(records.map(changeOf), dependencies));
