import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { viewState } from '../../shared/api/verifications.ts';
import { http, type Request } from '../../shared/lambda/http.ts';
import { type Finder, findOf } from '../../shared/lifecycle/find.ts';
import { retryVerification } from '../../shared/lifecycle/retry.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { limits } from '../../shared/stores/limits.ts';
import { providerQueues, sqsSend } from '../../shared/stores/queues.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  return {
    ...connectBySourceId(settings, new SecretsManagerClient(limits), () => new Date()),
    captures: connectCaptures(settings),
    send: sqsSend(new SQSClient(limits), providerQueues.parse(settings.PROVIDER_QUEUES)),
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
