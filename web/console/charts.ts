import { css, html, svg, type TemplateResult } from 'lit';

/** Charts as SVG. Places are shares of the width, so that text keeps its size on a page of any width. */

export const chartStyle = css`
  svg.chart {
    display: block;
    width: 100%;
    overflow: visible;
    font-size: 13px;
  }
  svg.chart text {
    fill: var(--text);
  }
  svg.chart text.quiet {
    fill: var(--quiet);
  }
  .track {
    fill: var(--calm-soft);
  }
  .bar {
    fill: var(--bar);
  }
  .bar.passed {
    fill: var(--bar-passed);
  }
  .bar.failed {
    fill: var(--bar-failed);
  }
  .bar.recapture {
    fill: var(--bar-recapture);
  }
  .bar.errored {
    fill: var(--bar-errored);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 14px;
    font-size: 0.8125rem;
    list-style: none;
    color: var(--quiet);
  }
  .legend li {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .legend svg {
    width: 10px;
    height: 10px;
  }
`;

export interface Part {
  readonly kind: string;
  readonly count: number;
}

export interface Bar {
  readonly label: string;
  readonly parts: readonly Part[];
}

const percent = (share: number) => `${(share * 100).toFixed(2)}%`;
const sum = (parts: readonly Part[]) => parts.reduce((total, { count }) => total + count, 0);

const barHeight = 44;

/** One bar below the other, each with its label above it; a bar of several parts is stacked. */
export function bars(name: string, all: readonly Bar[]): TemplateResult {
  const longest = Math.max(1, ...all.map(({ parts }) => sum(parts)));
  return html`<svg class="chart" role="img" aria-label=${name} height=${all.length * barHeight}>
    ${all.map((bar, index) => {
      const top = index * barHeight;
      let start = 0;
      return svg`
        <text x="0" y=${top + 14}>${bar.label}</text>
        <text class="quiet" x="100%" y=${top + 14} text-anchor="end">${sum(bar.parts)}</text>
        <rect class="track" x="0" y=${top + 22} width="100%" height="10" rx="5"></rect>
        ${bar.parts.map(({ kind, count }) => {
          const from = start;
          start += count;
          if (count === 0) return '';
          return svg`<rect class="bar ${kind}" x=${percent(from / longest)} y=${top + 22} width=${percent(count / longest)} height="10" rx="2"></rect>`;
        })}`;
    })}
  </svg>`;
}

const plotHeight = 140;

/** Columns beside each other, each with its count above and its label below. */
export function columns(name: string, all: readonly { label: string; count: number }[]): TemplateResult {
  const highest = Math.max(1, ...all.map(({ count }) => count));
  return html`<svg class="chart columns" role="img" aria-label=${name} height=${plotHeight + 48}>
    ${all.map(({ label, count }, index) => {
      const height = Math.round((count / highest) * plotHeight);
      const middle = percent((index + 0.5) / all.length);
      return svg`
        <rect class="bar" x=${percent((index + 0.12) / all.length)} y=${20 + plotHeight - height} width=${percent(0.76 / all.length)} height=${height} rx="3"></rect>
        <text class="quiet" x=${middle} y=${14 + plotHeight - height} text-anchor="middle">${count}</text>
        <text class="quiet" x=${middle} y=${plotHeight + 38} text-anchor="middle">${label}</text>`;
    })}
    <line x1="0" x2="100%" y1=${plotHeight + 20.5} y2=${plotHeight + 20.5} stroke="currentColor" stroke-opacity="0.3"></line>
  </svg>`;
}

/** A bar for a number from 0 to 1, beside the number itself. */
export const meter = (share: number) =>
  html`<svg class="meter" width="72" height="8" aria-hidden="true"><rect class="track" width="100%" height="8" rx="4"></rect><rect class="bar" width=${percent(Math.min(1, Math.max(0, share)))} height="8" rx="4"></rect></svg>`;
