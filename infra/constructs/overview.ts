import { Duration, Stack } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { BuiltinEngine } from './builtin-engine.ts';
import type { CaptureIntake } from './capture-intake.ts';
import type { Health } from './health.ts';
import type { Orders } from './orders.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { PublicApi } from './public-api.ts';
import type { ResultDelivery } from './result-delivery.ts';
import { ServiceFunction } from './service-function.ts';
import { serviceMetric } from './service-metric.ts';
import type { Sweep } from './sweep.ts';

/** Everything worth watching. */
export interface OverviewProps {
  readonly api: PublicApi;
  readonly intake: CaptureIntake;
  readonly providers: ProviderQueues;
  readonly engine: BuiltinEngine;
  readonly delivery: ResultDelivery;
  readonly sweep: Sweep;
  readonly orders: Orders;
  readonly health: Health;
}

/**
 * One page for the question "is it us?", in the order a verification passes through. It shows every function that the
 * stack has when this is made, so it is made last.
 */
export class Overview extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { api, intake, providers, engine, delivery, sweep, orders, health }: OverviewProps,
  ) {
    super(scope, id);
    const period = Duration.minutes(1);
    const functions = Stack.of(this)
      .node.findAll()
      .filter((each) => each instanceof ServiceFunction);
    const work = [intake.work, ...providers.queues.values(), orders.fetches, orders.deliveries, orders.webhooks];
    const undeliverable = [
      ...work.map((each) => each.undeliverable),
      delivery.undeliverable,
      sweep.undeliverable,
      health.rolledBack,
    ];

    const widgets: readonly [title: string, metrics: readonly IMetric[]][] = [
      [
        'Requests',
        [
          api.stage.metricCount({ period }),
          api.stage.metricClientError({ period }),
          api.stage.metricServerError({ period }),
        ],
      ],
      ['Time to answer (ms, p99)', [api.stage.metricLatency({ period, statistic: 'p99' })]],
      ['Oldest waiting message (s)', work.map(({ queue }) => queue.metricApproximateAgeOfOldestMessage({ period }))],
      ['Oldest overdue (s)', [serviceMetric(this, 'OldestOverdueSeconds', { statistic: 'Maximum', period })]],
      ['Analysis (ms)', ['p50', 'p99'].map((statistic) => engine.function.metricDuration({ period, statistic }))],
      ['Events behind (ms)', [delivery.function.metric('IteratorAge', { period, statistic: 'Maximum' })]],
      [
        'Undeliverable messages',
        undeliverable.map((queue) => queue.metricApproximateNumberOfMessagesVisible({ period })),
      ],
      ['Errors by function', functions.map((each) => each.metricErrors({ period }))],
      ['Throttles by function', functions.map((each) => each.metricThrottles({ period }))],
    ];
    const dashboard = new Dashboard(this, 'dashboard', { defaultInterval: Duration.hours(3) });
    for (const [title, left] of widgets) {
      dashboard.addWidgets(new GraphWidget({ title, left: [...left], width: 12, height: 6 }));
    }
  }
}
