import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import type { Environment } from '../../functions/dispatch-verification/environment.ts';
import type { Capabilities } from '../../shared/providers/provider.ts';
import { consumerTimeoutSeconds, registry } from '../../shared/providers/registry.ts';
import { readSettings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import type { CapturesBucket } from './captures-bucket.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import { ServiceFunction } from './service-function.ts';

/** What dispatching works on. */
export interface DispatchProps {
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
  readonly secrets: Secrets;
}

/**
 * Asks every provider whose queue `dispatch-verification` consumes. One function per provider, of the same code: its timeout, its concurrency and the secrets it may read
 * are that provider's alone, so a slow or a broken one holds up and endangers nobody else.
 */
export class Dispatch extends Construct {
  readonly functions: readonly ServiceFunction<Environment>[];

  constructor(scope: Construct, id: string, { records, captures, providers, secrets }: DispatchProps) {
    super(scope, id);
    const { vendorConcurrency } = readSettings(this);
    const dispatcher = (provider: Capabilities): ServiceFunction<Environment> => {
      const { name } = provider;
      const dispatch = new ServiceFunction<Environment>(this, `dispatch-${name}`, {
        folder: 'dispatch-verification',
        timeoutSeconds: consumerTimeoutSeconds(provider),
        hurtWhenFailing: `People whose captures go to ${name} wait for a second attempt or another provider.`,
        environment: {
          PROVIDER: name,
          VERIFICATIONS_TABLE: records.verifications.tableName,
          BREAKERS_TABLE: records.breakers.tableName,
          CAPTURES_BUCKET: captures.bucketName,
          REFERENCE_SECRET: secrets.reference.secretArn,
          PROVIDER_QUEUES: providers.environment,
        },
      });
      dispatch.addEventSource(
        new SqsEventSource(providers.queueOf(name).queue, {
          batchSize: 1,
          reportBatchItemFailures: true,
          maxConcurrency: vendorConcurrency,
        }),
      );
      acknowledge(
        dispatch,
        'Serverless-LambdaEventSourceMappingDestination',
        'A mapping from SQS has no destination to give: the queue itself moves what failed five times to its undeliverable queue.',
      );
      records.allowVerifications(dispatch, 'GetItem', 'UpdateItem');
      records.allowBreakers(dispatch);
      captures.allowCaptures(dispatch, 'GetObject', 'GetObjectVersion');
      captures.allowDeleting(dispatch);
      captures.allowKnowingWhatIsGone(dispatch);
      providers.allowSending(dispatch);
      if (provider.answersBy === 'webhook') secrets.allowReference(dispatch);
      if (provider.remote) secrets.allowCredentials(dispatch, name);
      return dispatch;
    };
    this.functions = [...registry.values()]
      .filter(({ consumer }) => consumer === 'dispatch-verification')
      .map(dispatcher);
  }
}
