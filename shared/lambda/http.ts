import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type * as z from 'zod';
import { pointerPart, readJson } from '../api/json.ts';
import {
  type ApiFunctionName,
  type Operation,
  type operations,
  ownBodyBytes,
  type RequestSchemas,
  type RouteKey,
  type RoutesOf,
  routes,
} from '../api/operations.ts';
import { Fault, type FieldError } from '../domain/fault.ts';
import type { ServedVendor } from '../domain/policy.ts';
import {
  type AuthenticationOf,
  authenticate,
  type Caller,
  type CallerOf,
  type KeyCaller,
  refuseOtherOrigins,
} from './authenticate.ts';
import { log } from './log.ts';

type Row<Key extends RouteKey> = (typeof operations)[Key];
type Parsed<Schemas, Part extends string> = Schemas extends { readonly [Name in Part]: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;

/** What a route's act receives: authenticated, then parsed as the route's row says. */
export interface Request<Key extends RouteKey> {
  readonly caller: CallerOf<Row<Key>>;
  readonly path: Parsed<Row<Key>['request'], 'path'>;
  readonly query: Parsed<Row<Key>['request'], 'query'>;
  /** Parsed JSON; the text or the bytes as they came where the row says so. */
  readonly body: Row<Key>['request'] extends { readonly bodyAs: 'text' }
    ? string
    : Row<Key>['request'] extends { readonly bodyAs: 'bytes' }
      ? Uint8Array
      : Parsed<Row<Key>['request'], 'body'>;
  /** Where the caller reached this deployment: scheme, host and port. */
  readonly origin: string;
  /** As the browser sent them: `name=value`. */
  readonly cookies: readonly string[];
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** A status and a body: JSON, or text as it is. */
export interface PlainReply {
  readonly status: number;
  readonly body: unknown;
  /** To set, each with its attributes. */
  readonly cookies?: readonly string[];
  /** When the same request is worth sending again. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A page or a file, with all of its headers. */
export interface PageReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly cookies?: readonly string[];
}

/**
 * One of the answers of the route's row. Of a vendor's API: in the vendor's words, about the verification named. Of a
 * page: what is sent as it is.
 */
export type Reply<Key extends RouteKey> =
  Row<Key> extends { readonly vendor: ServedVendor }
    ? PlainReply & { readonly sourceId?: string }
    : Row<Key> extends { readonly page: true }
      ? PageReply
      : OwnReply<Key>;

type OwnReply<Key extends RouteKey> = {
  [Status in keyof Row<Key>['answers']]: {
    readonly status: Status;
    readonly body: Row<Key>['answers'][Status] extends { readonly body: infer Schema extends z.ZodType }
      ? z.input<Schema>
      : never;
    readonly cookies?: readonly string[];
    readonly retryAfterSeconds?: Row<Key>['answers'][Status] extends { readonly retryAfter: string }
      ? number | undefined
      : never;
  };
}[keyof Row<Key>['answers']];

/** Every route of one function, and the act that answers it. A route that is missing or misspelt does not compile. */
export type ActsOf<F extends ApiFunctionName, Dependencies> = {
  readonly [Key in RoutesOf<F>]: (request: Request<Key>, dependencies: Dependencies) => Promise<Reply<Key>>;
};

/** Where callers reach this deployment, if the operator says so: a proxy before it hides the address they use. */
export interface Placed {
  readonly publicUrl?: string | undefined;
}

/** An act as the wrapper calls it, once the row has been applied. */
type Act<Dependencies> = (
  request: Omit<Request<never>, 'caller' | 'path' | 'query' | 'body'> &
    Record<'caller' | 'path' | 'query' | 'body', unknown>,
  dependencies: Dependencies,
) => Promise<PlainReply & { headers?: Readonly<Record<string, string>>; sourceId?: string }>;

/**
 * An HTTP function: by route, authenticates the caller, validates the request and calls the act. A `Fault` is answered as
 * its problem+json, anything else as a blank 500; by a function that speaks a vendor's words as `refuse` says.
 */
export function http<F extends ApiFunctionName, Dependencies extends AuthenticationOf<F> & Placed>(
  _function: F,
  connect: () => Dependencies,
  acts: ActsOf<F, Dependencies>,
  refuse?: (error: unknown, caller: KeyCaller | undefined) => PlainReply,
) {
  const served = new Map(
    routes.flatMap((operation) => {
      const act = (acts as Readonly<Record<string, Act<Dependencies> | undefined>>)[operation.key];
      return act ? [[operation.key as string, { operation, act }] as const] : [];
    }),
  );
  let dependencies: Dependencies | undefined;
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>().handler(async (event) => {
    let caller: Caller | undefined;
    try {
      dependencies ??= connect(); // once per process, at the first request: a mistake in it is answered and logged
      const route = served.get(event.routeKey);
      if (!route) throw new Fault('route_unknown', 'This address is not served here.');
      const { operation, act } = route;
      const origin = originOf(event, dependencies.publicUrl);
      if (operation.sameOrigin) refuseOtherOrigins(event.headers.origin, origin);
      const body = bodyOf(event, operation);
      caller = await authenticate(event, operation, dependencies);
      const { cookies = [] } = event;
      const request = { caller, ...validated(event, operation, body), origin, cookies, headers: event.headers };
      const { sourceId, retryAfterSeconds, ...reply } = await act(request, dependencies);
      log.info('request.answered', { route: event.routeKey, status: reply.status });
      const headers = {
        ...reply.headers,
        ...cacheable(operation),
        ...(sourceId !== undefined && { [sourceIdHeader]: sourceId }),
        ...retryAfter(retryAfterSeconds),
      };
      return respond({ ...reply, headers });
    } catch (error) {
      if (!(error instanceof Fault)) log.error('request.failed', error, { route: event.routeKey });
      if (refuse) return respond(refuse(error, caller?.by === 'key' ? caller : undefined));
      return problem(error, event.pathParameters?.source_id);
    }
  });
}

/** API Gateway is reached by https alone; the local stack by http. */
function originOf({ requestContext, headers }: APIGatewayProxyEventV2, publicUrl: string | undefined): string {
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  return publicUrl ?? `${scheme}://${requestContext.domainName}`;
}

function cacheable({ cacheSeconds }: Operation): Record<string, string> {
  return cacheSeconds === undefined ? {} : { 'cache-control': `public, max-age=${cacheSeconds}` };
}

function retryAfter(seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { 'retry-after': String(seconds) };
}

/** Which verification an answer of a vendor's API is about. */
export const sourceIdHeader = 'x-bonafide-source-id';

/** The body's bytes. Its size is looked at before anything else: it is a promise, in bytes, to every caller. */
function bodyOf({ body = '', isBase64Encoded }: APIGatewayProxyEventV2, { request }: Operation): Buffer {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  const maximum = request.maximumBodyBytes ?? ownBodyBytes;
  if (bytes.length > maximum) throw new Fault('request_too_large', `The body may have ${maximum} bytes.`);
  return bytes;
}

function validated(event: APIGatewayProxyEventV2, { request }: Operation, bytes: Buffer) {
  return {
    path: valid(request.path, event.pathParameters ?? {}, 'parameter'),
    query: request.query && valid(request.query, event.queryStringParameters ?? {}, 'parameter'),
    body: bodyAs(request, bytes),
  };
}

function bodyAs({ body, bodyAs }: RequestSchemas, bytes: Buffer): unknown {
  if (bodyAs === 'bytes') return bytes;
  const text = bytes.toString('utf8');
  return bodyAs === 'text' ? text : body && valid(body, readJson(text), 'body');
}

function respond({
  status,
  body,
  headers = {},
  cookies = [],
}: {
  status: number;
  body: unknown;
  headers?: Readonly<Record<string, string>>;
  cookies?: readonly string[];
}): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: {
      'content-type': typeof body === 'string' ? 'text; charset=utf-8' : 'application/json',
      'cache-control': 'no-store',
      ...headers,
    },
    ...(cookies.length > 0 && { cookies: [...cookies] }),
    ...sendable(body),
  };
}

