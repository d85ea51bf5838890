import { randomUUID as newId, randomInt as randomBelow } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { connectBySourceId, type SourceIdSettings } from './by-source-id.ts';
import { connectCaptures } from './captures.ts';
import { limits } from './limits.ts';
import { providerQueues, sqsSend } from './queues.ts';

/** What a function that serves a vendor's API reads of all this from its environment. */
export interface ServingSettings extends Omit<SourceIdSettings, 'LEGACY_IDS'> {
  readonly CAPTURES_BUCKET: string;
  readonly PROVIDER_QUEUES: string;
}

/** What every function is connected to that serves a vendor's API. */
export function connectServing(settings: ServingSettings, now: () => Date) {
  return {
    // Source_ids of calls begin with the vendor's name and are new: no version from before the key made one.
    ...connectBySourceId({ ...settings, LEGACY_IDS: 'false' }, new SecretsManagerClient(limits), now),
    captures: connectCaptures(settings),
    send: sqsSend(new SQSClient(limits), providerQueues.parse(settings.PROVIDER_QUEUES)),
    sleep: (milliseconds: number) => setTimeout(milliseconds),
    newId,
    randomBelow,
  };
}
