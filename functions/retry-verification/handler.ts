import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { viewState } from '../../shared/api/verifications.ts';
import { http, type Request } from '../../shared/lambda/http.ts';
import { type Finder, findOf } from '../../shared/lifecycle/find.ts';
import { retryVerification } from '../../shared/lifecycle/retry.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { s3Captures } from '../../shared/stores/captures.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  return {
    ...connectBySourceId(settings, new SecretsManagerClient(), () => new Date()),
    captures: s3Captures(new S3Client(), settings.CAPTURES_BUCKET),
    send: sqsSend(new SQSClient(), providerQueues.parse(settings.PROVIDER_QUEUES)),
  };
}

type Asked = Pick<Request<'POST /verifications/{source_id}/retry'>, 'path'> & { readonly caller: Finder };

async function retry({ caller, path }: Asked, dependencies: ReturnType<typeof connect>) {
  const verification = await findOf(caller, path.source_id, dependencies);
  const queued = await retryVerification(verification, dependencies);
  return { status: 202 as const, body: viewState(queued, path.source_id) };
}

export const handler = http('retry-verification', connect, {
  'POST /verifications/{source_id}/retry': retry,
  'POST /console/verifications/{source_id}/retry': retry,
});
