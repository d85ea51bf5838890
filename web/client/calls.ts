import createClient from 'openapi-fetch';
import { isProblem, NetworkFailure, problemOf } from './problems.ts';
import type { paths } from './schema.ts';
import { deadline, tryUntilDone } from './trying.ts';

/** A key or a token, or what gives the one that is good now. */
export type Credential = string | (() => string | Promise<string>);

/** Where the API is, and who calls it. */
export interface Connection {
  /** Origin of the API, as in `https://api.example.com`. */
  readonly base: string;
  /** A tenant's key: for servers, never in a page. */
  readonly key?: Credential | undefined;
  /** The `client_token` of one verification. */
  readonly token?: Credential | undefined;
  /** @default the global fetch */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** How often a call that may work later is made. @default 5 */
  readonly attempts?: number | undefined;
  /** How long one attempt may take. @default 30 */
  readonly timeoutSeconds?: number | undefined;
}

type Method = 'get' | 'post' | 'patch' | 'delete';

/** The paths that have this method. */
type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { readonly [K in M]: object } ? P : never;
}[keyof paths];

/** Of `parameters` as they are generated, those in path and query that there are. */
type ParametersOf<P> = {
  [K in keyof P as K extends 'path' | 'query' ? ([Exclude<P[K], undefined>] extends [never] ? never : K) : never]: P[K];
};
type ParametersInit<P> = [keyof ParametersOf<P>] extends [never]
  ? { readonly params?: undefined }
  : Partial<ParametersOf<P>> extends ParametersOf<P>
    ? { readonly params?: ParametersOf<P> }
    : { readonly params: ParametersOf<P> };

type BodyInit<B> = [Exclude<B, undefined>] extends [never]
  ? { readonly body?: undefined }
  : undefined extends B
    ? { readonly body?: JsonOf<Exclude<B, undefined>> }
    : { readonly body: JsonOf<B> };
type JsonOf<C> = C extends { content: { 'application/json': infer Body } } ? Body : never;

interface Operation {
  readonly parameters: unknown;
  readonly requestBody?: unknown;
  readonly responses: unknown;
}
type InitOf<O> = O extends Operation
  ? ParametersInit<O['parameters']> & BodyInit<O['requestBody']> & { readonly signal?: AbortSignal | undefined }
  : never;
type Arguments<O> = Partial<InitOf<O>> extends InitOf<O> ? [init?: InitOf<O>] : [init: InitOf<O>];

/** The body of what is answered where nothing went wrong. */
type AnswerOf<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 | 202 ? JsonOf<R[S]> : never }[keyof R]
  : never;

/** `GET('/verifications/{source_id}', { params: { path: { source_id } } })`: the body of the answer, or a problem thrown. */
export type Call<M extends Method> = <P extends PathsOf<M>>(
  path: P,
  ...init: Arguments<paths[P][M]>
) => Promise<AnswerOf<paths[P][M]>>;

/** What every POST that may be repeated says in docs/api.md. All GET and DELETE may be. */
const repeatablePosts: readonly string[] = [
  '/verifications',
  '/verifications/{source_id}/captures',
  '/verifications/{source_id}/retry',
  '/verifications/{source_id}/review',
  '/verifications/{source_id}/hand-off', // a second one ends the first
  '/endpoints/{endpoint_id}/disable',
  '/endpoints/{endpoint_id}/enable',
] satisfies readonly PathsOf<'post'>[];

/** Any of the calls: the types above say what each of them takes and gives. */
interface AnyInit {
  readonly params?: object | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

interface AnyOperation {
  readonly requestBody?: { readonly content: { readonly 'application/json': unknown } };
  readonly responses: object;
}

/** One request, tried again where that may help and does no harm. */
export type Ask = (
  method: Method,
  path: keyof paths,
  init?: AnyInit,
  attempts?: number,
) => Promise<{ readonly body: unknown; readonly response: Response }>;

export function connect({ base, key, token, timeoutSeconds = 30, attempts: usual = 5, fetch }: Connection) {
  if (key !== undefined && token !== undefined) throw new TypeError('Give a key or a token, not both.');
  const transport = createClient<Record<string, Record<Method, AnyOperation>>>({
    baseUrl: new URL(base).href,
    // Looked up at each call: a page, or a test, may have put another one in its place.
    fetch: fetch ?? ((request) => globalThis.fetch(request)),
    // A page of the API's own origin holds cookies of the console, which are nothing to a caller that shows a credential.
    credentials: key === undefined && token === undefined ? 'same-origin' : 'omit',
  });

  const ask: Ask = (method, path, { signal, ...init } = {}, attempts = usual) => {
    const repeatable = method === 'get' || method === 'delete' || (method === 'post' && repeatablePosts.includes(path));
    return tryUntilDone(
      async () => {
        const headers = { ...(await credentials()) };
        const late = new NetworkFailure(`No answer within ${timeoutSeconds} s`);
        const limit = deadline(timeoutSeconds, late, signal);
        try {
          const { data, error, response } = await transport.request(method, path, {
            ...init,
            headers,
            signal: limit.signal,
          });
          if (!response.ok) throw problemOf(response, error);
          return { body: data, response };
        } catch (error) {
          if (isProblem(error)) throw error;
          signal?.throwIfAborted();
          throw new NetworkFailure(`No answer of ${base}`, { cause: error });
        } finally {
          limit.end();
        }
      },
      { attempts, signal, repeatable },
    );
  };

  async function credentials(): Promise<Record<string, string>> {
    if (token !== undefined) return { authorization: `Bearer ${await textOf(token)}` };
    return key === undefined ? {} : { 'x-api-key': await textOf(key) };
  }

  /** The one place where what came over the network is taken to be what the document says. */
  const typed = <M extends Method>(method: M) =>
    (async (path: PathsOf<M>, init?: AnyInit) => (await ask(method, path, init)).body) as Call<M>;

  return { ask, GET: typed('get'), POST: typed('post'), PATCH: typed('patch'), DELETE: typed('delete') };
}

const textOf = (credential: Credential) => (typeof credential === 'string' ? credential : credential());
