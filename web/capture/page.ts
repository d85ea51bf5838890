import './page.css';
import { brandingOf, credentialOf, placeOf, returnAddress } from './branding.ts';
import { BonafideCapture } from './element.ts';
import { filled, isRightToLeft, languageOf, textsIn } from './texts/texts.ts';

/** The hosted page: the element, in a tenant's colours, and the way back to where the person came from. */

/** Before the page goes on by itself: time to read how it ended. */
const returnSeconds = 6;

const branding = brandingOf(document.querySelector('meta[name="bonafide-page"]')?.getAttribute('content') ?? null);
const place = placeOf(location.pathname);
const language = languageOf([
  new URLSearchParams(location.search).get('lang'),
  branding.language,
  ...navigator.languages,
]);

const root = document.documentElement;
root.lang = language;
root.dir = isRightToLeft(language) ? 'rtl' : 'ltr';
for (const [property, value] of Object.entries(branding.colours)) root.style.setProperty(property, value);

textsIn(language).then(
  ({ page_title }) => {
    document.title = branding.name ? `${page_title} – ${branding.name}` : page_title;
  },
  () => {}, // it keeps the one it came with
);

const header = document.createElement('header');
if (branding.logoUrl) header.append(Object.assign(new Image(), { src: branding.logoUrl, alt: '' }));
if (branding.name) header.append(branding.name);
const main = document.createElement('main');
const element = new BonafideCapture();
element.base = location.origin;
element.headingLevel = 1;
element.lang = language;
element.sourceId = place?.sourceId ?? '-';
use(takeCredential());
element.addEventListener('bonafide-claimed', ({ detail }) => keep(detail.clientToken));
element.addEventListener('bonafide-done', ({ detail }) => {
  // On a second device one goes back to the first.
  if (!detail.isSecondDevice) offerReturn(detail.returnUrl).catch(() => {});
});
main.append(element);
document.body.append(header, main);

// Another link to the page that is open, pasted into its tab, loads no page.
addEventListener('hashchange', () => {
  if (credentialOf(location.hash)) use(takeCredential());
});

function use(credential: ReturnType<typeof credentialOf>): void {
  const isCode = credential !== undefined && 'code' in credential && place !== undefined;
  element.handOffCode = isCode ? { tenant: place.tenant, code: credential.code } : undefined;
  element.clientToken = credential && 'token' in credential ? credential.token : isCode ? '' : '-';
}

/**
 * The token out of the address, which leaves the address bar at once: it shall be in no bookmark, history or screenshot.
 * `history.state` alone keeps it, for a reload of this tab.
 */
function takeCredential(): ReturnType<typeof credentialOf> {
  const brought = credentialOf(location.hash);
  if (brought) {
    history.replaceState('token' in brought ? brought : null, '', location.pathname + location.search);
    return brought;
  }
  const { token } = (history.state ?? {}) as { readonly token?: unknown };
  return typeof token === 'string' ? credentialOf(token) : undefined;
}

function keep(token: string): void {
  history.replaceState({ token }, '', location.pathname + location.search);
}

async function offerReturn(returnUrl: string | undefined): Promise<void> {
  const href = returnAddress(returnUrl);
  if (href === undefined) return;
  const texts = await textsIn(language);
  const link = Object.assign(document.createElement('a'), {
    className: 'return',
    slot: 'after',
    href,
    textContent: branding.name ? filled(texts.return_to, { name: branding.name }) : texts.return_plain,
  });
  const soon = Object.assign(document.createElement('p'), {
    className: 'return',
    slot: 'after',
    textContent: texts.return_soon,
  });
  element.append(link, soon);
  const going = setTimeout(() => location.replace(href), returnSeconds * 1000);
  // Who reads on, or has a screen reader do it, is not torn away.
  const stay = () => {
    clearTimeout(going);
    soon.remove();
  };
  for (const name of ['keydown', 'pointerdown']) addEventListener(name, stay, { once: true });
}
