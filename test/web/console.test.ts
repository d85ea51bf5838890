import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failureReasons, recaptureReasons } from '../../shared/domain/verdict.ts';
import { states as domainStates, noteCode } from '../../shared/domain/verification.ts';
import { most, OutcomesFeed } from '../../web/console/feed.ts';
import { hashOf, invitationIn, type Route, readRoute } from '../../web/console/routes.ts';
import { byOutcome, byProvider, byReason, byTime } from '../../web/console/tally.ts';
import { type OutcomeRow, outcomeKinds, states } from '../../web/console/wire.ts';
import { english } from '../../web/console/words.ts';

const outcome = (overrides: Partial<OutcomeRow> = {}): OutcomeRow => ({
  id: 'one',
  at: '2026-01-31T09:00:00.000Z',
  check: 'spoof_detect',
  outcome: 'passed',
  reasons: [],
  provider: 'builtin',
  seconds: 1,
  ...overrides,
});

describe('an address of the console', () => {
  it.each<Route>([
    { view: 'outcomes' },
    { view: 'providers' },
    { view: 'verification', sourceId: 'a:b.c_d-1' },
    { view: 'verification', sourceId: '<img src=x>/../?#%' },
    { view: 'verifications', filters: { state: 'decided', outcome: 'failed', from: '2026-01-31T09:00:00.000Z' } },
  ])('is read back as it was written: %o', (route) => {
    expect(readRoute(hashOf(route))).toEqual(route);
  });

  it('that asks for what there is not shows the list', () => {
    const nothing = { view: 'verifications', filters: {} };
    for (const hash of [
      '',
      '#',
      '#/',
      '#/elsewhere',
      '#/verifications',
      '#/verifications?state=odd&check=<b>&outcome=',
    ]) {
      expect(readRoute(hash)).toEqual(nothing);
    }
    expect(readRoute('#/verifications/%E0%A4%A')).toEqual({ view: 'verification', sourceId: '%E0%A4%A' });
  });

  it('brings an invitation as nothing but a code', () => {
    expect(invitationIn('#i_aZ09_-')).toBe('aZ09_-');
    for (const hash of ['', '#i_', '#i_a/b', '#i_a?b', '#/i_a', '#i_<b>']) expect(invitationIn(hash)).toBeUndefined();
  });
});

describe('outcomes are counted', () => {
  const rows = [
    outcome({ seconds: 0.5 }),
    outcome({ seconds: 1 }),
    outcome({ outcome: 'failed', reasons: ['face_mismatch'], seconds: 4 }),
    outcome({ outcome: 'recapture', reasons: ['too_dark', 'face_mismatch'], provider: 'spoofsense', seconds: 61 }),
    outcome({ outcome: 'errored', fault: 'provider_timed_out', provider: '', seconds: null }),
  ];

  it('by outcome, those that there are none of too', () => {
    expect(byOutcome(rows).map(({ count }) => count)).toEqual([2, 1, 1, 1]);
    expect(byOutcome([]).map(({ name, count }) => [name, count])).toEqual(outcomeKinds.map((kind) => [kind, 0]));
  });

  it('by reason, a fault among them, the most frequent first', () => {
    expect(byReason(rows)).toEqual([
      { name: 'face_mismatch', count: 2 },
      { name: 'provider_timed_out', count: 1 },
      { name: 'too_dark', count: 1 },
    ]);
  });

  it('by provider, with what it decided', () => {
    const [first, ...others] = byProvider(rows);
    expect(first).toMatchObject({ name: 'builtin', count: 3 });
    expect(first?.outcomes.map(({ count }) => count)).toEqual([2, 1, 0, 0]);
    expect(others.map(({ name }) => name)).toEqual(['', 'spoofsense']);
  });

  it('by time, each in one range, and those without a time in none', () => {
    const times = byTime(rows);
    expect(times).toMatchObject({ measured: 4, medianSeconds: 1, lateSeconds: 61 });
    expect(times?.counts).toEqual([1, 1, 0, 1, 0, 0, 0, 1]);
    expect(english.timeRanges).toHaveLength(times?.counts.length ?? 0);
    expect(english.timeLabels).toHaveLength(times?.counts.length ?? 0);
    expect(byTime([outcome({ seconds: null })])).toBeUndefined();
  });
});

describe('the feed of outcomes', () => {
  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => {
      const number = to - 1 - index;
      return outcome({ id: String(number), at: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString() });
    });

  it('fetches all of them once, then what is newer alone, each once, and counts the last 1,000', async () => {
    const asked: (string | undefined)[] = [];
    const answers = [
      { outcomes: numbered(0, most), cursor: 'first' },
      { outcomes: numbered(most - 2, most + 3), cursor: 'second' }, // two of them came before
    ];
    const feed = new OutcomesFeed();
    const api = {
      outcomes: async (after: string | undefined) => {
        asked.push(after);
        return answers.shift() ?? { outcomes: [], cursor: 'second' };
      },
    };
    for (let times = 0; times < 3; times += 1) await feed.refresh(api);
    expect(asked).toEqual([undefined, 'first', 'second']);
    expect(feed.rows.map(({ id }) => Number(id))).toEqual(numbered(3, most + 3).map(({ id }) => Number(id)));
  });
});

describe('the words of the console', () => {
  it.each([...recaptureReasons, ...failureReasons])('say what %s means', (reason) => {
    expect(english.reasonText(reason)).toMatch(/^[A-Z].*\.$/);
  });

  it.each(noteCode.options)('say what the note %s means', (code) => {
    expect(english.because(code)).toMatch(/^A.*\.$/);
  });

  it('show a reason and a fault of a later version by its code', () => {
    for (const code of ['newer_reason', 'constructor', '__proto__']) {
      expect([english.reasonText(code), english.faultText(code)]).toEqual([code, code]);
    }
  });

  it('name every state that there is', () => {
    expect(states).toEqual(domainStates);
  });

  it.each([
    ['face_width_px', 'Face width', 'px'],
    ['audio_seconds', 'Audio', 's'],
    ['face_roll_degrees', 'Face roll', '°'],
    ['live_score', 'Live score', ''],
    ['seconds', 'Seconds', 's'],
    ['', '', ''],
  ])('read the measurement %s', (name, text, unit) => {
    expect(english.measurementOf(name)).toEqual({ text, unit });
  });
});

/** What would bring markup, code or a trace of the session into the page; comments are no code. */
const forbidden =
  /innerHTML|outerHTML|insertAdjacent|unsafe(HTML|Svg|Static)|document\.write|localStorage|sessionStorage|indexedDB|\.cookie\b|\beval\(|style=|console\.(log|info|debug)/;

it.each([
  'acts',
  'app',
  'captures',
  'list',
  'outcomes',
  'providers',
  'review',
  'show',
  'sign-in',
  'verdict',
  'verification',
])('web/console/%s.ts makes no markup of text, and stores nothing', (name) => {
  expect(readFileSync(`web/console/${name}.ts`, 'utf8')).not.toMatch(forbidden);
});
