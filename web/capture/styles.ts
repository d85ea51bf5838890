import { css } from 'lit';

/** A page styles the element by the properties below and by CSS parts; docs/capture.md lists both. */
export const styles = css`
  :host {
    --accent: var(--bonafide-accent, #0b5fd9);
    --accent-text: var(--bonafide-accent-text, #fff);
    --background: var(--bonafide-background, #fff);
    --text: var(--bonafide-text, #16191f);
    --quiet: color-mix(in srgb, var(--text) 72%, var(--background));
    --line: color-mix(in srgb, var(--text) 22%, var(--background));
    --soft: color-mix(in srgb, var(--text) 6%, var(--background));
    --good: #12833f;
    --bad: #b3261e;
    --radius: var(--bonafide-radius, 14px);
    display: block;
    color-scheme: light;
    color: var(--text);
    background: var(--background);
    font: 1rem / 1.5 var(--bonafide-font, system-ui, sans-serif);
    text-align: start;
    container-type: inline-size;
  }
  :host([hidden]) {
    display: none;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --accent: var(--bonafide-accent, #7fb0ff);
      --accent-text: var(--bonafide-accent-text, #06142e);
      --background: var(--bonafide-background, #14171c);
      --text: var(--bonafide-text, #eef1f5);
      --good: #5fd68c;
      --bad: #ffb4ab;
      color-scheme: dark;
    }
  }
  * {
    box-sizing: border-box;
  }
  .frame {
    display: grid;
    gap: 1rem;
    max-inline-size: 30rem;
    margin-inline: auto;
    padding: 1.25rem 1rem 1.5rem;
  }
  section {
    display: grid;
    gap: 1rem;
    min-inline-size: 0;
  }
  h2,
  p,
  ul {
    margin: 0;
    overflow-wrap: anywhere;
  }
  h2 {
    font-size: 1.5rem;
    font-weight: 650;
    line-height: 1.25;
    text-wrap: balance;
  }
  h2:focus {
    outline: none;
  }
  .quiet {
    color: var(--quiet);
  }
  .small {
    font-size: 0.9375rem;
  }
  ul.tips {
    display: grid;
    gap: 0.75rem;
    padding: 0;
    list-style: none;
  }
  ul.tips li {
    display: grid;
    grid-template-columns: 1.5rem 1fr;
    gap: 0.75rem;
  }
  ul.reasons {
    display: grid;
    gap: 0.5rem;
    padding: 0.875rem 1rem;
    border-radius: var(--radius);
    border-inline-start: 4px solid var(--accent);
    background: var(--soft);
    list-style: none;
  }
  svg {
    display: block;
  }
  .tips svg {
    inline-size: 1.5rem;
    block-size: 1.5rem;
    color: var(--accent);
  }
  .mark {
    inline-size: 3.5rem;
    block-size: 3.5rem;
    padding: 0.75rem;
    border-radius: 50%;
    color: var(--accent);
    background: var(--soft);
  }
  .mark.good {
    color: var(--good);
  }
  .mark.bad {
    color: var(--bad);
  }
  .actions {
    display: grid;
    gap: 0.625rem;
  }
  button,
  .file {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    min-block-size: 3rem;
    padding: 0.625rem 1.25rem;
    border: 2px solid transparent;
    border-radius: var(--radius);
    font: inherit;
    font-weight: 600;
    text-align: center;
    cursor: pointer;
    overflow-wrap: anywhere;
  }
  .primary {
    color: var(--accent-text);
    background: var(--accent);
  }
  .secondary {
    color: var(--text);
    background: transparent;
    border-color: var(--line);
  }
  button:disabled {
    opacity: 0.6;
    cursor: default;
  }
  button:focus-visible,
  select:focus-visible,
  input:focus-visible + .file,
  h2:focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 3px;
  }
  h2:focus-visible {
    outline-width: 2px;
    border-radius: 4px;
  }
  .hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .field {
    position: relative;
    display: grid;
  }
  .choice {
    display: grid;
    gap: 0.25rem;
    font-size: 0.9375rem;
  }
  select {
    inline-size: 100%;
    min-block-size: 2.75rem;
    padding: 0.5rem 0.75rem;
    border: 1px solid var(--line);
    border-radius: 10px;
    font: inherit;
    color: var(--text);
    background: var(--background);
  }
  .stage {
    position: relative;
    overflow: hidden;
    --shown-ratio: var(--ratio, 4 / 3);
    inline-size: min(100%, 60vh * (var(--shown-ratio)));
    inline-size: min(100%, 60svh * (var(--shown-ratio)));
    aspect-ratio: var(--shown-ratio);
    margin-inline: auto;
    border-radius: var(--radius);
    background: #0c0e12;
    isolation: isolate;
  }
  .stage.upright {
    --shown-ratio: var(--ratio, 3 / 4);
  }
  .stage video,
  .stage img,
  .stage > .overlay {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
  }
  .stage video {
    object-fit: cover;
  }
  .stage img {
    object-fit: contain;
  }
  .mirrored {
    transform: scaleX(-1);
  }
  .shade {
    fill: rgb(0 0 0 / 45%);
  }
  .outline {
    fill: none;
    stroke: #fff;
    stroke-width: 3;
    vector-effect: non-scaling-stroke;
  }
  .good .outline {
    stroke: #5fe38f;
    stroke-width: 5;
  }
  .hint {
    position: absolute;
    inset-block-end: 0.75rem;
    inset-inline: 0.75rem;
    inline-size: fit-content;
    max-inline-size: calc(100% - 1.5rem);
    margin-inline: auto;
    padding: 0.5rem 1rem;
    border-radius: 2rem;
    font-weight: 600;
    text-align: center;
    color: #fff;
    background: rgb(12 14 18 / 88%);
  }
  .spinner {
    position: absolute;
    inset: 0;
    margin: auto;
    inline-size: 3rem;
    block-size: 3rem;
    color: #fff;
  }
  .spinner.inline {
    position: static;
    margin: 0;
    color: var(--accent);
  }
  .spinner circle:last-child {
    transform-origin: center;
    animation: turn 1.1s linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  /* At the upper edge, where cameras are: who reads them looks into the camera. */
  .digit {
    position: absolute;
    inset-block-start: 0.75rem;
    inset-inline: 0.75rem;
    display: grid;
    grid-template-columns: auto auto;
    align-items: center;
    justify-content: center;
    column-gap: 0.75rem;
    inline-size: fit-content;
    margin-inline: auto;
    padding: 0.25rem 1rem;
    border-radius: var(--radius);
    color: #fff;
    background: rgb(12 14 18 / 88%);
  }
  .digit b {
    grid-row: 1 / span 2;
    font-size: 3.5rem;
    line-height: 1.1;
    font-variant-numeric: tabular-nums;
  }
  .digit small {
    font-size: 0.875rem;
    line-height: 1.3;
  }
  .digit small:only-of-type {
    grid-row: 1 / span 2;
  }
  .step {
    margin-block-end: -0.75rem;
  }
  .digits {
    font-size: 2.25rem;
    font-weight: 700;
    letter-spacing: 0.3em;
    text-align: center;
    font-variant-numeric: tabular-nums;
  }
  meter,
  progress {
    inline-size: 100%;
    block-size: 0.75rem;
    accent-color: var(--accent);
  }
  progress {
    appearance: none;
    overflow: hidden;
    border: 0;
    border-radius: 1rem;
    background: var(--line);
  }
  progress::-webkit-progress-bar {
    background: var(--line);
  }
  progress::-webkit-progress-value {
    border-radius: 1rem;
    background: var(--accent);
    transition: inline-size 0.2s;
  }
  progress::-moz-progress-bar {
    border-radius: 1rem;
    background: var(--accent);
  }
  .level {
    display: grid;
    gap: 0.25rem;
    font-size: 0.9375rem;
  }
  .qr {
    inline-size: min(100%, 17rem);
    margin-inline: auto;
    border-radius: var(--radius);
    background: #fff;
    color: #000;
  }
  @media (prefers-reduced-motion: reduce) {
    .spinner circle:last-child {
      animation-duration: 6s;
    }
    progress::-webkit-progress-value {
      transition: none;
    }
  }
  @media (forced-colors: active) {
    .stage,
    .primary,
    progress {
      border: 1px solid;
    }
  }
  @container (min-width: 40rem) {
    .frame {
      padding: 2rem 1.5rem 2.5rem;
    }
    .actions.row {
      grid-auto-flow: column;
      grid-auto-columns: 1fr;
    }
  }
`;
