import { html, nothing, type TemplateResult } from 'lit';
import type { Problem } from './api.ts';
import type { Words } from './words.ts';

/** Small parts that several views show alike. */

const times = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

export const timeText = (iso: string | Date): string => {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? String(iso) : times.format(time);
};

export const zone = (): string => times.resolvedOptions().timeZone;

export const time = (iso: string) => html`<time datetime=${iso} title=${iso}>${timeText(iso)}</time>`;

const bytesIn = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${bytesIn.format(bytes / 1000)} kB` : `${bytesIn.format(bytes / 1_000_000)} MB`;
}

/** A state or an outcome, told by its text and shown by a colour and a shape besides. */
export const badge = (kind: string, text: string) => html`<span class="badge ${kind}">${text}</span>`;

/** What a request ended with, in words. */
export function problemText(problem: Problem, words: Words): string {
  const { code, message } = problem;
  return new Map(Object.entries(words.problems)).get(code) ?? message.replace(`${code}: `, '');
}

export function problemBox(problem: Problem | undefined, words: Words): TemplateResult | typeof nothing {
  return problem ? html`<p class="notice bad" role="alert">${problemText(problem, words)}</p>` : nothing;
}

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => unknown;
  readonly numeric?: boolean;
}

/**
 * A table whose first column names the row. On a narrow page `stacked` shows each row as a block, each cell under its
 * column's name; the roles are stated, because a browser drops those of a table that is laid out as blocks.
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { stacked = false, captionShown = false } = {},
): TemplateResult {
  return html`<table role="table" class=${stacked ? 'stacked' : ''}>
    <caption class=${captionShown ? '' : 'unseen'}>${caption}</caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(({ head, numeric }) => html`<th role="columnheader" scope="col" class=${numeric ? 'number' : ''}>${head}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) => html`<tr role="row">
          ${columns.map(({ head, cell, numeric }, index) =>
            index === 0
              ? html`<th role="rowheader" scope="row">${cell(row)}</th>`
              : html`<td role="cell" class=${numeric ? 'number' : ''}>
                  ${stacked ? html`<span class="head" aria-hidden="true">${head}</span>` : nothing}<span class="what">${cell(row)}</span>
                </td>`,
          )}
        </tr>`,
      )}
    </tbody>
  </table>`;
}
