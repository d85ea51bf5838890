import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { log } from '../../shared/lambda/log.ts';
import { stream } from '../../shared/lambda/stream.ts';
import { announceChanges } from '../../shared/lifecycle/announce.ts';
import { changeOf } from '../../shared/stores/changes.ts';
import { eventBus } from '../../shared/stores/event-bus.ts';
import { environment } from './environment.ts';

function connect() {
  const { EVENT_BUS } = environment.parse(process.env);
  return { put: eventBus(new EventBridgeClient(), EVENT_BUS), log };
}

export const handler = stream(connect, (records, dependencies) => announceChanges(records.map(changeOf), dependencies));
