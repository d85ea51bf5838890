/** Of every metric of the service. */
export const namespace = 'Bonafide';

/** Counts the errors that functions log, without a dimension: `log.error` writes it in its own line, and a canary reads it. */
export const failuresMetric = 'Failures';

/**
 * Every other metric: those that alarms read, and no more. Each carries the deployment's name as `service`; `by` is one more
 * dimension, which has few values that are known beforehand. No value is of a person, a tenant or a verification.
 */
export const metrics = {
  /** 0 for each verification whose captures are in, 1 for each that is decided: no verdicts make an average of 0. */
  Decided: { unit: 'Count', by: undefined },
  /** By provider: 1 for each attempt that ended by its fault or passed it over, 0 for each that it answered. */
  ProviderFaults: { unit: 'Count', by: 'provider' },
  /** How long the record has been due that waits longest for the sweep; 0 where none waits. */
  OldestOverdueSeconds: { unit: 'Seconds', by: undefined },
  /** 1 for each webhook that its endpoint did not take, 0 for each that it took. */
  WebhooksFailed: { unit: 'Count', by: undefined },
  /** 1 for each tenant none of whose endpoints failed, when the first one begins to. */
  TenantsFailing: { unit: 'Count', by: undefined },
} as const satisfies Readonly<Record<string, { unit: 'Count' | 'Seconds'; by: 'provider' | undefined }>>;

export type MetricName = keyof typeof metrics;

/** Metrics that have this dimension beside the deployment's name. */
export type MetricBy<By extends 'provider' | undefined> = {
  [Name in MetricName]: (typeof metrics)[Name]['by'] extends By ? Name : never;
}[MetricName];

/** One value of a metric. */
export type Measurement =
  | { readonly metric: MetricBy<undefined>; readonly value: number }
  | { readonly metric: MetricBy<'provider'>; readonly value: number; readonly provider: string };
