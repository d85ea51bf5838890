/// <reference path="./oidc-provider.d.ts" />
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** What the provider knows of a person who signs in there. */
export interface Person {
  readonly email: string;
  readonly email_verified: boolean;
}

/**
 * An OpenID provider at `localhost`, which is another site than the API's 127.0.0.1: cookies that a browser keeps for one
 * are not sent to the other, and neither is a Strict one by a link. Every visitor is signed in as `person` says.
 */
export async function startProvider(person: () => Person, redirectUri: () => string) {
  const server = createServer();
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const client = { client_id: 'bonafide', client_secret: 'a secret of the client, 43 letters and more!' };
  const provider = new Provider(issuer, {
    clients: [
      { ...client, redirect_uris: [redirectUri()], response_types: ['code'], grant_types: ['authorization_code'] },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...person() }) }),
    cookies: { keys: ['a key of the provider’s cookies'] },
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url?.startsWith('/sign-in/')) return answer(request, response);
    const { params } = await provider.interactionDetails(request, response);
    const accountId = person().email;
    const grant = new provider.Grant({ accountId, clientId: String(params.client_id) });
    grant.addOIDCScope('openid email');
    const grantId = await grant.save();
    await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
  });
  return {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}
