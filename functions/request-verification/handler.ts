import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { capturesBody, verificationRequest } from '../../shared/api/verifications.ts';
import { verificationByKeyOrToken } from '../../shared/lambda/authenticate.ts';
import { http, type Request, type Routes, valid } from '../../shared/lambda/http.ts';
import { log } from '../../shared/lambda/log.ts';
import { registry } from '../../shared/providers/registry.ts';
import { presignable, s3Uploads } from '../../shared/stores/captures.ts';
import { secretsManager } from '../../shared/stores/secrets.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { environment } from './environment.ts';
import { requestCaptures, requestVerification } from './request.ts';

export const handler = http(connect, log);

function connect(): Routes {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient();
  const readSecret = secretsManager(new SecretsManagerClient(), now);
  const tenants = dynamoTenants({ client, table: settings.TENANTS_TABLE, now, randomBytes });
  const dependencies = {
    tenants,
    verifications: dynamoVerifications({ client, table: settings.VERIFICATIONS_TABLE, now, newId: randomUUID }),
    uploads: s3Uploads(new S3Client(presignable), settings.CAPTURES_BUCKET),
    registry,
    clientTokenSecret: () => readSecret(settings.CLIENT_TOKEN_SECRET),
    now,
    newId: randomUUID,
    randomBelow: (limit: number) => randomInt(limit),
  };
  return {
    'POST /verifications': async (request: Request) => {
      const tenant = await tenants.authenticate(request.headers['x-api-key']);
      const { kind, body } = await requestVerification(
        valid(verificationRequest, request.json()),
        tenant,
        dependencies,
      );
      return { status: kind === 'created' ? 201 : 200, body };
    },
    'POST /verifications/{source_id}/captures': async (request: Request) => {
      const { verification } = await verificationByKeyOrToken(request, dependencies);
      const { captures } = valid(capturesBody, request.json());
      return { status: 200, body: await requestCaptures(verification, captures, dependencies) };
    },
  };
}
