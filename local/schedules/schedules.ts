/** Something that happens at a steady rate. */
export interface Schedule {
  name: string;
  everyMs: number;
  run: () => Promise<void>;
}

const units: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `rate(5 minutes)` in milliseconds; undefined for what is not a rate, such as cron. */
export function rateMs(expression: string): number | undefined {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = units[unit];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

/**
 * Runs schedules until stopped: now, since a machine that was off has missed turns, and then at their rates. A run that is
 * still going when the next is due is not joined by a second.
 */
export function startSchedules(schedules: Schedule[]): { stop: () => Promise<void> } {
  const running = new Map<string, Promise<void>>();
  const runOnce = ({ name, run }: Schedule) => {
    if (running.has(name)) return;
    const result = run()
      .catch((error: unknown) => console.error(`the schedule ${name} failed`, error))
      .finally(() => running.delete(name));
    running.set(name, result);
  };
  for (const schedule of schedules) runOnce(schedule);
  const timers = schedules.map((schedule) => setInterval(() => runOnce(schedule), schedule.everyMs));
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running.values());
    },
  };
}
