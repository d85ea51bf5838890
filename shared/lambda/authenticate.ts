import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { ApiFunctionName, Operation, operations, RoutesOf } from '../api/operations.ts';
import { readClientToken } from '../domain/client-token.ts';
import { Fault } from '../domain/fault.ts';
import { hasRole, type OperatorRole, type Session } from '../domain/operator.ts';
import type { Operators, Tenant, Tenants, Verifications } from '../domain/ports.ts';
import { readSigned, type SigningSecret } from '../domain/signing-secret.ts';
import { consoleSessionSeconds } from '../domain/times.ts';
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

/** An operator who is signed in to the console, and the one tenant whose verifications these are. */
export interface OperatorCaller extends Session {
  readonly by: 'operator';
  readonly tenant: Pick<Tenant, 'id'>;
}

export type Caller = KeyCaller | TokenCaller | OperatorCaller;

/** Who a route's act is called by, as its row says. */
export type CallerOf<Row extends Operation> = Row['callers'] extends readonly []
  ? undefined
  : Row['callers'] extends readonly ['key']
    ? KeyCaller
    : Row['callers'] extends readonly ['operator']
      ? OperatorCaller
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

interface ByCookie {
  readonly operators: Pick<Operators, 'authenticate'>;
}

/** What authenticating the callers of a function's routes takes. */
export type AuthenticationOf<F extends ApiFunctionName> = ('client_token' extends CallersOf<F>
  ? ByToken
  : 'key' extends CallersOf<F>
    ? ByKey
    : object) &
  ('operator' extends CallersOf<F> ? ByCookie : object);

type CallersOf<F extends ApiFunctionName> = (typeof operations)[RoutesOf<F>]['callers'][number];

/** Who calls: nothing else of a request is looked at before. A key wins over a token beside it. */
export async function authenticate(
  event: APIGatewayProxyEventV2,
  { callers, role, keyAlsoIn, firstDeviceOnly }: Operation,
  dependencies: object,
): Promise<Caller | undefined> {
  if (callers.length === 0) return undefined;
  if (callers.includes('operator')) return operatorOf(event, role, dependencies as ByCookie);
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

/** The session's cookie. Browsers take this name over TLS alone, for this host alone, and from no script or subdomain. */
export const sessionCookie = '__Host-bonafide';

/** Begins the cookie of a session. `Strict`: no other site has it sent, not even by a link. */
export const sessionBegun = (token: string): string => cookieOf(sessionCookie, token, 'Strict', consoleSessionSeconds);
/** Ends it. */
export const sessionEnded: string = cookieOf(sessionCookie, '', 'Strict', 0);

/** A cookie that no script reads and that reaches this host alone, over TLS: `name` begins with `__Host-`. */
export function cookieOf(name: `__Host-${string}`, value: string, sameSite: 'Strict' | 'Lax', seconds: number): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=${sameSite}`;
}

/** The value of a cookie that stands once in a request; none of two that say different things. */
export function cookieNamed(name: string, cookies: readonly string[] = []): string | undefined {
  const [value, ...others] = cookies.flatMap((cookie) =>
    cookie.startsWith(`${name}=`) ? [cookie.slice(name.length + 1)] : [],
  );
  return others.length === 0 ? value : undefined;
}

async function operatorOf(
  { cookies }: APIGatewayProxyEventV2,
  needed: OperatorRole = 'reviewer',
  { operators }: ByCookie,
): Promise<OperatorCaller> {
  const session = await operators.authenticate(cookieNamed(sessionCookie, cookies));
  if (!hasRole(session.operator.role, needed)) {
    throw new Fault('operator_forbidden', 'Ask a reviewer of your tenant.');
  }
  return { by: 'operator', ...session };
}

/**
 * Browsers say in `Origin` which page a write comes from, and no page can say otherwise: the cookie alone would let a
 * page of this site's other hosts, or of a browser that knows no SameSite, write in the operator's name.
 */
export function refuseOtherOrigins(origin: string | undefined, own: string): void {
  if (origin !== own) throw new Fault('origin_forbidden', 'Use the console of this deployment.');
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
  const verification = scope && (await verifications.find(scope.verificationId, { toShow: true }));
  const alive = verification !== undefined && (await tenants.hasKey(verification.tenant));
  if (!scope || !alive || verification.state === 'erased' || verification.sourceId !== sourceId) {
    throw invalidToken();
  }
  const { handOff } = scope;
  if (handOff !== undefined && verification.handOff?.number !== handOff) throw invalidToken();
  return { by: 'client_token', verification, ...(handOff !== undefined && { handOff }) };
}

const invalidToken = () => new Fault('client_token_invalid', 'Ask your server for a new client_token.');
