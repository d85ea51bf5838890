import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type * as z from 'zod';
import { Fault, type FieldError } from '../domain/fault.ts';
import type { Log } from './log.ts';

/** What a route is given: parsed at the edge, so the verb behind it never sees the event. */
export interface Request {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came, empty where there is none. */
  readonly text: () => string;
  /** The body as JSON, undefined where there is none. Throws `request_unreadable`. */
  readonly json: () => unknown;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** `POST /verifications` → what answers it. */
export type Routes = Readonly<Record<string, (request: Request) => Promise<Reply>>>;

/** Larger than any request of our own API (metadata ≤ 2 KB). */
const ownBodyBytes = 16 * 1024;

/** An HTTP function: answers by route, a `Fault` as its problem+json, anything else as a blank 500. */
export function http(connect: () => Routes, log: Log, { maximumBodyBytes = ownBodyBytes } = {}) {
  let routes: Routes | undefined;
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .before(({ event }) => {
      if (textOf(event).length > maximumBodyBytes) {
        throw new Fault('request_too_large', `The body may have ${maximumBodyBytes} bytes.`);
      }
    })
    .onError((request) => {
      const { error, event } = request;
      request.response = problem(error, event.pathParameters?.source_id);
      if (!(error instanceof Fault)) log.error('request.failed', error, { route: event.routeKey });
    })
    .handler(async (event) => {
      routes ??= connect(); // once per process, at the first request: a mistake in it is answered and logged
      const route = routes[event.routeKey];
      if (!route) throw new Fault('route_unknown', 'This address is not served here.');
      const reply = await route({
        path: definedOf(event.pathParameters),
        query: definedOf(event.queryStringParameters),
        headers: definedOf(event.headers),
        text: () => textOf(event),
        json: () => jsonOf(event),
      });
      log.info('request.answered', { route: event.routeKey, status: reply.status });
      return respond(reply);
    });
}

function respond({ status, body, headers = {} }: Reply): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  };
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

function definedOf(values: Record<string, string | undefined> | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function textOf({ body = '', isBase64Encoded }: APIGatewayProxyEventV2): string {
  return isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

function jsonOf(event: APIGatewayProxyEventV2): unknown {
  const text = textOf(event);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('request_unreadable', 'The body must be JSON (content-type: application/json).');
  }
}

/** `value` as `schema` says, or a 422 that names every field that is wrong. */
export function valid<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 20).map(
    (issue): FieldError => ({
      field: `/${issue.path.map(String).join('/')}`,
      message: issue.message,
    }),
  );
  throw new Fault('request_invalid', 'Correct the fields named in errors and send the request again.', { errors });
}
