import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { readSettings } from '../settings.ts';

/** Where a function or the API writes its lines: for a month and as long as the stack, or for a year whatever becomes of it. */
export class ServiceLogs extends LogGroup {
  constructor(scope: Construct, id: string) {
    const kept = readSettings(scope).stage === 'prod';
    super(scope, id, {
      retention: kept ? RetentionDays.ONE_YEAR : RetentionDays.ONE_MONTH,
      removalPolicy: kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }
}
