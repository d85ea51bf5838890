import type { Reason } from '../../../shared/domain/verdict.ts';

/** What the person is told: one thing to put right, or that the picture will do. */
export type Hint = Reason | 'good';

/** What to do after a look. */
export interface Advice {
  /** The one hint to show; absent before the first looks agree. */
  readonly hint: Hint | undefined;
  /** The picture of this look is to be taken now: said once, then again only after as many good looks. */
  readonly take: boolean;
}

/** Milliseconds; the figures behind them are in `engine/notes/guidance.md`. */
export const steadyTimes = {
  /** A hint stays this long at least: words that flicker are no help, and screen readers speak each change. */
  shown: 1000,
  /** Looks of this last time choose the next hint. */
  window: 500,
  /** Looks without a fault in a row for so long, and so many of them, take the picture. */
  good: 800,
  goodLooks: 3,
  /** After such a gap (tab hidden, camera stopped) earlier looks say nothing of this one. */
  gap: 1500,
} as const;

/**
 * Chooses what to say of a stream of looks. Reasons come as the engine orders them, the most actionable first, so only
 * the first counts. Pure: what it answers follows from what it was given.
 */
export function steady(): (reasons: readonly Reason[], atMilliseconds: number) => Advice {
  let looks: readonly { readonly hint: Hint; readonly at: number }[] = [];
  let shown: { readonly hint: Hint; readonly since: number } | undefined;
  let good: { readonly since: number; readonly looks: number } | undefined;

  return ([first], at) => {
    const hint = first ?? 'good';
    if (at - (looks.at(-1)?.at ?? at) > steadyTimes.gap) [looks, good] = [[], undefined];
    looks = [...looks.filter((look) => look.at > at - steadyTimes.window), { hint, at }];
    good = hint === 'good' ? { since: good?.since ?? at, looks: (good?.looks ?? 0) + 1 } : undefined;

    const next = nextHint(
      looks.map((look) => look.hint),
      shown?.hint,
    );
    if (next && next !== shown?.hint && at - (shown?.since ?? -Infinity) >= steadyTimes.shown)
      shown = { hint: next, since: at };

    const take =
      shown?.hint === 'good' &&
      good !== undefined &&
      good.looks >= steadyTimes.goodLooks &&
      at - good.since >= steadyTimes.good;
    if (take) good = undefined;
    return { hint: shown?.hint, take };
  };
}

/**
 * More than two thirds of the latest looks put another hint in the place of the one that is shown: two that take turns do
 * not. Where it was not seen again, the most frequent one does; where none is shown, more than half begin. One look is
 * never enough.
 */
function nextHint(hints: readonly Hint[], shown: Hint | undefined): Hint | undefined {
  if (hints.length < 2) return undefined;
  const countOf = (hint: Hint) => hints.filter((other) => other === hint).length;
  const [most] = hints.toSorted((one, other) => countOf(other) - countOf(one));
  if (!most || (shown && !hints.includes(shown))) return most;
  return countOf(most) > (shown ? 2 / 3 : 1 / 2) * hints.length ? most : shown;
}
