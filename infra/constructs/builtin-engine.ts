import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import { allocator, type Environment } from '../../functions/analyse-capture/environment.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { consumerTimeoutSeconds } from '../../shared/providers/registry.ts';
import { readSettings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import type { CapturesBucket } from './captures-bucket.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import { ServiceFunction } from './service-function.ts';

/** What the engine works on. */
export interface BuiltinEngineProps {
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
  readonly secrets: Secrets;
}

/** Looks at captures itself: the only function that carries models, fed by its own queue. */
export class BuiltinEngine extends Construct {
  readonly function: ServiceFunction<Environment>;

  constructor(scope: Construct, id: string, { records, captures, providers, secrets }: BuiltinEngineProps) {
    super(scope, id);
    const { engineConcurrency, engineMemoryMegabytes } = readSettings(this);
    this.function = new ServiceFunction<Environment>(this, 'analyse-capture', {
      timeoutSeconds: consumerTimeoutSeconds(builtin),
      memoryMegabytes: engineMemoryMegabytes,
      hurtWhenFailing:
        'People whose captures are in wait for a second attempt, and get no verdict when that fails too.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        SIGHTINGS_TABLE: records.sightings.tableName,
        FINGERPRINT_KEY_SECRET: secrets.fingerprintKey.secretArn,
        CAPTURES_BUCKET: captures.bucketName,
        PROVIDER_QUEUES: providers.environment,
        MODELS: 'models',
        ...allocator,
      },
    });
    // Concurrency is bounded at the queue: reserving it fails the first deployment of a new account, which has 10.
    this.function.addEventSource(
      new SqsEventSource(providers.queueOf(builtin.name).queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: engineConcurrency,
      }),
    );
    acknowledge(
      this.function,
      'Serverless-LambdaEventSourceMappingDestination',
      'A mapping from SQS has no destination to give: the queue itself moves what failed five times to its undeliverable queue.',
    );
    records.allowVerifications(this.function, 'GetItem', 'UpdateItem');
    records.allowSightings(this.function, 'BatchGetItem', 'PutItem');
    secrets.allowFingerprintKey(this.function);
    captures.allowCaptures(this.function, 'GetObjectVersion');
    captures.allowDeleting(this.function);
    captures.allowKnowingWhatIsGone(this.function);
    providers.allowSending(this.function);
  }
}
