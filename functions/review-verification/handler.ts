import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { reviewOf } from '../../shared/api/console.ts';
import { viewVerification } from '../../shared/api/verifications.ts';
import { http } from '../../shared/lambda/http.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { reviewVerification } from '../../shared/lifecycle/review.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { limits } from '../../shared/stores/limits.ts';
import { environment } from './environment.ts';

function connect() {
  return connectBySourceId(environment.parse(process.env), new SecretsManagerClient(limits), () => new Date());
}

export const handler = http('review-verification', connect, {
  'POST /verifications/{source_id}/review': async ({ caller, path, body }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    const reviewed = await reviewVerification(verification, body, dependencies);
    return { status: 200, body: viewVerification(reviewed, path.source_id) };
  },
  'POST /console/verifications/{source_id}/review': async ({ caller, path, body }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    const reviewed = await reviewVerification(verification, reviewOf(body, caller.operator), dependencies);
    return { status: 200, body: viewVerification(reviewed, path.source_id) };
  },
});
