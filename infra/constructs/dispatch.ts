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
 * are that provider's alone, so a slow or a broken one holds up and endangers no other.
 */
export class Dispatch extends Construct {
  constructor(scope: Construct, id: string, { records, captures, providers, secrets }: DispatchProps) {
    super(scope, id);
    const { vendorConcurrency } = readSettings(this);
    const dispatch = (provider: Capabilities): void => {
      const { name } = provider;
      const dispatcher = new ServiceFunction<Environment>(this, `dispatch-${name}`, {
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
      dispatcher.addEventSource(
        new SqsEventSource(providers.queueOf(name).queue, {
          batchSize: 1,
          reportBatchItemFailures: true,
          maxConcurrency: vendorConcurrency,
        }),
      );
      acknowledge(
        dispatcher,
        'Serverless-LambdaEventSourceMappingDestination',
        'A mapping from SQS has no destination to give: the queue itself moves what failed five times to its undeliverable queue.',
      );
      records.allowVerifications(dispatcher, 'GetItem', 'UpdateItem');
      if (!provider.ignoresCaptures) {
        captures.allowCaptures(dispatcher, 'GetObjectVersion');
        captures.allowKnowingWhatIsGone(dispatcher);
      }
      captures.allowDeleting(dispatcher); // of what is decided
      providers.allowSending(dispatcher);
      if (provider.answersBy === 'webhook') secrets.allowReference(dispatcher);
      if (provider.remote) {
        records.allowBreakers(dispatcher);
        secrets.allowCredentials(dispatcher, name);
      }
    };
    [...registry.values()].filter(({ consumer }) => consumer === 'dispatch-verification').forEach(dispatch);
  }
}
