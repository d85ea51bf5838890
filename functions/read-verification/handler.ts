import { setTimeout } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { listedOf, viewFor, viewHistory, viewPage } from '../../shared/api/verifications.ts';
import { http } from '../../shared/lambda/http.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { askAgainAfter, waitForUs } from '../../shared/lifecycle/wait.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { limits } from '../../shared/stores/limits.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const secrets = new SecretsManagerClient(limits);
  return {
    ...connectBySourceId(settings, secrets, now),
    clientTokenSecret: signingSecret(settings.CLIENT_TOKEN_SECRET, secrets, now),
    maximumWaitSeconds: Number(settings.MAXIMUM_WAIT_SECONDS),
    sleep: (milliseconds: number) => setTimeout(milliseconds),
  };
}

export const handler = http('read-verification', connect, {
  'GET /verifications/{source_id}': async ({ caller, path, query }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    const current = await waitForUs(verification, query.wait, dependencies);
    const body = viewFor(caller.by, current, path.source_id);
    return { status: 200, body, retryAfterSeconds: askAgainAfter(current) };
  },
  'GET /verifications': async ({ caller, query }, { verifications }) => {
    return { status: 200, body: viewPage(await verifications.list(listedOf(caller.tenant.id, query))) };
  },
  'GET /verifications/{source_id}/history': async ({ caller, path }, dependencies) => {
    return { status: 200, body: viewHistory(await findOf(caller, path.source_id, dependencies), path.source_id) };
  },
});
