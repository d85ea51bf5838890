import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { viewState } from '../../shared/api/verifications.ts';
import { http } from '../../shared/lambda/http.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
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
    captures: s3Captures(new S3Client(), settings.CAPTURES_BUCKET),
    now,
  };
}

export const handler = http('erase-verification', connect, {
  'DELETE /verifications/{source_id}': async ({ caller, path }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    return { status: 200, body: viewState(await eraseVerification(verification, dependencies), path.source_id) };
  },
});
