import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewSession } from '../../shared/api/console.ts';
import { sessionBegun, sessionEnded } from '../../shared/lambda/authenticate.ts';
import { http } from '../../shared/lambda/http.ts';
import { beginAtProvider, finishAtProvider } from '../../shared/lambda/sign-in.ts';
import { identityProvider } from '../../shared/oidc.ts';
import { limits } from '../../shared/stores/limits.ts';
import { secretNamed } from '../../shared/stores/secrets.ts';
import { dynamoOperators } from '../../shared/stores/tenants/operators.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = settings;
  const clientSecret = secretNamed(settings.OIDC_CLIENT_SECRET, new SecretsManagerClient(limits), now);
  const loopback = settings.LOOPBACK === 'true';
  return {
    operators: dynamoOperators({ client: new DynamoDBClient(limits), table: settings.TENANTS_TABLE, now, randomBytes }),
    provider: issuer ? identityProvider({ issuer, clientId, clientSecret, loopback, now, randomBytes }) : undefined,
    publicUrl: settings.PUBLIC_URL || undefined,
  };
}

export const handler = http('sign-in-operator', connect, {
  'POST /console/session': async ({ body }, { operators }) => {
    const session = await operators.spend(body.code);
    return { status: 201, body: viewSession(session), cookies: [sessionBegun(session.token)] };
  },
  'GET /console/session': async ({ caller }) => ({ status: 200, body: viewSession(caller) }),
  'DELETE /console/session': async ({ caller }, { operators }) => {
    await operators.signOut(caller);
    return { status: 200, body: { signed_out: true }, cookies: [sessionEnded] };
  },
  'GET /console/settings': async (_, { provider }) => ({ status: 200, body: { oidc: provider !== undefined } }),
  'GET /console/sign-in': beginAtProvider,
  'GET /console/callback': finishAtProvider,
});
