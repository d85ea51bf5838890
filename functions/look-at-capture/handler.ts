import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewLook, viewLooks } from '../../shared/api/console.ts';
import { http } from '../../shared/lambda/http.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { lookAtCapture } from '../../shared/lifecycle/look.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { limits } from '../../shared/stores/limits.ts';
import { dynamoLooks } from '../../shared/stores/looks.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  return {
    ...connectBySourceId(settings, new SecretsManagerClient(limits), () => new Date()),
    captures: connectCaptures(settings),
    looks: dynamoLooks(new DynamoDBClient(limits), settings.LOOKS_TABLE),
  };
}

export const handler = http('look-at-capture', connect, {
  'POST /console/verifications/{source_id}/looks': async ({ caller, path, body }, dependencies) => {
    const record = await findOf(caller, path.source_id, dependencies);
    return { status: 201, body: viewLook(await lookAtCapture(record, caller.operator, body, dependencies)) };
  },
  'GET /console/verifications/{source_id}/looks': async ({ caller, path }, dependencies) => {
    const { verificationId } = await findOf(caller, path.source_id, dependencies);
    const found = await dependencies.looks.of(verificationId);
    return { status: 200, body: viewLooks(found, await dependencies.operators.list(caller.tenant.id)) };
  },
});
