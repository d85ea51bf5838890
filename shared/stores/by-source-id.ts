import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { idsUnder } from '../domain/verification-id.ts';
import { limits } from './limits.ts';
import { secretNamed } from './secrets.ts';
import { dynamoOperators } from './tenants/operators.ts';
import { dynamoTenants } from './tenants/tenants.ts';
import { dynamoVerifications } from './verifications.ts';

/** What such a function reads of all this from its environment. */
export interface SourceIdSettings {
  readonly VERIFICATIONS_TABLE: string;
  readonly TENANTS_TABLE: string;
  readonly ID_KEY_SECRET: string;
  readonly LEGACY_IDS: 'true' | 'false';
  /** Where callers reach the API; empty or absent: at its own address. */
  readonly PUBLIC_URL?: string;
}

/** What every function is connected to that starts from a source_id: tenants, their verifications, and the ids between. */
export function connectBySourceId(settings: SourceIdSettings, secrets: SecretsManagerClient, now: () => Date) {
  const client = new DynamoDBClient(limits);
  const readKey = secretNamed(settings.ID_KEY_SECRET, secrets, now);
  return {
    tenants: dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes }),
    verifications: dynamoVerifications({
      client,
      table: settings.VERIFICATIONS_TABLE,
      tenantsTable: settings.TENANTS_TABLE,
      now,
    }),
    operators: dynamoOperators({ client, table: settings.TENANTS_TABLE, now, randomBytes }),
    ids: idsUnder(readKey, { legacy: settings.LEGACY_IDS === 'true' }),
    publicUrl: settings.PUBLIC_URL || undefined,
    now,
  };
}
