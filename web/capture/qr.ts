import { html, type TemplateResult } from 'lit';
import { encode } from 'uqr';

/** White around a code that scanners need, in modules. */
const quietModules = 4;

/** A QR code as SVG, black on white in every theme. Its label says what it is for: the link itself is also there to copy. */
export function qrCode(link: string, label: string): TemplateResult {
  const { data, size } = encode(link, { ecc: 'M', border: 0 });
  const side = size + 2 * quietModules;
  const runs = data
    .flatMap((row, y) => runsOf(row).map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`))
    .join('');
  return html`<svg class="qr" part="qr" viewBox="-${quietModules} -${quietModules} ${side} ${side}" role="img" aria-label=${label}
    shape-rendering="crispEdges"><path fill="#000" d=${runs}/></svg>`;
}

/** Where a row is black, and for how long. */
function runsOf(row: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = [];
  row.forEach((isBlack, x) => {
    const last = runs.at(-1);
    if (!isBlack) return;
    if (last && last[0] + last[1] === x) last[1] += 1;
    else runs.push([x, 1]);
  });
  return runs;
}
