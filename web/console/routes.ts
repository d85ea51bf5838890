import { type Check, checks, type Outcome, outcomes, type State, states } from './wire.ts';

/** Where in the console an operator is, as the part of the address after `#`: it is never sent to a server. */

export interface Filters {
  readonly state?: State | undefined;
  readonly check?: Check | undefined;
  readonly outcome?: Outcome | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly cursor?: string | undefined;
}

export type Route =
  | { readonly view: 'verifications'; readonly filters: Filters }
  | { readonly view: 'verification'; readonly sourceId: string }
  | { readonly view: 'outcomes' }
  | { readonly view: 'providers' };

/** The code of an invitation, where the address brings one. */
export function invitationIn(hash: string): string | undefined {
  return /^#i_([A-Za-z0-9_-]{1,256})$/.exec(hash)?.[1];
}

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view, sourceId] = path.split('/', 2);
  if (view === 'outcomes' || view === 'providers') return { view };
  if (view === 'verifications' && sourceId) return { view: 'verification', sourceId: decoded(sourceId) };
  const given = new URLSearchParams(query);
  const filters: Filters = {
    state: states.find((one) => one === given.get('state')),
    check: checks.find((one) => one === given.get('check')),
    outcome: outcomes.find((one) => one === given.get('outcome')),
    from: given.get('from') ?? undefined,
    to: given.get('to') ?? undefined,
    cursor: given.get('cursor') ?? undefined,
  };
  return { view: 'verifications', filters };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function hashOf(route: Route): string {
  if (route.view === 'verification') return `#/verifications/${encodeURIComponent(route.sourceId)}`;
  if (route.view !== 'verifications') return `#/${route.view}`;
  const given = Object.entries(route.filters).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const query = new URLSearchParams(given).toString();
  return query ? `#/verifications?${query}` : '#/verifications';
}
