import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventDelaysSeconds, nextTryAfter, retryAfterSeconds } from '../../shared/webhooks/schedule.ts';

const now = new Date('2026-01-01T00:00:00Z');
const hours = (seconds: number) => seconds / 3600;

describe('the schedule of an event', () => {
  it('is ten tries in 75 to 91 hours', () => {
    const total = (random: number) => {
      let sum = 0;
      for (let failed = 1; ; failed += 1) {
        const delay = nextTryAfter(failed, { now, random });
        if (delay === undefined) return { failed, hours: Math.floor(hours(sum)) };
        sum += delay;
      }
    };
    expect(total(0)).toEqual({ failed: 10, hours: 75 });
    expect(total(0.999999)).toEqual({ failed: 10, hours: 90 });
    expect(eventDelaysSeconds.slice(0, 3)).toEqual([5, 300, 1800]);
    expect(eventDelaysSeconds.slice(3).map(hours)).toEqual([2, 5, 10, 14, 20, 24]);
  });

  it.each([
    ['120', 120],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:10:00 GMT', 600],
    ['Thursday, 01-Jan-26 00:10:00 GMT', 600],
    ['Thu Jan  1 00:10:00 2026 GMT', 600],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0], // over
    ['Thu, 01 Jan 2026', 0],
    ['Fri, 01 Jan 2027 00:00:00 GMT', 86_400],
    ['99999999999999999999', 86_400],
    ['-5', 0],
    ['1.5', 0],
    ['2027-01-01', 0],
    ['soon', 0],
    ['', 0],
  ])('Retry-After: %s asks for %i s', (text, seconds) => {
    expect(retryAfterSeconds(text, now)).toBe(seconds);
  });

  it('is put off by Retry-After, by a day at the most, and never hastened', async () => {
    expect(nextTryAfter(1, { retryAfter: '120', now, random: 0 })).toBe(120);
    expect(nextTryAfter(4, { retryAfter: '120', now, random: 0 })).toBe(7200);
    await fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.oneof(fc.string(), fc.nat().map(String)),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failed, retryAfter, random) => {
          const without = nextTryAfter(failed, { now, random }) ?? 0;
          const delay = nextTryAfter(failed, { retryAfter, now, random }) ?? 0;
          expect(delay).toBeGreaterThanOrEqual(without);
          expect(delay).toBeLessThanOrEqual(Math.max(without, 86_400));
          expect(without).toBeLessThanOrEqual(Math.round((eventDelaysSeconds[failed - 1] ?? 0) * 1.2));
        },
      ),
    );
  });
});
