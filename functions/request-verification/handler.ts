import { randomUUID as newId, randomInt as randomBelow } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { askedOf, redeclaredOf, replyOfBegun, viewUploads } from '../../shared/api/verifications.ts';
import { http } from '../../shared/lambda/http.ts';
import { beginVerification } from '../../shared/lifecycle/begin.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { requestCaptures } from '../../shared/lifecycle/next-round.ts';
import { registry } from '../../shared/providers/registry.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { presignable, s3Uploads } from '../../shared/stores/captures.ts';
import { bodyLimits, limits } from '../../shared/stores/limits.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const secrets = new SecretsManagerClient(limits);
  return {
    ...connectBySourceId(settings, secrets, now),
    uploads: s3Uploads(new S3Client({ ...presignable, ...bodyLimits }), settings.CAPTURES_BUCKET),
    registry,
    clientTokenSecret: signingSecret(settings.CLIENT_TOKEN_SECRET, secrets, now),
    newId,
    randomBelow,
    publicUrl: settings.PUBLIC_URL || undefined,
  };
}

export const handler = http('request-verification', connect, {
  'POST /verifications': async ({ caller, body, origin }, dependencies) =>
    replyOfBegun(await beginVerification(askedOf(body), caller.tenant, dependencies), origin),
  'POST /verifications/{source_id}/captures': async ({ caller, path, body, origin }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    const handOff = caller.by === 'client_token' ? caller.handOff : undefined;
    const issued = await requestCaptures(verification, redeclaredOf(body), dependencies, handOff);
    return { status: 200, body: viewUploads(issued, origin) };
  },
});
