import { Metrics } from '@aws-lambda-powertools/metrics';
import { metrics, namespace } from '../domain/metric.ts';
import type { Measure } from '../domain/ports.ts';

/** Their dimension `service` is `POWERTOOLS_SERVICE_NAME`: the stack's name. */
const emf = new Metrics({ namespace });

/** Writes one line of embedded metric format to standard output; CloudWatch makes a metric of it. */
export const measure: Measure = (measurement) => {
  const { metric, value } = measurement;
  const one = emf.singleMetric();
  if ('provider' in measurement) one.addDimension('provider', measurement.provider);
  one.addMetric(metric, metrics[metric].unit, value);
};
