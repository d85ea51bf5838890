import type { Page } from '../domain/policy.ts';
import type { Built, Entry } from './built.ts';
import { capturePageHeaders, consoleHeaders } from './headers.ts';

/** What a tenant's policy says of its page, as the page's script reads it. */
interface Branding extends Pick<Page, 'name' | 'colours' | 'language'> {
  readonly logo_url?: string;
}

function brandingOf(tenant: string, { name, logo, colours, language }: Partial<Page>): Branding {
  return { name, ...(logo !== undefined && { logo_url: `/logos/${tenant}/${logo}` }), colours, language };
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** As text of an attribute: a tenant's name is text, whatever is in it. */
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

interface PageText {
  readonly title: string;
  readonly language?: string | undefined;
  readonly head?: string;
}

function page(entry: Entry, { icon, licences }: Built, { title, language = 'en', head = '' }: PageText): string {
  const style = entry.style ? `\n<link rel="stylesheet" href="/assets/${entry.style}">` : '';
  const preloads = entry.imports.map((file) => `\n<link rel="modulepreload" href="/assets/${file}">`).join('');
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">${head}
<title>${escaped(title)}</title>
<link rel="icon" href="/assets/${icon}">
<link rel="license" href="/assets/${licences}">${style}${preloads}
<script type="module" src="/assets/${entry.script}"></script>
</head>
<body>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`;
}

/** What pages are made of, and where captures go from here. */
interface Site {
  readonly built: Built;
  readonly capturesOrigin: string;
}

/** The hosted capture page. It is the same whether there is such a tenant or not, but for what a tenant's policy adds. */
export function capturePageReply(tenant: string, decided: Page | undefined, { built, capturesOrigin }: Site) {
  const branding = brandingOf(tenant, decided ?? {});
  const head = `\n<meta name="bonafide-page" content="${escaped(JSON.stringify(branding))}">`;
  const text = { title: branding.name ?? 'Bonafide', language: branding.language, head };
  const headers = capturePageHeaders(capturesOrigin, decided?.frameOrigins);
  return { status: 200, headers, body: page(built.capture, built, text) };
}

/** The operators' console. */
export function consoleReply({ built, capturesOrigin }: Site) {
  return {
    status: 200,
    headers: consoleHeaders(capturesOrigin),
    body: page(built.console, built, { title: 'Bonafide' }),
  };
}
