import { randomBytes, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { viewState } from '../../shared/api/verifications.ts';
import { verificationByKey } from '../../shared/lambda/authenticate.ts';
import { http, type Request, type Routes } from '../../shared/lambda/http.ts';
import { log } from '../../shared/lambda/log.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';

export const handler = http(connect, log);

function connect(): Routes {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient();
  const dependencies = {
    tenants: dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes }),
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now, newId: randomUUID }),
    captures: s3Captures(new S3Client(), settings.CAPTURES_BUCKET),
    now,
  };
  return {
    'DELETE /verifications/{source_id}': async (request: Request) => {
      const verification = await verificationByKey(request, dependencies);
      return { status: 200, body: viewState(await eraseVerification(verification, dependencies)) };
    },
  };
}
