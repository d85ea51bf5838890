import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type LocalFunction, Throttled } from '../functions/functions.ts';
import { BodyTooLarge, listenOnLoopback, readBody, readBodyUpTo } from '../loopback-server.ts';
import { isLoopbackOrigin } from '../origins.ts';

/** A route of the template: `GET /verifications/{source_id}`, `ANY /{proxy+}` or `$default`. */
export interface Route {
  routeKey: string;
  timeoutMs: number;
  /** Where its function refuses what is larger itself; else the API does, beyond what API Gateway takes. */
  maximumBodyBytes?: number | undefined;
  request: LocalFunction['request'];
}

/** The API's CorsConfiguration, as the template writes it. */
export interface CorsConfiguration {
  AllowOrigins?: string[];
  AllowMethods?: string[];
  AllowHeaders?: string[];
  ExposeHeaders?: string[];
  MaxAge?: number;
  AllowCredentials?: boolean;
}

export interface Served {
  routes: Route[];
  cors?: CorsConfiguration | undefined;
  /** Requests that name another host are refused. @default all are answered */
  hosts?: readonly string[] | undefined;
  /** Refuses what AWS would on the way to the function, whatever a route takes here. */
  awsLimits?: boolean;
  /** Changes what functions answer before it is sent. */
  rewrite: (body: string) => string;
}

export interface HttpApi {
  url: string;
  /** Until this is called every request is answered 503. */
  serve: (configuration: Served) => void;
  stop: () => Promise<void>;
}

interface FunctionResponse {
  statusCode?: number;
  headers?: Record<string, string | number | boolean>;
  cookies?: string[];
  body?: string;
  isBase64Encoded?: boolean;
}

/** What API Gateway takes, and what Lambda does, with everything that stands around it in the event. */
const largestBodyBytes = 10_485_760;
const largestEventBytes = 6 * 1024 * 1024;

/**
 * An API Gateway HTTP API, payload format 2.0:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export async function startHttpApi(port: number): Promise<HttpApi> {
  let served: Served | undefined;

  const server = await listenOnLoopback(async (request, response) => {
    const cors = served?.cors;
    const headers = cors ? corsHeaders(cors, request) : {};
    const say = (status: number, message: string) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ message }));
    };
    if (!served) return say(503, 'Service Unavailable');
    if (served.hosts && !served.hosts.includes(hostOf(request))) return say(403, 'Forbidden');
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const found = findRoute(served.routes, request.method ?? '', path);
    if (cors && isPreflight(request) && found?.route.routeKey.split(' ')[0] !== 'OPTIONS') {
      response.writeHead(204, headers);
      response.end();
      return;
    }
    const { awsLimits } = served;
    const ownLimit = awsLimits ? undefined : found?.route.maximumBodyBytes;
    let body: Buffer;
    try {
      body = await (ownLimit === undefined ? readBody(request, largestBodyBytes) : readBodyUpTo(request, ownLimit + 1)); // one byte too many is enough to be refused for
    } catch (error) {
      if (error instanceof BodyTooLarge) return say(413, 'Request Entity Too Large');
      throw error;
    }
    if (!found) return say(404, 'Not Found');
    const event = eventOf(request, path, query, body, found);
    if (awsLimits && Buffer.byteLength(JSON.stringify(event)) > largestEventBytes) {
      return say(413, 'Request Entity Too Large');
    }
    const hungUp = new AbortController();
    // Only what changes nothing is ended with its caller.
    if (request.method === 'GET') response.once('close', () => response.writableFinished || hungUp.abort());
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<'timeout'>((resolve) => {
      timer = setTimeout(resolve, found.route.timeoutMs, 'timeout');
    });
    try {
      const result = await Promise.race([found.route.request(event, hungUp.signal), timeout]);
      if (result === 'timeout') return say(503, 'Service Unavailable');
      sendResult(response, result, cors && headers, served.rewrite);
    } catch (error) {
      if (error instanceof Throttled) return say(503, 'Service Unavailable');
      // What happened is in the function's log; the caller learns nothing, as on AWS.
      say(500, 'Internal Server Error');
    } finally {
      clearTimeout(timer);
    }
  }, port);

  return {
    url: server.url,
    serve(configuration) {
      served = configuration;
    },
    stop: server.stop,
  };
}

/** The host that a request names, without its port. */
const hostOf = ({ headers }: IncomingMessage): string => (headers.host ?? '').replace(/:\d+$/, '');

interface FoundRoute {
  route: Route;
  pathParameters: Record<string, string>;
}

