import { html, nothing, type TemplateResult } from 'lit';
import { meter } from './charts.ts';
import { badge, table, time } from './show.ts';
import type { Attempt, HistoryLine, Verdict, Verification } from './wire.ts';
import { nameIn, type Words } from './words.ts';

/** What is shown of a verification and has no state of its own. */

const shareText = (share: number) => `${(share * 100).toFixed(1)} %`;

/** A verdict with its reasons in words and its scores. */
export function verdictFacts(verdict: Verdict, words: Words): TemplateResult {
  const { outcome, confidence, reasons, scores, provider, policy_version, format, seen_before } = verdict;
  const text = words.verification;
  return html`<dl class="facts">
    <dt>${words.list.outcome}</dt>
    <dd>${badge(outcome, nameIn(words.outcomeNames, outcome))}</dd>
    ${
      reasons.length > 0
        ? html`<dt>${text.reasons}</dt>
            <dd>
              <ul class="plain-list">
                ${reasons.map((reason) => html`<li>${words.reasonText(reason)} <code class="quiet">${reason}</code></li>`)}
              </ul>
            </dd>`
        : nothing
    }
    <dt>${text.confidence}</dt>
    <dd>${confidence === null ? text.unknown : shareText(confidence)}</dd>
    ${scoreRows(scores, words)}
    <dt>${text.provider}</dt>
    <dd>${provider}</dd>
    <dt>${text.policy}</dt>
    <dd>${policy_version}</dd>
    ${format ? html`<dt>${text.format}</dt><dd>${format}</dd>` : nothing}
    ${
      seen_before && seen_before.length > 0
        ? html`<dt>${text.seenBefore}</dt>
            <dd>${seen_before.map((name) => nameIn(words.captureNames, name)).join(', ')}</dd>`
        : nothing
    }
  </dl>`;
}

function scoreRows(scores: Verdict['scores'], words: Words) {
  return (['live', 'match', 'digits', 'sync'] as const).map((name) => {
    const score = scores[name];
    if (score === undefined) return nothing;
    return html`<dt>${words.scoreNames[name]}</dt>
      <dd class="row">
        ${
          score === null
            ? words.verification.unknown
            : html`${meter(name === 'sync' ? (score + 1) / 2 : score)}<span>${score.toFixed(3)}</span>`
        }
      </dd>`;
  });
}

/** What is known of a verification besides its verdict. */
export function standing(verification: Verification, words: Words): TemplateResult {
  const { check, state, round, sequence, created_at, updated_at, fault, challenge, turn } = verification;
  const text = words.verification;
  return html`<dl class="facts">
    <dt>${text.state}</dt>
    <dd>${badge(state, nameIn(words.states, state))}</dd>
    ${fault ? html`<dt>${text.fault}</dt><dd>${words.faultText(fault)} <code class="quiet">${fault}</code></dd>` : nothing}
    <dt>${text.check}</dt>
    <dd>${nameIn(words.checks, check)}</dd>
    <dt>${text.round}</dt>
    <dd>${text.roundOf(round)}</dd>
    <dt>${text.sequence}</dt>
    <dd>${sequence}</dd>
    <dt>${text.created}</dt>
    <dd>${time(created_at)}</dd>
    <dt>${text.updated}</dt>
    <dd>${time(updated_at)}</dd>
    ${challenge ? html`<dt>${text.challenge}</dt><dd class="id">${challenge}</dd>` : nothing}
    ${turn ? html`<dt>${text.turn}</dt><dd>${text.turnAt(turn.side, turn.second)}</dd>` : nothing}
  </dl>`;
}

/** Every line of the history, the oldest first. */
export function timeline(history: readonly HistoryLine[], dropped: number, words: Words): TemplateResult {
  const text = words.verification;
  return html`<ol class="timeline">
      ${history.map(
        (line) => html`<li class="${line.kind} ${line.outcome ?? line.state}">
          <span class="dot" aria-hidden="true"></span>
          <div class="event">
            <strong>${words.happened(line)}</strong>
            ${line.kind === 'moved' && line.code ? html`<span class="quiet">${words.because(line.code)}</span>` : nothing}
            <span class="quiet small"
              >${time(line.at)} · ${line.kind === 'noted' ? text.note : text.sequenceOf(line.sequence)}</span
            >
          </div>
        </li>`,
      )}
    </ol>
    ${dropped > 0 ? html`<p class="quiet small">${text.notesDropped(dropped)}</p>` : nothing}`;
}

/** Every attempt with its measurements, the newest first. */
export function attempts(all: readonly Attempt[], words: Words): TemplateResult {
  const text = words.verification;
  if (all.length === 0) return html`<p class="quiet">${text.noAttempts}</p>`;
  return html`<div class="stack">${all.toReversed().map((one) => attempt(one, words))}</div>`;
}

function attempt(one: Attempt, words: Words): TemplateResult {
  const text = words.verification;
  const { started_at, ended_at, result, transcript, measurements } = one;
  const taken = ended_at ? (Date.parse(ended_at) - Date.parse(started_at)) / 1000 : undefined;
  const measured = Object.entries(measurements ?? {});
  return html`<section class="attempt stack tight">
    <h3>${text.attempt(one.attempt, one.provider)}</h3>
    <dl class="facts">
      <dt>${text.round}</dt>
      <dd>${one.round}</dd>
      <dt>${text.started}</dt>
      <dd>${time(started_at)}</dd>
      <dt>${text.took}</dt>
      <dd>${taken === undefined ? text.running : words.seconds(taken)}</dd>
      ${result ? html`<dt>${text.result}</dt><dd>${resultText(result, words)}</dd>` : nothing}
      ${transcript ? html`<dt>${text.transcript}</dt><dd class="id">${transcript}</dd>` : nothing}
    </dl>
    ${
      measured.length > 0
        ? html`<details>
            <summary>${text.measurements} (${measured.length})</summary>
            ${table(
              text.measurements,
              [
                { head: text.measurement, cell: ([name]) => words.measurementOf(name).text },
                { head: text.field, cell: ([name]) => html`<code>${name}</code>` },
                {
                  head: text.value,
                  cell: ([name, value]) => valueText(value, words.measurementOf(name).unit),
                  numeric: true,
                },
              ],
              measured,
              { stacked: true },
            )}
          </details>`
        : nothing
    }
  </section>`;
}

/** An attempt that ended without a fault has a result of its own word; any other result is the fault's code. */
function resultText(result: string, words: Words) {
  const ended = new Map(Object.entries(words.attemptResults)).get(result);
  return ended ?? html`${words.faultText(result)} <code class="quiet">${result}</code>`;
}

const values = new Intl.NumberFormat('en', { maximumSignificantDigits: 5 });
const valueText = (value: number, unit: string) =>
  `${values.format(value)}${unit === '°' || !unit ? unit : ` ${unit}`}`;
