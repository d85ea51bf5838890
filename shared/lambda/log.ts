import { failuresMetric, namespace } from '../domain/metric.ts';
import type { Log } from '../domain/ports.ts';

/** One JSON object a line. Lambda takes lines that are JSON as they are. */
export function jsonLog(write: (line: string) => void, now: () => Date): Log {
  const line = (level: string, event: string, fields: Record<string, unknown>) =>
    write(`${JSON.stringify({ timestamp: now().toISOString(), level, event, ...fields })}\n`);
  return {
    info: (event, fields = {}) => line('INFO', event, fields),
    warn: (event, fields = {}) => line('WARN', event, fields),
    error: (event, error, fields = {}) =>
      line('ERROR', event, { ...fields, ...described(error), ...countedAsFailure(now()) }),
  };
}

/** What makes CloudWatch count the line (embedded metric format): a canary is taken back by it (`infra/constructs/rollout.ts`). */
function countedAsFailure(at: Date): Record<string, unknown> {
  const Metrics = [{ Name: failuresMetric, Unit: 'Count' }];
  const CloudWatchMetrics = [{ Namespace: namespace, Dimensions: [[]], Metrics }];
  return { [failuresMetric]: 1, _aws: { Timestamp: at.getTime(), CloudWatchMetrics } };
}

function described(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  // The first line of a stack is the message: only the frames are safe.
  const frames = error.stack?.split('\n').filter((frame) => /^\s+at /.test(frame));
  return {
    error: error.name,
    ...code,
    ...(frames ? { stack: frames.slice(0, 12).join('\n') } : {}),
    ...(error.cause instanceof Error ? { cause: error.cause.name } : {}),
  };
}

/** To standard output: what Lambda and the local stack collect. */
export const log: Log = jsonLog(
  (text) => process.stdout.write(text),
  () => new Date(),
);