/** The most specific route: a static segment beats a variable, a variable a greedy one, anything `$default`. */
export function findRoute(routes: Route[], method: string, path: string): FoundRoute | undefined {
  const candidates = routes.flatMap((route) => {
    if (route.routeKey === '$default') return [{ route, pathParameters: {}, rank: '9' }];
    const [routeMethod, template = ''] = route.routeKey.split(' ');
    if (routeMethod !== method && routeMethod !== 'ANY') return [];
    const pathParameters = matchPath(template, path);
    if (!pathParameters) return [];
    const kinds = template.split('/').map((part) => (part.endsWith('+}') ? '2' : part.startsWith('{') ? '1' : '0'));
    // A greedy route loses against every other, however long its static part.
    const rank = `${kinds.includes('2') ? '1' : '0'}${kinds.join('')}${routeMethod === 'ANY' ? '1' : '0'}`;
    return [{ route, pathParameters, rank }];
  });
  return candidates.sort((a, b) => (a.rank < b.rank ? -1 : 1))[0];
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('/');
  const parts = path.split('/');
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const name = segment.startsWith('{') ? segment.slice(1, -1) : undefined;
    if (name?.endsWith('+')) {
      const rest = parts.slice(index).join('/');
      if (!rest) return undefined;
      parameters[name.slice(0, -1)] = decode(rest);
      return parameters;
    }
    const part = parts[index];
    if (part === undefined || (name === undefined ? part !== segment : part === '')) return undefined;
    if (name !== undefined) parameters[name] = decode(part);
  }
  return parts.length === wanted.length ? parameters : undefined;
}

function eventOf(request: IncomingMessage, path: string, query: string, body: Buffer, found: FoundRoute) {
  const { cookie, ...rest } = request.headers;
  const headers = joined(rest);
  const encoded = body.length > 0 && !isText(headers['content-type']);
  const parameters = new URLSearchParams(query);
  const names = [...new Set(parameters.keys())];
  const now = new Date();
  return {
    version: '2.0',
    routeKey: found.route.routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(cookie && { cookies: cookie.split('; ') }),
    headers: {
      ...headers,
      'content-length': String(body.length),
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-port': headers.host?.split(':')[1] ?? '80',
      'x-forwarded-proto': 'http',
    },
    ...(names.length > 0 && {
      queryStringParameters: Object.fromEntries(names.map((name) => [name, parameters.getAll(name).join(',')])),
    }),
    ...(Object.keys(found.pathParameters).length > 0 && { pathParameters: found.pathParameters }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers.host ?? '127.0.0.1',
      domainPrefix: 'local',
      http: {
        method: request.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: found.route.routeKey,
      stage: '$default',
      time: now.toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/, '$1/$2/$3:$4 +0000'),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(encoded ? 'base64' : 'utf8') }),
    isBase64Encoded: encoded,
  };
}

function sendResult(
  response: ServerResponse,
  result: unknown,
  cors: Record<string, string> | undefined,
  rewrite: Served['rewrite'],
): void {
  const shaped = typeof result === 'object' && result !== null && 'statusCode' in result;
  const answer: FunctionResponse = shaped
    ? (result as FunctionResponse)
    : { statusCode: 200, body: typeof result === 'string' ? result : JSON.stringify(result) };
  const { statusCode = 200, headers = {}, cookies = [], body = '', isBase64Encoded } = answer;
  const given = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), rewrite(String(value))] as const)
    .filter(([name]) => !(cors && name.startsWith('access-control-'))); // an API with rules of its own ignores a function's
  response.writeHead(statusCode, {
    'content-type': 'application/json',
    'apigw-requestid': randomUUID(),
    ...Object.fromEntries(given),
    ...(cookies.length > 0 && { 'set-cookie': cookies }),
    ...cors,
  });
  response.end(isBase64Encoded ? Buffer.from(body, 'base64') : rewrite(body));
}

function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && Boolean(headers.origin) && Boolean(headers['access-control-request-method']);
}

function corsHeaders(cors: CorsConfiguration, request: IncomingMessage): Record<string, string> {
  const origin = request.headers.origin;
  const origins = cors.AllowOrigins ?? [];
  if (!origin || !(origins.includes('*') || origins.includes(origin) || isLoopbackOrigin(origin))) return {};
  const list = (name: string, values: string[] | undefined) => (values?.length ? { [name]: values.join(',') } : {});
  return {
    'access-control-allow-origin': origins.includes('*') ? '*' : origin,
    ...(cors.AllowCredentials && { 'access-control-allow-credentials': 'true' }),
    ...list('access-control-expose-headers', cors.ExposeHeaders),
    ...(isPreflight(request) && {
      ...list('access-control-allow-methods', cors.AllowMethods),
      ...list('access-control-allow-headers', cors.AllowHeaders),
      ...(cors.MaxAge !== undefined && { 'access-control-max-age': String(cors.MaxAge) }),
    }),
    ...(!origins.includes('*') && { vary: 'origin' }),
  };
}

/** What API Gateway hands over as text; everything else, forms too, comes base64 encoded. */
function isText(contentType: string | undefined): boolean {
  return /^(text\/|application\/(json|javascript|xml)\b|[^;]+\+(json|xml)\b)/i.test(contentType ?? '');
}

function joined(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(',')]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
