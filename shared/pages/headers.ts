/** What a page may do, as headers. Each is asserted by test/journeys/pages.test.ts, and explained in docs/security.md. */

/** On every page, file and picture. */
const always = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/** Names of trusted-types policies that our pages and their worker make. */
const trustedTypes = ["require-trusted-types-for 'script'", 'trusted-types lit-html bonafide'];

/** Scripts of this origin, and compiled models: nothing inline, nothing evaluated. */
const ownScripts = "script-src 'self' 'wasm-unsafe-eval'";

/** Features that a page could ask a browser for; what a page is not given here, no frame in it can have either. */
const features = [
  ...['camera', 'microphone', 'fullscreen', 'screen-wake-lock'],
  ...['accelerometer', 'autoplay', 'display-capture', 'encrypted-media', 'geolocation', 'gyroscope', 'hid'],
  ...['idle-detection', 'local-fonts', 'magnetometer', 'midi', 'payment', 'picture-in-picture'],
  ...['publickey-credentials-get', 'serial', 'usb', 'xr-spatial-tracking'],
] as const;
type Feature = (typeof features)[number];

const permissions = (given: readonly Feature[]) =>
  features.map((feature) => `${feature}=(${given.includes(feature) ? 'self' : ''})`).join(', ');

/** What stands for itself alone in a policy: no other directive, no wildcard. */
const plainOrigin = /^https?:\/\/[\w.:[\]-]+$/;

interface PageRights {
  /** The origin that captures are uploaded to. */
  readonly capturesOrigin: string;
  /** Where captures, too, are shown from it. */
  readonly showsCaptures?: boolean;
  readonly frameAncestors: string;
  readonly features: readonly Feature[];
}

function pageHeaders({ capturesOrigin, showsCaptures, frameAncestors, features }: PageRights): Record<string, string> {
  const shown = showsCaptures ? ` ${capturesOrigin}` : '';
  const policy = [
    "default-src 'none'",
    ownScripts,
    "style-src 'self'",
    `img-src 'self' blob:${shown}`,
    `media-src blob:${shown}`,
    "worker-src 'self'",
    `connect-src 'self' ${capturesOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frameAncestors}`,
    ...trustedTypes,
  ];
  return {
    ...always,
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': policy.join('; '),
    'permissions-policy': permissions(features),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}

/** Of the capture page: pages whose origins the tenant's policy lists may frame it, and no others. */
export function capturePageHeaders(
  capturesOrigin: string,
  frameOrigins: readonly string[] = [],
): Record<string, string> {
  const framing = frameOrigins.filter((origin) => plainOrigin.test(origin));
  return pageHeaders({
    capturesOrigin,
    frameAncestors: framing.length > 0 ? framing.join(' ') : "'none'",
    features: ['camera', 'microphone', 'fullscreen', 'screen-wake-lock'],
  });
}

/** Of the console: no page may frame it, and it has no camera. */
export function consoleHeaders(capturesOrigin: string): Record<string, string> {
  return pageHeaders({ capturesOrigin, showsCaptures: true, frameAncestors: "'none'", features: ['fullscreen'] });
}

/** Of files: an integrator's page loads them too. A worker is bound by the policy that its own file came with. */
export const fileHeaders: Readonly<Record<string, string>> = {
  ...always,
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'content-security-policy': ["default-src 'none'", ownScripts, "connect-src 'self'", ...trustedTypes].join('; '),
};
