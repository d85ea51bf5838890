import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { limits } from './limits.ts';
import { secretNamed } from './secrets.ts';
import { dynamoSightings } from './sightings.ts';
import { dynamoVerifications } from './verifications.ts';

/** What such a function reads of all this from its environment. */
export interface JudgingSettings {
  readonly VERIFICATIONS_TABLE: string;
  readonly SIGHTINGS_TABLE: string;
  readonly FINGERPRINT_KEY_SECRET: string;
}

/** What the function is connected to that judges captures itself: records, and which captures were judged before. */
export function connectJudging(settings: JudgingSettings, now: () => Date) {
  const client = new DynamoDBClient(limits);
  const { VERIFICATIONS_TABLE: table, SIGHTINGS_TABLE: sightingsTable } = settings;
  return {
    verifications: dynamoVerifications({ client, table, sightingsTable, now }),
    recognising: {
      sightings: dynamoSightings(client, sightingsTable, now),
      fingerprintKey: secretNamed(settings.FINGERPRINT_KEY_SECRET, new SecretsManagerClient(limits), now),
    },
  };
}
