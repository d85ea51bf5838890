import { type Duration, Stack } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type MetricBy, namespace } from '../../shared/domain/metric.ts';

interface Read {
  readonly statistic: 'Sum' | 'SampleCount' | 'Maximum';
  readonly period: Duration;
}

/** A metric that functions of this deployment write (`shared/domain/metric.ts`). */
export function serviceMetric(scope: Construct, metricName: MetricBy<undefined>, read: Read): Metric {
  return new Metric({ namespace, metricName, dimensionsMap: { service: Stack.of(scope).stackName }, ...read });
}

/** A metric of one provider. */
export function providerMetric(
  scope: Construct,
  metricName: MetricBy<'provider'>,
  provider: string,
  read: Read,
): Metric {
  const dimensionsMap = { service: Stack.of(scope).stackName, provider };
  return new Metric({ namespace, metricName, dimensionsMap, ...read });
}

/**
 * How many in a hundred: `part` of `whole`. 0 where `part` is less than `least`, for a rate of two is no rate. The
 * period is the metrics' own.
 */
export function percentage({ part, whole, least }: { part: Metric; whole: Metric; least: number }): IMetric {
  return new MathExpression({
    expression: `IF(part >= ${least}, 100 * part / whole, 0)`,
    usingMetrics: { part, whole },
    period: part.period,
  });
}
