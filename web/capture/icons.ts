import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

/** Drawn in the colour of the text around them; each stands beside words, so screen readers pass over them. */
const icon = (paths: SVGTemplateResult, part = ''): TemplateResult =>
  html`<svg class=${part} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"
    stroke-linejoin="round" aria-hidden="true">${paths}</svg>`;

export const cardIcon = icon(
  svg`<rect x="2.5" y="5" width="19" height="14" rx="2"/><circle cx="8.5" cy="11" r="2"/><path d="M5.5 16c.6-1.5 1.7-2 3-2s2.4.5 3 2M14.5 10h4M14.5 14h4"/>`,
);
export const faceIcon = icon(svg`<circle cx="12" cy="9" r="4"/><path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6"/>`);
export const soundIcon = icon(
  svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>`,
);
export const cameraIcon = icon(
  svg`<path d="M3 8.5A1.5 1.5 0 0 1 4.5 7h2.8l1.5-2.5h6.4L16.7 7h2.8A1.5 1.5 0 0 1 21 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z"/><circle cx="12" cy="12.8" r="3.5"/>`,
);

export const markGood = icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`, 'mark good');
export const markBad = icon(svg`<path d="M12 6.5v7M12 17.3v.2"/>`, 'mark bad');
export const markWait = icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.2l3.2 2"/>`, 'mark');
export const markPhone = icon(svg`<rect x="7" y="2.5" width="10" height="19" rx="2"/><path d="M11 18.5h2"/>`, 'mark');
export const markPause = icon(svg`<path d="M9 7v10M15 7v10"/>`, 'mark');

export const spinner = (part = ''): TemplateResult =>
  html`<svg class="spinner ${part}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" aria-hidden="true">
    <circle cx="12" cy="12" r="9" opacity=".25"/><circle cx="12" cy="12" r="9" stroke-dasharray="15 60" stroke-linecap="round"/>
  </svg>`;

/**
 * What is captured stands in the middle: an oval for a face, a card's shape for a card. `ratio` is the picture's width over
 * its height: all of the picture is seen, so that what is outside of it is outside for the backend too.
 */
export function overlay(what: 'face' | 'card', ratio: number): TemplateResult {
  const [width, height] = [300 * ratio, 300];
  const outline = what === 'face' ? oval(width, height) : card(width, height);
  return html`<svg class="overlay" viewBox="0 0 ${width} ${height}" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
    <path class="shade" fill-rule="evenodd" d="M-300-300h1200v900h-1200z${outline}" />
    <path class="outline" d=${outline} />
  </svg>`;
}

/** As wide as half of the shorter side, a third taller than wide. */
function oval(width: number, height: number): string {
  const across = Math.min(width * 0.62, height * 0.54);
  const [rx, ry] = [across / 2, across * 0.66];
  return `M${(width - across) / 2} ${height * 0.46}a${rx} ${ry} 0 1 0 ${across} 0a${rx} ${ry} 0 1 0 ${-across} 0z`;
}

/** ISO/IEC 7810 ID-1: 85.60 × 53.98 mm. */
function card(width: number, height: number): string {
  const across = Math.min(width * 0.9, height * 0.84 * 1.586);
  const down = across / 1.586;
  const [x, y, round] = [(width - across) / 2, (height - down) / 2, across * 0.04];
  const [h, v] = [across - 2 * round, down - 2 * round];
  const corner = (dx: number, dy: number, first: 'x' | 'y') =>
    first === 'x' ? `q${dx} 0 ${dx} ${dy}` : `q0 ${dy} ${dx} ${dy}`;
  return `M${x + round} ${y}h${h}${corner(round, round, 'x')}v${v}${corner(-round, round, 'y')}h${-h}${corner(-round, -round, 'x')}v${-v}${corner(round, -round, 'y')}z`;
}
