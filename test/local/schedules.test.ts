import { describe, expect, it } from 'vitest';
import { rateMs, startSchedules } from '../../local/schedules/schedules.ts';

describe('a schedule', () => {
  it('knows rates', () => {
    expect(['rate(1 minute)', 'rate(5 minutes)', 'rate(1 day)', 'cron(* * * * ? *)'].map(rateMs)).toEqual([
      60_000,
      300_000,
      86_400_000,
      undefined,
    ]);
  });

  it('runs at once, not first when its time has passed', async () => {
    let runs = 0;
    const schedules = startSchedules([{ name: 'test', everyMs: 3_600_000, run: async () => void runs++ }]);
    await schedules.stop();
    expect(runs).toBe(1);
  });

  it('runs again and again, but never twice at the same time', async () => {
    let runs = 0;
    let atOnce = 0;
    let most = 0;
    const run = async () => {
      runs++;
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 30));
      atOnce--;
    };
    const schedules = startSchedules([{ name: 'test', everyMs: 10, run }]);
    await expect.poll(() => runs).toBeGreaterThan(2);
    await schedules.stop();
    const before = runs;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([runs, most]).toEqual([before, 1]);
  });
});
