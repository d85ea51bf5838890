/** What a tenant's policy says of its page, as the server wrote it into the page's head. */
export interface Branding {
  readonly name: string;
  readonly logoUrl: string | undefined;
  readonly colours: Readonly<Record<string, string>>;
  readonly language: string | undefined;
}

const colour = /^#[0-9a-f]{6}$/i;
const properties: Readonly<Record<string, string>> = {
  accent: '--bonafide-accent',
  accentText: '--bonafide-accent-text',
  background: '--bonafide-background',
  text: '--bonafide-text',
};

/** Read tolerantly: a page without branding is a page. Colours by the custom property that they are for. */
export function brandingOf(text: string | null): Branding {
  const { name, logo_url, colours, language } = fieldsOf(parsed(text));
  const own = Object.entries(fieldsOf(colours)).flatMap(([key, value]): [string, string][] => {
    const property = properties[key];
    return property && typeof value === 'string' && colour.test(value) ? [[property, value]] : [];
  });
  return {
    name: typeof name === 'string' ? name : '',
    logoUrl: typeof logo_url === 'string' ? logo_url : undefined,
    colours: Object.fromEntries(own),
    language: typeof language === 'string' ? language : undefined,
  };
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

/** Of `/capture/{tenant}/{source_id}`. */
export interface Place {
  readonly tenant: string;
  readonly sourceId: string;
}

export function placeOf(pathname: string): Place | undefined {
  const [, tenant, sourceId] = /\/capture\/([^/]+)\/([^/]+)\/?$/.exec(pathname) ?? [];
  try {
    return tenant && sourceId
      ? { tenant: decodeURIComponent(tenant), sourceId: decodeURIComponent(sourceId) }
      : undefined;
  } catch {
    return undefined;
  }
}

/** What the fragment brings: a client token, or the code of a hand-off. */
export function credentialOf(fragment: string): { token: string } | { code: string } | undefined {
  const text = fragment.replace(/^#/, '');
  if (/^ct_[\w-]+$/.test(text)) return { token: text };
  return /^h_[\w-]+$/.test(text) ? { code: text.slice(2) } : undefined;
}

/** Only an address of the web is gone to, whatever an answer says. */
export function returnAddress(text: string | undefined): string | undefined {
  try {
    const { protocol, href } = new URL(text ?? '');
    return protocol === 'https:' || protocol === 'http:' ? href : undefined;
  } catch {
    return undefined;
  }
}
