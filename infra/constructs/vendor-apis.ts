import { Construct } from 'constructs';
import type { Environment as ServeIdentify } from '../../functions/serve-identify/environment.ts';
import type { Environment as ServeOneSmartLab } from '../../functions/serve-onesmartlab/environment.ts';
import type { Environment as ServeSpoofSense } from '../../functions/serve-spoofsense/environment.ts';
import type { ApiFunctionName } from '../../shared/api/operations.ts';
import { readSettings } from '../settings.ts';
import type { CapturesBucket } from './captures-bucket.ts';
import type { Orders } from './orders.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import { type AnyServiceFunction, ServiceFunction } from './service-function.ts';

/** What the vendors' APIs work on. */
export interface VendorApisProps {
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
  readonly secrets: Secrets;
  readonly orders: Orders;
}

/** A function that answers calls of a vendor's API. */
export type VendorFunctionName = Exclude<Extract<ApiFunctionName, `serve-${string}`>, 'serve-pages'>;

/** As long as API Gateway waits for a function: an answer after 25 s, and the time to write it. */
const timeoutSeconds = 30;
/** A call of 6 MB is held four times over: as the event, its bytes, the part and the upload. */
const memoryMegabytes = 1024;

/** The vendors' own APIs, spoken by this deployment: an app written for one of them changes its host and its key. */
export class VendorApis extends Construct {
  readonly functions: Readonly<Record<VendorFunctionName, AnyServiceFunction>>;

  constructor(scope: Construct, id: string, props: VendorApisProps) {
    super(scope, id);
    this.functions = {
      'serve-spoofsense': this.#synchronous(
        'serve-spoofsense',
        'Apps written for SpoofSense get errors instead of verdicts.',
        props,
      ),
      'serve-onesmartlab': this.#synchronous(
        'serve-onesmartlab',
        'Apps written for One Smart Lab get errors instead of verdicts.',
        props,
      ),
      'serve-identify': this.#identify(props),
    };
  }

  /** Its callers are told that the request is taken, and the result at their webhook. */
  #identify({ records, secrets, orders }: VendorApisProps): ServiceFunction<ServeIdentify> {
    const serve = new ServiceFunction<ServeIdentify>(this, 'serve-identify', {
      timeoutSeconds, // many that take a tenant's credits at once go one by one
      memoryMegabytes,
      hurtWhenFailing: 'Apps written for Identify get errors: their requests are not taken.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ID_KEY_SECRET: secrets.idKey.secretArn,
        FETCHES_QUEUE: orders.fetches.queue.queueUrl,
      },
    });
    records.allowVerifications(serve, 'GetItem', 'PutItem');
    records.allowTenants(serve);
    records.allowCredits(serve);
    secrets.allowIdKey(serve);
    orders.allowFetching(serve);
    return serve;
  }

  /** One whose callers wait for the verdict: each holds an execution for as long, which `servedConcurrency` bounds. */
  #synchronous(
    name: VendorFunctionName,
    hurtWhenFailing: string,
    { records, captures, providers, secrets }: VendorApisProps,
  ): AnyServiceFunction {
    const { servedConcurrency } = readSettings(this);
    const environment: ServeSpoofSense & ServeOneSmartLab = {
      VERIFICATIONS_TABLE: records.verifications.tableName,
      TENANTS_TABLE: records.tenants.tableName,
      ID_KEY_SECRET: secrets.idKey.secretArn,
      CAPTURES_BUCKET: captures.bucketName,
      PROVIDER_QUEUES: providers.environment,
    };
    const serve = new ServiceFunction(this, name, {
      timeoutSeconds,
      memoryMegabytes,
      hurtWhenFailing,
      environment,
      ...(servedConcurrency !== undefined && { reservedConcurrency: servedConcurrency }),
    });
    records.allowVerifications(serve, 'GetItem', 'PutItem', 'UpdateItem');
    records.allowTenants(serve);
    secrets.allowIdKey(serve);
    captures.allowCaptures(serve, 'PutObject');
    providers.allowSending(serve);
    return serve;
  }
}
