import type { CaptureName } from '../../shared/domain/captures.ts';
import type { Breaker, Look, LookTaken, OutcomePage, Session, VerificationPage, Whole } from './wire.ts';

/** What went wrong with a request: the API's problem, or `unreachable` where no answer came. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: string;
  readonly status: number;
  readonly detail: string;

  constructor({ code, status, title, detail }: { code: string; status: number; title: string; detail: string }) {
    super(title);
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}

/** A request that its view gave up, because the operator went elsewhere, is no problem. */
export const isAbort = (thrown: unknown) => thrown instanceof DOMException && thrown.name === 'AbortError';

export const problemOf = (thrown: unknown): Problem =>
  thrown instanceof Problem
    ? thrown
    : new Problem({ code: 'unreachable', status: 0, title: 'Unreachable', detail: String(thrown) });

type Query = Readonly<Record<string, string | number | undefined>>;

interface Request {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** The console's routes. The cookie goes along by itself: no script ever sees it. */
export type ConsoleApi = ReturnType<typeof consoleApi>;

/** `onSessionEnd` hears of every answer that says the session is over. */
export function consoleApi(onSessionEnd: () => void) {
  const call = async <T>(method: string, path: string, { query = {}, body, signal }: Request = {}): Promise<T> => {
    const url = new URL(`/console${path}`, location.origin);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(url, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: signal ?? null,
      ...sent,
    });
    if (answer.ok) return await answer.json();
    const problem = await readProblem(answer);
    if (problem.code === 'session_invalid') onSessionEnd();
    throw problem;
  };
  const at = (sourceId: string, rest = '') => `/verifications/${encodeURIComponent(sourceId)}${rest}`;

  return {
    settings: () => call<{ oidc: boolean }>('GET', '/settings'),
    session: () => call<Session>('GET', '/session'),
    signIn: (code: string) => call<Session>('POST', '/session', { body: { code } }),
    signOut: () => call<unknown>('DELETE', '/session'),
    list: (query: Query, signal?: AbortSignal) => call<VerificationPage>('GET', '/verifications', { query, signal }),
    read: (sourceId: string, signal?: AbortSignal) => call<Whole>('GET', at(sourceId), { signal }),
    retry: (sourceId: string) => call<unknown>('POST', at(sourceId, '/retry')),
    review: (sourceId: string, body: { sequence: number; outcome: string; reason: string }) =>
      call<unknown>('POST', at(sourceId, '/review'), { body }),
    erase: (sourceId: string) => call<unknown>('DELETE', at(sourceId)),
    look: (sourceId: string, body: { capture: CaptureName; round: number }) =>
      call<Look>('POST', at(sourceId, '/looks'), { body }),
    looks: (sourceId: string, signal?: AbortSignal) =>
      call<{ looks: readonly LookTaken[] }>('GET', at(sourceId, '/looks'), { signal }),
    breakers: (signal?: AbortSignal) => call<{ breakers: readonly Breaker[] }>('GET', '/breakers', { signal }),
    outcomes: (query: Query, signal?: AbortSignal) => call<OutcomePage>('GET', '/outcomes', { query, signal }),
  };
}

async function readProblem(answer: Response): Promise<Problem> {
  const said: unknown = await answer.json().catch(() => undefined);
  const field = (name: string) => {
    const value: unknown = typeof said === 'object' && said !== null ? Reflect.get(said, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return new Problem({
    code: field('code') ?? 'internal',
    status: answer.status,
    title: field('title') ?? answer.statusText,
    detail: field('detail') ?? '',
  });
}
