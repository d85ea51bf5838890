import { Stack } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import type { Environment } from '../../functions/notice-capture/environment.ts';
import { acknowledge } from './acknowledge.ts';
import { type CapturesBucket, capturesPrefix } from './captures-bucket.ts';
import type { Encryption } from './encryption.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { Records } from './records.ts';
import { watchDelivery } from './service-alarm.ts';
import { ServiceFunction } from './service-function.ts';
import { WorkQueue } from './work-queue.ts';

/** What intake works on. */
export interface CaptureIntakeProps {
  readonly encryption: Encryption;
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
}

/**
 * Batches of ten at a time: several hundred captures a second, and few of the ten executions that a new account has.
 * Without a bound the queue's pollers go on asking where no execution is free, and each refusal counts as a receive.
 */
const concurrency = 4;

/**
 * As often as SQS allows: about 17 hours of no free execution at a minute each. A landing that is lost costs a person
 * the verdict, or the wait until the sweep looks in the bucket.
 */
const receives = 1000;

/** Notices captures as they land, and sends a verification on once all of its captures are in. */
export class CaptureIntake extends Construct {
  readonly work: WorkQueue;
  readonly function: ServiceFunction<Environment>;

  constructor(scope: Construct, id: string, { encryption, records, captures, providers }: CaptureIntakeProps) {
    super(scope, id);
    const timeoutSeconds = 10;
    this.work = new WorkQueue(this, 'captures', {
      encryption,
      consumerTimeoutSeconds: timeoutSeconds,
      hurtWhenUndeliverable:
        'People uploaded captures that are not noticed: their verdicts come only after the deadline for captures.',
      undeliverableRunbook: 'undeliverable-captures',
      hurtWhenLate: 'People who uploaded wait minutes for verification to begin: captures are noticed late.',
      lateAfterSeconds: 60,
      receives,
    });

    const rule = new Rule(this, 'landed', {
      description: 'A capture landed in the bucket',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [captures.bucketName] }, object: { key: [{ prefix: capturesPrefix }] } },
      },
      targets: [new SqsQueue(this.work.queue, { deadLetterQueue: this.work.undeliverable })],
    });
    watchDelivery(rule, 'People uploaded, and their captures are noticed late: the event did not reach the queue.');

    this.function = new ServiceFunction<Environment>(this, 'notice-capture', {
      timeoutSeconds,
      hurtWhenFailing:
        'People who uploaded wait for verification to begin: at the worst until their deadline, when the sweep looks.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        ...captures.erasing,
        ACCOUNT_ID: Stack.of(this).account,
        PROVIDER_QUEUES: providers.environment,
      },
    });
    this.function.addEventSource(
      new SqsEventSource(this.work.queue, {
        batchSize: 10,
        maxConcurrency: concurrency,
        reportBatchItemFailures: true,
      }),
    );
    acknowledge(
      this.function,
      'Serverless-LambdaEventSourceMappingDestination',
      'A mapping from SQS has no destination to give: the queue itself moves what failed a thousand times to its undeliverable queue.',
    );
    records.allowVerifications(this.function, 'GetItem', 'UpdateItem');
    captures.allowListing(this.function); // of an erased verification
    captures.allowDeleting(this.function);
    providers.allowSending(this.function);
  }
}
