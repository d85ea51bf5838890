import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Reason, recaptureReasons } from '../../shared/domain/verdict.ts';
import { type Hint, steady, steadyTimes } from '../../web/capture/guidance/steady.ts';

/** What is said of looks a tenth of a second apart; `good` is a look without reasons. */
function advised(hints: readonly Hint[], { period = 100, from = 5000 } = {}) {
  const advise = steady();
  return hints.map((hint, index) => advise(hint === 'good' ? [] : [hint], from + index * period));
}
const times = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item);
const hintsOf = (advice: readonly { hint: Hint | undefined }[]) => advice.map(({ hint }) => hint);

describe('The hint', () => {
  it('is of two looks that agree, not of the first one', () => {
    expect(hintsOf(advised(['too_dark', 'too_dark']))).toEqual([undefined, 'too_dark']);
  });

  it("is the engine's first reason of a look, and never two", () => {
    const advise = steady();
    advise(['face_cropped', 'too_dark'], 0);
    expect(advise(['face_cropped', 'too_dark'], 100).hint).toBe('face_cropped');
  });

  it('stays for a second, whatever is seen meanwhile', () => {
    const advice = advised([...times(2, 'face_too_small' as const), ...times(20, 'too_blurred' as const)]);
    const changed = advice.findIndex(({ hint }) => hint === 'too_blurred');
    expect(changed * 100).toBe(100 + steadyTimes.shown);
  });

  it('does not change for a look or two between others', () => {
    const seen: Hint[] = [
      ...times(15, 'face_too_small' as const),
      'too_blurred',
      'good',
      ...times(5, 'face_too_small' as const),
    ];
    expect(new Set(hintsOf(advised(seen)).slice(1))).toEqual(new Set(['face_too_small']));
  });

  it('stays where two reasons take turns', () => {
    const seen = Array.from({ length: 60 }, (_, index): Hint => (index % 2 ? 'face_too_small' : 'too_blurred'));
    expect(new Set(hintsOf(advised(seen)).slice(2)).size).toBe(1);
  });

  it('does not stay good where reasons take turns', () => {
    for (const period of [100, 240, 450]) {
      const turns = Array.from({ length: 20 }, (_, index): Hint => (index % 2 ? 'face_too_small' : 'too_blurred'));
      expect(advised([...times(4, 'good' as const), ...turns], { period }).at(-1)?.hint).not.toBe('good');
    }
  });

  it('changes at most once a second, of any looks whatever', async () => {
    const look = fc.record({
      reasons: fc.array(fc.constantFrom<Reason>(...recaptureReasons), { maxLength: 3 }),
      after: fc.integer({ min: 1, max: 2500 }),
    });
    await fc.assert(
      fc.property(fc.array(look, { maxLength: 200 }), (looks) => {
        const advise = steady();
        let at = 0;
        let shown: { hint: Hint | undefined; since: number } = { hint: undefined, since: -Infinity };
        let faultless = 0;
        for (const { reasons, after } of looks) {
          at += after;
          faultless = reasons.length === 0 ? faultless + 1 : 0;
          const { hint, take } = advise(reasons, at);
          if (hint !== shown.hint) {
            expect(at - shown.since).toBeGreaterThanOrEqual(steadyTimes.shown);
            shown = { hint, since: at };
          }
          if (take) expect([hint, faultless >= steadyTimes.goodLooks]).toEqual(['good', true]);
        }
      }),
    );
  });
});

describe('The picture', () => {
  it('is taken when all has been good for 0.8 s', () => {
    const advice = advised(times(12, 'good'));
    expect(advice.findIndex(({ take }) => take) * 100).toBe(steadyTimes.good);
  });

  it('is not taken while one look in half a second is bad', () => {
    const seen = Array.from({ length: 100 }, (_, index): Hint => (index % 5 ? 'good' : 'too_blurred'));
    expect(advised(seen).some(({ take }) => take)).toBe(false);
  });

  it('is not taken before the person has been told that it is good', () => {
    const seen: Hint[] = [...times(2, 'face_too_small' as const), ...times(30, 'good' as const)];
    const advice = advised(seen);
    const taken = advice.findIndex(({ take }) => take);
    expect(advice[taken]?.hint).toBe('good');
    expect(taken * 100).toBe(100 + steadyTimes.shown);
  });

  it('is taken by a slow device, too, after three good looks', () => {
    const advice = advised(times(6, 'good'), { period: 450 });
    expect(advice.findIndex(({ take }) => take)).toBe(2);
  });

  it('is not taken for what was good before a pause', () => {
    const advise = steady();
    for (let at = 0; at < 700; at += 100) advise([], at);
    expect(advise([], 700 + 2 * steadyTimes.gap).take).toBe(false);
  });

  it('is taken once, and again only after as long', () => {
    const advice = advised(times(30, 'good'));
    expect(advice.flatMap(({ take }, index) => (take ? [index] : []))).toEqual([8, 17, 26]);
  });
});
