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
  /** The number of the hand-off, where another device calls that has claimed the capture. */
  readonly handOff?: number | undefined;
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
  { callers, keyAlsoIn, firstDeviceOnly }: Operation,
  dependencies: object,
): Promise<KeyCaller | TokenCaller | undefined> {
  if (callers.length === 0) return undefined;
  const key = event.headers['x-api-key'];
  const token = /^Bearer +(\S+)$/i.exec(event.headers.authorization ?? '')?.[1];
  if (token !== undefined && key === undefined && callers.includes('client_token')) {
    const caller = await callerOfToken(token, event.pathParameters?.source_id, dependencies as ByToken);
    if (firstDeviceOnly && caller.handOff !== undefined) throw invalidToken();
    return caller;
  }
  const other = keyAlsoIn && event.headers[keyAlsoIn]?.replace(/^(Bearer|Token) +/i, '');
  return { by: 'key', tenant: await (dependencies as ByKey).tenants.authenticate(key ?? other) };
}

/**
 * A token of an erased, purged or other verification, of a device from which the capture was taken back, or of a tenant
 * whose last key was revoked, is not valid, in the same words: the caller must not learn which of these it is.
 */
async function callerOfToken(
  token: string,
  sourceId: string | undefined,
  { verifications, tenants, clientTokenSecret, now }: ByToken,
): Promise<TokenCaller> {
  const scope = await readSigned(clientTokenSecret, (secret) => readClientToken(secret, token, now()));
  const verification = scope && (await verifications.find(scope.verificationId));
  const alive = verification !== undefined && (await tenants.hasKey(verification.tenant));
  if (!scope || !alive || verification.state === 'erased' || verification.sourceId !== sourceId) {
    throw invalidToken();
  }
  const { handOff } = scope;
  if (handOff !== undefined && verification.handOff?.number !== handOff) throw invalidToken();
  return { by: 'client_token', verification, ...(handOff !== undefined && { handOff }) };
}

const invalidToken = () => new Fault('client_token_invalid', 'Ask your server for a new client_token.');
