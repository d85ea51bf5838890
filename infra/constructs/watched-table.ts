import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type GlobalSecondaryIndexProps, Table } from 'aws-cdk-lib/aws-dynamodb';
import { ServiceAlarm } from './service-alarm.ts';

/** A table that says when DynamoDB refuses what is asked of it or of one of its indexes. */
export class WatchedTable extends Table {
  readonly #indexes: string[] = [];

  override addGlobalSecondaryIndex(props: GlobalSecondaryIndexProps): void {
    super.addGlobalSecondaryIndex(props);
    this.#indexes.push(props.indexName);
  }

  /**
   * Makes the alarm, once all indexes are there: an index that throttles holds up writes of the table. The SDK tries three
   * times, so a few refusals cost milliseconds. DynamoDB writes these metrics only where it refuses: `SUM` skips the others.
   */
  watch(hurt: string): void {
    const period = Duration.minutes(1);
    const places = [{ TableName: this.tableName }].concat(
      this.#indexes.map((index) => ({ TableName: this.tableName, GlobalSecondaryIndexName: index })),
    );
    const throttles = places.flatMap((dimensionsMap) =>
      ['ReadThrottleEvents', 'WriteThrottleEvents'].map(
        (metricName) => new Metric({ namespace: 'AWS/DynamoDB', metricName, dimensionsMap, statistic: 'Sum', period }),
      ),
    );
    const usingMetrics = Object.fromEntries(throttles.map((metric, index) => [`throttles${index}`, metric]));
    new ServiceAlarm(this, 'throttles', {
      hurt,
      runbook: 'table-throttles',
      metric: new MathExpression({
        expression: `SUM([${Object.keys(usingMetrics).join(', ')}])`,
        usingMetrics,
        period,
      }),
      threshold: 20,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
  }
}
