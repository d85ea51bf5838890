/** Ids, codes and counts; never a key, a token, a signed URL, a person's data or a body. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  readonly info: (event: string, fields?: Fields) => void;
  readonly warn: (event: string, fields?: Fields) => void;
  /** `error`'s name and stack are written, and a fault's code; no message of an unknown error: it may quote a body. */
  readonly error: (event: string, error: unknown, fields?: Fields) => void;
  /** A CloudWatch metric (embedded metric format) in the namespace `Bonafide`. */
  readonly count: (metric: string, fields?: Fields) => void;
}

/** One JSON object a line. Lambda takes lines that are JSON as they are. */
export function jsonLog(write: (line: string) => void, now: () => Date): Log {
  const line = (level: string, event: string, fields: Record<string, unknown>) =>
    write(`${JSON.stringify({ timestamp: now().toISOString(), level, event, ...fields })}\n`);
  return {
    info: (event, fields = {}) => line('INFO', event, fields),
    warn: (event, fields = {}) => line('WARN', event, fields),
    error: (event, error, fields = {}) => line('ERROR', event, { ...fields, ...described(error) }),
    count: (metric, fields = {}) =>
      line('INFO', 'metric', {
        ...fields,
        [metric]: 1,
        _aws: {
          Timestamp: now().getTime(),
          CloudWatchMetrics: [{ Namespace: 'Bonafide', Dimensions: [[]], Metrics: [{ Name: metric, Unit: 'Count' }] }],
        },
      }),
  };
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
