/** A function that answers HTTP requests, by the name of its folder in `functions/`. */
export type ApiFunctionName =
  | 'request-verification'
  | 'read-verification'
  | 'erase-verification'
  | 'retry-verification'
  | 'receive-result';

/** Requests per second, and how many may come at once before that counts. */
export interface Throttle {
  readonly rate: number;
  readonly burst: number;
}

/** One HTTP route: who answers it, and how often it may be asked across all tenants. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As API Gateway writes it: `{source_id}` is one segment. */
  readonly path: `/${string}`;
  readonly function: ApiFunctionName;
  /** Where the stage's own throttle is too generous. */
  readonly throttle?: Throttle;
}

/**
 * What one deployment takes on all routes together before it answers 429. Small on purpose: it bounds the bill of a
 * leaked key, and context `throttle` raises it.
 */
export const stageThrottle: Throttle = { rate: 100, burst: 200 };

/** Every HTTP route there is: the API construct, the local server and the OpenAPI document are made from this list. */
export const routes: readonly Route[] = [
  { method: 'POST', path: '/verifications', function: 'request-verification', throttle: { rate: 50, burst: 100 } },
  {
    method: 'POST',
    path: '/verifications/{source_id}/captures',
    function: 'request-verification',
    throttle: { rate: 50, burst: 100 },
  },
  { method: 'GET', path: '/verifications', function: 'read-verification', throttle: { rate: 20, burst: 40 } },
  { method: 'GET', path: '/verifications/{source_id}', function: 'read-verification' },
  { method: 'GET', path: '/verifications/{source_id}/history', function: 'read-verification' },
  {
    method: 'DELETE',
    path: '/verifications/{source_id}',
    function: 'erase-verification',
    throttle: { rate: 20, burst: 40 },
  },
  {
    method: 'POST',
    path: '/verifications/{source_id}/retry',
    function: 'retry-verification',
    throttle: { rate: 10, burst: 20 },
  },
  { method: 'POST', path: '/webhooks/{provider}/{token}', function: 'receive-result' },
];

/** What API Gateway calls a route, in its events, logs and settings: `POST /verifications`. */
export const routeKey = (route: Route): string => `${route.method} ${route.path}`;
