import { connect } from '../client/calls.ts';
import { isProblem, NetworkFailure, type Problem } from '../client/problems.ts';
import type { paths } from '../client/schema.ts';
import type { CaptureName } from './wire.ts';

export type { Problem } from '../client/problems.ts';

/** What went wrong with a request. Anything else that was thrown is a defect of this page, and reported as one. */
export function problemOf(thrown: unknown): Problem {
  if (isProblem(thrown)) return thrown;
  reportError(thrown);
  return new NetworkFailure('The page failed', { cause: thrown });
}

/** The query of `GET /console/verifications`. */
export type ListQuery = paths['/console/verifications']['get']['parameters']['query'];
type ReviewBody = { readonly sequence: number; readonly outcome: 'passed' | 'failed'; readonly reason: string };

/** The console's routes. The cookie goes along by itself: no script ever sees it. */
export type ConsoleApi = ReturnType<typeof consoleApi>;

/** `onSessionEnd` hears of every answer that says the session is over. Nothing is tried twice: the views ask again. */
export function consoleApi(onSessionEnd: () => void) {
  const { GET, POST, DELETE } = connect({ base: location.origin, attempts: 1 });

  /** A call, whose failure for want of a session is heard of. */
  async function heard<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (thrown) {
      if (isProblem(thrown) && thrown.code === 'session_invalid') onSessionEnd();
      throw thrown;
    }
  }

  return {
    settings: () => GET('/console/settings'),
    session: () => heard(GET('/console/session')),
    signIn: (code: string) => POST('/console/session', { body: { code } }),
    signOut: () => heard(DELETE('/console/session')),
    list: (query: ListQuery, signal?: AbortSignal) =>
      heard(GET('/console/verifications', { params: { query }, signal })),
    read: (source_id: string, signal?: AbortSignal) =>
      heard(GET('/console/verifications/{source_id}', { params: { path: { source_id } }, signal })),
    retry: (source_id: string) =>
      heard(POST('/console/verifications/{source_id}/retry', { params: { path: { source_id } } })),
    review: (source_id: string, body: ReviewBody) =>
      heard(POST('/console/verifications/{source_id}/review', { params: { path: { source_id } }, body })),
    erase: (source_id: string) =>
      heard(DELETE('/console/verifications/{source_id}', { params: { path: { source_id } } })),
    look: (source_id: string, body: { readonly capture: CaptureName; readonly round: number }) =>
      heard(POST('/console/verifications/{source_id}/looks', { params: { path: { source_id } }, body })),
    looks: (source_id: string, signal?: AbortSignal) =>
      heard(GET('/console/verifications/{source_id}/looks', { params: { path: { source_id } }, signal })),
    breakers: (signal?: AbortSignal) => heard(GET('/console/breakers', { signal })),
    outcomes: (after: string | undefined, signal?: AbortSignal) =>
      heard(GET('/console/outcomes', { params: { query: { after } }, signal })),
  };
}
