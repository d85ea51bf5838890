import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { ApiFunctionName, Operation, operations, RoutesOf } from '../api/operations.ts';
import { readClientToken } from '../domain/client-token.ts';
import { Fault } from '../domain/fault.ts';
import type { Tenant, Tenants, Verifications } from '../domain/ports.ts';
import { readSigned, type SigningSecret } from '../domain/signing-secret.ts';
import type { Verification } from '../domain/verification.ts';

/** A tenant's server with its key. */
export interface KeyCaller {
  readonly by: 'key';
  readonly tenant: Tenant;
}

/** The holder of a client_token, and the one verification that it is for. */
export interface TokenCaller {
  readonly by: 'client_token';
  readonly verification: Verification;
}

/** Who a route's act is called by, as its row says. */
export type CallerOf<Row extends Operation> = Row['callers'] extends readonly []
  ? undefined
  : Row['callers'] extends readonly ['key']
    ? KeyCaller
    : KeyCaller | TokenCaller;

interface ByKey {
  readonly tenants: Pick<Tenants, 'authenticate'>;
}

interface ByToken {
  readonly tenants: Pick<Tenants, 'authenticate' | 'hasKey'>;
  readonly verifications: Pick<Verifications, 'find'>;
  readonly clientTokenSecret: SigningSecret;
  readonly now: () => Date;
}

/** What authenticating the callers of a function's routes takes. */
export type AuthenticationOf<F extends ApiFunctionName> =
  'client_token' extends CallersOf<F> ? ByToken : 'key' extends CallersOf<F> ? ByKey : object;

type CallersOf<F extends ApiFunctionName> = (typeof operations)[RoutesOf<F>]['callers'][number];

/** Who calls: nothing else of a request is looked at before. A key wins over a token beside it. */
export async function authenticate(
  event: APIGatewayProxyEventV2,
  { callers, keyAlsoIn }: Operation,
  dependencies: object,
): Promise<KeyCaller | TokenCaller | undefined> {
  if (callers.length === 0) return undefined;
  const key = event.headers['x-api-key'];
  const token = /^Bearer +(\S+)$/i.exec(event.headers.authorization ?? '')?.[1];
  if (token !== undefined && key === undefined && callers.includes('client_token')) {
    const verification = await verificationOfToken(token, event.pathParameters?.source_id, dependencies as ByToken);
    return { by: 'client_token', verification };
  }
  const other = keyAlsoIn && event.headers[keyAlsoIn]?.replace(/^(Bearer|Token) +/i, '');
  return { by: 'key', tenant: await (dependencies as ByKey).tenants.authenticate(key ?? other) };
}

/**
 * A token of an erased, purged or other verification, or of a tenant whose last key was revoked, is not valid, in the
 * same words: the caller must not learn which of these it is.
 */
async function verificationOfToken(
  token: string,
  sourceId: string | undefined,
  { verifications, tenants, clientTokenSecret, now }: ByToken,
): Promise<Verification> {
  const id = await readSigned(clientTokenSecret, (secret) => readClientToken(secret, token, now()));
  const verification = id === undefined ? undefined : await verifications.find(id);
  const alive = verification !== undefined && (await tenants.hasKey(verification.tenant));
  if (!alive || verification.state === 'erased' || verification.sourceId !== sourceId) {
    throw new Fault('client_token_invalid', 'Ask your server for a new client_token.');
  }
  return verification;
}
