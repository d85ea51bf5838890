/** Where in the console an operator is, as the part of the address after `#`: it is never sent to a server. */

export const filterNames = ['state', 'check', 'outcome', 'from', 'to', 'cursor'] as const;
export type Filters = Partial<Record<(typeof filterNames)[number], string>>;

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
  const filters = filterNames.flatMap((name) => {
    const value = given.get(name);
    return value ? [[name, value] as const] : [];
  });
  return { view: 'verifications', filters: Object.fromEntries(filters) };
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
  const query = new URLSearchParams(
    filterNames.flatMap((name) => {
      const value = route.filters[name];
      return value ? [[name, value]] : [];
    }),
  ).toString();
  return query ? `#/verifications?${query}` : '#/verifications';
}