/** Bytes reach API Gateway as base64. */
function sendable(body: unknown): Pick<APIGatewayProxyStructuredResultV2, 'body' | 'isBase64Encoded'> {
  if (body instanceof Uint8Array) return { body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
  return { body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** RFC 9457, with our code, whether trying again may help, and what is wrong where. */
function problem(error: unknown, sourceId: string | undefined): APIGatewayProxyStructuredResultV2 {
  const known = error instanceof Fault;
  const status = known ? error.status : 500;
  const code = known ? error.code : 'internal';
  return respond({
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(known && retryAfter(error.retryAfterSeconds)),
    },
    body: {
      type: `urn:bonafide:problem:${code}`,
      title: known ? error.title : 'Something failed on our side',
      status,
      detail: known
        ? error.message
        : 'The failure was written down. Try again; if it lasts, tell the operator the time.',
      code,
      ...(sourceId ? { source_id: sourceId } : {}),
      retryable: known ? error.retry : true,
      ...(known && error.errors ? { errors: error.errors } : {}),
    },
  });
}

/** `value` as `schema` says, or a 422 that names every field that is wrong: a JSON pointer, or a parameter's name. */
function valid<T>(schema: z.ZodType<T>, value: unknown, where: 'body' | 'parameter'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues
    .flatMap(placesOf)
    .slice(0, 20)
    .map(
      ({ path, message }): FieldError => ({
        field: where === 'body' ? `/${path.map(pointerPart).join('/')}` : String(path[0] ?? ''),
        message,
      }),
    );
  throw new Fault('request_invalid', 'Correct the fields named in errors and send the request again.', { errors });
}

/** Where an issue is: a name that does not belong is wrong itself, not the object around it. */
function placesOf({ path, message, ...issue }: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'unrecognized_keys') return [{ path, message }];
  return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a field of this request' }));
}
