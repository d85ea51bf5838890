import { css } from 'lit';

/** Of the document itself: what lies behind the console. */
export const pageStyle = css`
  :root {
    color-scheme: light dark;
    background: #f5f6f8;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      background: #0f1217;
    }
  }
  body {
    margin: 0;
  }
`;

/** Of every view. Colours have a contrast of at least 4.5 : 1 on what they stand on, light and dark. */
export const style = css`
  :host {
    --ground: #f5f6f8;
    --surface: #ffffff;
    --raised: #f8f9fb;
    --line: #e1e4ea;
    --strong-line: #8a93a2;
    --text: #171b24;
    --quiet: #545d6d;
    --accent: #2348c7;
    --accent-ground: #2348c7;
    --accent-hover: #1a379b;
    --accent-soft: #eaeffd;
    --good: #0f6b3c;
    --good-soft: #e2f5ea;
    --bad: #a8201a;
    --bad-soft: #fdeaea;
    --warn: #7d4d00;
    --warn-soft: #fdf1da;
    --calm: #434c5c;
    --calm-soft: #eceff3;
    --bar: #4a6fe3;
    --bar-passed: #1f9d5f;
    --bar-failed: #d2453d;
    --bar-recapture: #d79a2b;
    --bar-errored: #6b7586;
    --radius: 10px;
    display: block;
    color: var(--text);
    font:
      15px / 1.5 system-ui,
      'Segoe UI',
      Roboto,
      'Helvetica Neue',
      sans-serif;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --ground: #0f1217;
      --surface: #171b22;
      --raised: #1d222b;
      --line: #2b323d;
      --strong-line: #6d7787;
      --text: #e8ebf0;
      --quiet: #a3adbc;
      --accent: #8fabff;
      --accent-ground: #3a5fdb;
      --accent-hover: #4a6ee6;
      --accent-soft: #1f2a49;
      --good: #6fd3a0;
      --good-soft: #12301f;
      --bad: #ff9d94;
      --bad-soft: #3b1a1a;
      --warn: #f0c06a;
      --warn-soft: #352808;
      --calm: #b7c0cd;
      --calm-soft: #262d37;
      --bar: #7f9dff;
      --bar-passed: #57c48d;
      --bar-failed: #f2837a;
      --bar-recapture: #e9b75a;
      --bar-errored: #98a3b3;
    }
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ol,
  ul,
  figure,
  pre {
    margin: 0;
    padding: 0;
  }
  h1 {
    font-size: 1.5rem;
    line-height: 1.25;
    letter-spacing: -0.015em;
    font-weight: 650;
    overflow-wrap: anywhere;
  }
  h2 {
    font-size: 1rem;
    font-weight: 650;
    letter-spacing: -0.005em;
  }
  h3 {
    font-size: 0.875rem;
    font-weight: 600;
  }
  h1:focus,
  main:focus {
    outline: none;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.2em;
    text-decoration-thickness: 1px;
  }
  code,
  pre,
  .id {
    font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace;
    font-size: 0.8125rem;
    overflow-wrap: anywhere;
  }
  pre {
    white-space: pre-wrap;
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: 8px;
    padding: 12px;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .unseen:not(:focus) {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .quiet {
    color: var(--quiet);
  }
  .small {
    font-size: 0.8125rem;
  }
  .stack {
    display: grid;
    gap: 16px;
    align-content: start;
    min-width: 0;
  }
  .tight {
    gap: 8px;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 12px;
    align-items: center;
  }
  .between {
    justify-content: space-between;
  }
  .card {
    background: var(--surface);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 20px;
    min-width: 0;
  }
  .card > header {
    margin-bottom: 12px;
  }
  .flush {
    padding: 0;
    overflow: hidden;
  }
  .empty {
    padding: 48px 20px;
    text-align: center;
  }

  button,
  .button {
    font: inherit;
    font-weight: 550;
    font-size: 0.875rem;
    line-height: 20px;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-height: 36px;
    padding: 7px 14px;
    text-align: center;
    border-radius: 8px;
    border: 1px solid var(--strong-line);
    background: var(--surface);
    color: var(--text);
    text-decoration: none;
    cursor: pointer;
    transition: background-color 0.12s;
  }
  button:hover,
  .button:hover {
    background: var(--raised);
  }
  button.primary,
  .button.primary {
    background: var(--accent-ground);
    border-color: var(--accent-ground);
    color: #fff;
  }
  button.primary:hover,
  .button.primary:hover {
    background: var(--accent-hover);
  }
  button.danger {
    color: var(--bad);
    border-color: var(--bad);
  }
  button.danger:hover {
    background: var(--bad-soft);
  }
  button.plain {
    border-color: transparent;
    background: none;
    color: var(--accent);
    padding-inline: 8px;
  }
  button[aria-disabled='true'] {
    opacity: 0.65;
    cursor: default;
  }

  label,
  legend {
    font-size: 0.8125rem;
    font-weight: 550;
    color: var(--quiet);
    padding: 0;
  }
  fieldset {
    border: 0;
    margin: 0;
    padding: 0;
    min-width: 0;
  }
  select,
  input,
  textarea {
    font: inherit;
    font-size: 0.875rem;
    width: 100%;
    min-width: 0;
    min-height: 36px;
    padding: 7px 10px;
    border-radius: 8px;
    border: 1px solid var(--strong-line);
    background: var(--surface);
    color: var(--text);
  }
  select,
  input:not([type='radio']) {
    height: 38px;
  }
  textarea {
    min-height: 96px;
    resize: vertical;
  }
  input[type='radio'] {
    width: 18px;
    min-height: 18px;
    height: 18px;
    margin: 0;
    accent-color: var(--accent);
  }
  .choice {
    font-weight: 400;
    display: flex;
    gap: 8px;
    align-items: center;
    color: var(--text);
    font-size: 0.875rem;
    min-height: 28px;
  }
  .field {
    display: grid;
    gap: 4px;
    min-width: 0;
  }
  .error {
    color: var(--bad);
    font-size: 0.8125rem;
  }

  .badge {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    white-space: nowrap;
    font-size: 0.75rem;
    font-weight: 600;
    line-height: 18px;
    padding: 2px 9px;
    border-radius: 999px;
    background: var(--calm-soft);
    color: var(--calm);
  }
  .badge::before {
    content: '';
    width: 7px;
    height: 7px;
    border-radius: 50%;
    background: currentColor;
  }
  .badge.passed,
  .badge.closed {
    background: var(--good-soft);
    color: var(--good);
  }
  .badge.failed,
  .badge.errored,
  .badge.open {
    background: var(--bad-soft);
    color: var(--bad);
  }
  .badge.failed::before,
  .badge.errored::before,
  .badge.open::before {
    border-radius: 1px;
  }
  .badge.recapture,
  .badge.expired {
    background: var(--warn-soft);
    color: var(--warn);
  }
  .badge.recapture::before {
    background: none;
    border: 2px solid currentColor;
  }
  .badge.queued,
  .badge.dispatched,
  .badge.awaiting_captures {
    background: var(--accent-soft);
    color: var(--accent);
  }

  .notice {
    padding: 10px 14px;
    border-radius: 8px;
    border: 1px solid transparent;
    background: var(--calm-soft);
    color: var(--calm);
    font-size: 0.875rem;
  }
  .notice.bad {
    background: var(--bad-soft);
    color: var(--bad);
  }
  .notice.warn {
    background: var(--warn-soft);
    color: var(--warn);
  }
  .notice.good {
    background: var(--good-soft);
    color: var(--good);
  }

  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
  }
  caption {
    text-align: start;
    font-weight: 600;
    padding-bottom: 8px;
  }
  th,
  td {
    text-align: start;
    padding: 10px 12px;
    border-bottom: 1px solid var(--line);
    vertical-align: top;
    overflow-wrap: anywhere;
  }
  thead th {
    font-size: 0.75rem;
    font-weight: 600;
    color: var(--quiet);
    white-space: nowrap;
    overflow-wrap: normal;
  }
  tbody th {
    font-weight: 500;
  }
  tbody tr:last-child > * {
    border-bottom: 0;
  }
  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  time {
    font-variant-numeric: tabular-nums;
  }
  table time {
    white-space: nowrap;
  }
  .flush th:first-child,
  .flush td:first-child {
    padding-inline-start: 20px;
  }
  .flush th:last-child,
  .flush td:last-child {
    padding-inline-end: 20px;
  }
  .flush tbody tr:hover > * {
    background: var(--raised);
  }
  td .head {
    display: none;
  }
  @media (max-width: 760px) {
    .stacked,
    .stacked tbody,
    .stacked tr,
    .stacked td,
    .stacked tbody th {
      display: block;
    }
    .stacked thead {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    .stacked tr {
      padding: 14px 0;
      border-bottom: 1px solid var(--line);
    }
    .stacked tr:last-child {
      border-bottom: 0;
    }
    .stacked tbody > tr > td,
    .stacked tbody > tr > th {
      border: 0;
      padding: 2px 0;
      text-align: start;
    }
    .stacked td {
      display: grid;
      grid-template-columns: 92px minmax(0, 1fr);
      gap: 8px;
    }
    .stacked td .head {
      display: inline;
      color: var(--quiet);
      font-size: 0.8125rem;
    }
    .flush tbody tr:hover > * {
      background: none;
    }
    .flush .stacked tr {
      padding-inline: 16px;
    }
    .flush .stacked tbody tr > * {
      padding-inline: 0;
    }
  }

  dl.facts {
    display: grid;
    grid-template-columns: minmax(96px, max-content) minmax(0, 1fr);
    gap: 8px 16px;
    font-size: 0.875rem;
  }
  dl.facts dt {
    color: var(--quiet);
  }
  dl.facts dd {
    overflow-wrap: anywhere;
  }
  ul.plain-list,
  ol.plain-list {
    list-style: none;
    display: grid;
    gap: 8px;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
      animation: none !important;
    }
  }
`;
