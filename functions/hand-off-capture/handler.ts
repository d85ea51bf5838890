import { randomBytes } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewHandOff } from '../../shared/api/hand-off.ts';
import { viewState } from '../../shared/api/verifications.ts';
import { codeBytes } from '../../shared/domain/hand-off.ts';
import { http } from '../../shared/lambda/http.ts';
import { findEvery, findOf } from '../../shared/lifecycle/find.ts';
import { claimHandOff, offerHandOff, takeBackHandOff } from '../../shared/lifecycle/hand-off.ts';
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
    newCode: () => randomBytes(codeBytes).toString('base64url'),
    publicUrl: settings.PUBLIC_URL || undefined,
  };
}

export const handler = http('hand-off-capture', connect, {
  'POST /verifications/{source_id}/hand-off': async ({ caller, path, origin }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    return { status: 201, body: viewHandOff(await offerHandOff(verification, dependencies), origin) };
  },
  'DELETE /verifications/{source_id}/hand-off': async ({ caller, path }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    return { status: 200, body: viewState(await takeBackHandOff(verification, dependencies), path.source_id) };
  },
  'POST /verifications/{source_id}/hand-off/claim': async ({ path, body }, dependencies) => {
    const [verification] = await findEvery({ tenant: { id: body.tenant } }, path.source_id, dependencies);
    const { clientToken } = await claimHandOff(verification, body.code, dependencies);
    return { status: 200, body: { client_token: clientToken } };
  },
});
