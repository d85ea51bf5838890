import { Duration, Stack } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  ApiMapping,
  CfnStage,
  CorsHttpMethod,
  DomainName,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import type { Environment as Erase } from '../../functions/erase-verification/environment.ts';
import type { Environment as HandOff } from '../../functions/hand-off-capture/environment.ts';
import type { Environment as ReadReceipt } from '../../functions/read-receipt/environment.ts';
import type { Environment as Read } from '../../functions/read-verification/environment.ts';
import type { Environment as Receive } from '../../functions/receive-result/environment.ts';
import type { Environment as Request } from '../../functions/request-verification/environment.ts';
import type { Environment as Retry } from '../../functions/retry-verification/environment.ts';
import type { Environment as Review } from '../../functions/review-verification/environment.ts';
import type { Environment as ServePages } from '../../functions/serve-pages/environment.ts';
import { type ApiFunctionName, routes } from '../../shared/api/operations.ts';
import { pagesDirectory } from '../bundle.ts';
import { readSettings, type Settings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import type { CapturesBucket } from './captures-bucket.ts';
import type { Console } from './console.ts';
import type { ProviderQueues } from './provider-queues.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import { ServiceAlarm } from './service-alarm.ts';
import { type AnyServiceFunction, ServiceFunction } from './service-function.ts';
import { ServiceLogs } from './service-logs.ts';
import { percentage } from './service-metric.ts';
import type { VendorApis } from './vendor-apis.ts';
import type { Webhooks } from './webhooks.ts';

/** What the API works on. */
export interface PublicApiProps {
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly providers: ProviderQueues;
  readonly secrets: Secrets;
  /** The functions behind the routes that speak a vendor's words. */
  readonly vendorApis: VendorApis;
  /** The functions behind the routes about webhooks. */
  readonly webhooks: Webhooks;
  /** The functions that answer operators alone. */
  readonly console: Console;
}

/**
 * A person waits for these with a page open. A function's first second is spent loading code, and its share of a
 * processor grows with its memory. 1024 MB halves that second; the price is that a GET which waits for a verdict, a
 * second or two, is billed at twice the rate.
 */
const apiMemoryMegabytes = 1024;

/** The HTTP API integrators and capture pages call: the rows of `operations.ts`, each answered by its function. */
export class PublicApi extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;
  /** The host name of the operator's own, where there is one: DNS must lead it to what it names as its target. */
  readonly domain: DomainName | undefined;
  readonly functions: Readonly<Record<ApiFunctionName, AnyServiceFunction>>;

  constructor(scope: Construct, id: string, props: PublicApiProps) {
    super(scope, id);
    const { allowedOrigins, domain, publicUrl } = readSettings(this);
    const ours = {
      'request-verification': this.#requestVerification(props),
      'hand-off-capture': this.#handOffCapture(props),
      'read-verification': this.#readVerification(props),
      'erase-verification': this.#eraseVerification(props),
      'retry-verification': this.#retryVerification(props),
      'read-receipt': this.#readReceipt(props),
      'review-verification': this.#reviewVerification(props),
      'receive-result': this.#receiveResult(props),
      'serve-pages': this.#servePages(props),
    };
    this.functions = {
      ...ours,
      ...props.vendorApis.functions,
      ...props.webhooks.functions,
      ...props.console.functions,
    };
    // A new version finds what an old one made, not the other way round: what finds records is updated first.
    const { 'request-verification': makes, 'receive-result': _, 'serve-pages': __, ...find } = ours;
    for (const making of [makes, ...Object.values(props.vendorApis.functions)]) {
      making.node.addDependency(...Object.values(find));
    }
    this.api = new HttpApi(this, 'api', {
      apiName: Stack.of(this).stackName,
      description: 'Captures in, verdicts out',
      createDefaultStage: false,
      // Two addresses would be two origins: of a session, of the bucket's CORS rule, of what a firewall stands before.
      ...(domain && { disableExecuteApiEndpoint: true }),
      ...(allowedOrigins.length > 0 && {
        corsPreflight: {
          allowOrigins: [...allowedOrigins],
          allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.DELETE],
          // Pages carry client tokens. A tenant's key has no place in a browser, so x-api-key is not allowed there.
          allowHeaders: ['authorization', 'content-type', ...traceHeaders],
          exposeHeaders: ['retry-after'],
          maxAge: Duration.hours(1),
        },
      }),
    });
    const proxied = publicUrl === undefined ? [] : [publicUrl];
    props.captures.allowUploadsFrom(...(domain ? [this.url] : [this.url, ...proxied]));
    this.stage = this.#stage(this.#routes());
    this.domain = domain && this.#domain(domain);

    new ServiceAlarm(this, 'server-errors', {
      hurt: 'Integrators get errors that are ours: verifications are not begun, read or erased.',
      runbook: 'api-server-errors',
      metric: percentage({
        part: this.stage.metricServerError({ period: Duration.minutes(1), statistic: 'Sum' }),
        whole: this.stage.metricCount({ period: Duration.minutes(1), statistic: 'Sum' }),
        least: 5,
      }),
      threshold: 5,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
  }

  /** Where callers reach the API itself: what an operator gives to integrators, and to vendors for their webhooks. */
  get url(): string {
    const { domain } = readSettings(this);
    return domain ? `https://${domain.name}` : this.api.apiEndpoint;
  }

  #domain({ name, certificateArn }: NonNullable<Settings['domain']>): DomainName {
    const domain = new DomainName(this, 'domain', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'certificate', certificateArn),
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    new ApiMapping(this, 'mapping', { api: this.api, domainName: domain, stage: this.stage });
    return domain;
  }

  #requestVerification({ records, captures, secrets }: PublicApiProps): AnyServiceFunction {
    const request = new ServiceFunction<Request>(this, 'request-verification', {
      memoryMegabytes: apiMemoryMegabytes,
      hurtWhenFailing: 'People cannot begin a verification: integrators get errors instead of upload URLs.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ...this.#idEnvironment(secrets),
        CAPTURES_BUCKET: captures.bucketName,
        CLIENT_TOKEN_SECRET: secrets.clientToken.secretArn,
        PUBLIC_URL: readSettings(this).publicUrl ?? '',
      },
    });
    records.allowVerifications(request, 'GetItem', 'PutItem', 'UpdateItem');
    records.allowIndex(request, 'by_failed_subject');
    records.allowTenants(request);
    secrets.allowIdKey(request);
    captures.allowCaptures(request, 'PutObject'); // what it signs, not what it does
    secrets.allowClientToken(request);
    return request;
  }

  #handOffCapture({ records, secrets }: PublicApiProps): AnyServiceFunction {
    const handOff = new ServiceFunction<HandOff>(this, 'hand-off-capture', {
      memoryMegabytes: apiMemoryMegabytes,
      hurtWhenFailing: 'People whose first device has no camera cannot go on with their phone.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ...this.#idEnvironment(secrets),
        CLIENT_TOKEN_SECRET: secrets.clientToken.secretArn,
        PUBLIC_URL: readSettings(this).publicUrl ?? '',
      },
    });
    records.allowVerifications(handOff, 'GetItem', 'UpdateItem');
    records.allowTenants(handOff);
    secrets.allowIdKey(handOff);
    secrets.allowClientToken(handOff);
    return handOff;
  }

  #readVerification({ records, secrets }: PublicApiProps): AnyServiceFunction {
    const { maximumWaitSeconds } = readSettings(this);
    const read = new ServiceFunction<Read>(this, 'read-verification', {
      memoryMegabytes: apiMemoryMegabytes,
      timeoutSeconds: maximumWaitSeconds + 5,
      hurtWhenFailing: 'Integrators and pages cannot see verdicts that were made.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ...this.#idEnvironment(secrets),
        CLIENT_TOKEN_SECRET: secrets.clientToken.secretArn,
        MAXIMUM_WAIT_SECONDS: String(maximumWaitSeconds),
      },
    });
    records.allowVerifications(read, 'GetItem');
    records.allowIndex(read, 'by_state');
    records.allowTenants(read);
    secrets.allowIdKey(read);
    secrets.allowClientToken(read);
    return read;
  }

  #eraseVerification({ records, captures, secrets }: PublicApiProps): AnyServiceFunction {
    const erase = new ServiceFunction<Erase>(this, 'erase-verification', {
      memoryMegabytes: apiMemoryMegabytes,
      hurtWhenFailing: 'People who asked to be forgotten are not: erasures fail or stay unfinished.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ...this.#idEnvironment(secrets),
        PUBLIC_URL: readSettings(this).publicUrl ?? '',
        SIGHTINGS_TABLE: records.sightings.tableName,
        EVENTS_TABLE: records.events.tableName,
        ...captures.erasing,
      },
    });
    records.allowVerifications(erase, 'GetItem', 'UpdateItem');
    records.allowSightings(erase, 'DeleteItem');
    records.allowEvents(erase, 'UpdateItem');
    records.allowTenants(erase);
    secrets.allowIdKey(erase);
    captures.allowListing(erase);
    captures.allowDeleting(erase);
    return erase;
  }

  #retryVerification({ records, captures, providers, secrets }: PublicApiProps): AnyServiceFunction {
    const retry = new ServiceFunction<Retry>(this, 'retry-verification', {
      memoryMegabytes: apiMemoryMegabytes,
      hurtWhenFailing: 'Integrators cannot retry what errored: those people must begin again.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ...this.#idEnvironment(secrets),
        PUBLIC_URL: readSettings(this).publicUrl ?? '',
        CAPTURES_BUCKET: captures.bucketName,
        PROVIDER_QUEUES: providers.environment,
      },
    });
    records.allowVerifications(retry, 'GetItem', 'UpdateItem');
    records.allowTenants(retry);
    secrets.allowIdKey(retry);
    captures.allowCaptures(retry, 'GetObjectVersion');
    captures.allowKnowingWhatIsGone(retry);
    providers.allowSending(retry);
    return retry;
  }

  #readReceipt({ records, secrets }: PublicApiProps): AnyServiceFunction {
    const receipt = new ServiceFunction<ReadReceipt>(this, 'read-receipt', {
      hurtWhenFailing: 'Integrators cannot prove that a person was forgotten: receipts of erasures are not signed.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ...this.#idEnvironment(secrets),
        RECEIPT_SECRET: secrets.receipt.secretArn,
      },
    });
    records.allowVerifications(receipt, 'GetItem');
    records.allowTenants(receipt);
    records.allowReceiptKeys(receipt);
    secrets.allowIdKey(receipt);
    secrets.allowReceipt(receipt);
    return receipt;
  }

  #reviewVerification({ records, secrets }: PublicApiProps): AnyServiceFunction {
    const review = new ServiceFunction<Review>(this, 'review-verification', {
      memoryMegabytes: apiMemoryMegabytes,
      hurtWhenFailing: 'Reviewers cannot put a verdict right: the one they disagree with goes on counting.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ...this.#idEnvironment(secrets),
        PUBLIC_URL: readSettings(this).publicUrl ?? '',
      },
    });
    records.allowVerifications(review, 'GetItem', 'UpdateItem');
    records.allowTenants(review);
    secrets.allowIdKey(review);
    return review;
  }

  /** What a function reads that starts from a source_id. */
  #idEnvironment({ idKey }: Secrets): { ID_KEY_SECRET: string; LEGACY_IDS: 'true' | 'false' } {
    return { ID_KEY_SECRET: idKey.secretArn, LEGACY_IDS: `${readSettings(this).legacyIds}` };
  }

  #receiveResult({ records, captures, providers, secrets }: PublicApiProps): AnyServiceFunction {
    const receive = new ServiceFunction<Receive>(this, 'receive-result', {
      hurtWhenFailing: 'People wait for verdicts that vendors have sent: webhooks are answered with errors.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        CAPTURES_BUCKET: captures.bucketName,
        REFERENCE_SECRET: secrets.reference.secretArn,
        PROVIDER_QUEUES: providers.environment,
      },
    });
    records.allowVerifications(receive, 'GetItem', 'UpdateItem');
    records.allowTenants(receive);
    captures.allowDeleting(receive);
    providers.allowSending(receive);
    secrets.allowReference(receive);
    return receive;
  }

  /** Pages are told the bucket, the bucket is told the API, and the API nothing of either: no cycle. */
  #servePages({ records, captures }: PublicApiProps): AnyServiceFunction {
    const serve = new ServiceFunction<ServePages>(this, 'serve-pages', {
      memoryMegabytes: apiMemoryMegabytes,
      hurtWhenFailing: 'People cannot open the capture page, nor operators the console.',
      environment: {
        TENANTS_TABLE: records.tenants.tableName,
        CAPTURES_ORIGIN: captures.origin,
        PAGES: pagesDirectory,
      },
    });
    records.allowTenants(serve);
    return serve;
  }

  #routes(): readonly HttpRoute[] {
    const integrations = new Map<ApiFunctionName, HttpLambdaIntegration>();
    return routes.map((route) => {
      const integration =
        integrations.get(route.function) ??
        new HttpLambdaIntegration(route.function, this.functions[route.function].live);
      integrations.set(route.function, integration);
      const added = new HttpRoute(this, route.key, {
        httpApi: this.api,
        routeKey: HttpRouteKey.with(route.path, HttpMethod[route.method]),
        integration,
      });
      acknowledge(
        added,
        'AwsSolutions-APIG4',
        'Every function checks the tenant’s key, the client token or the operator’s cookie itself, before anything else, in the same lookup that gives it the tenant: an authorizer would be a second invocation and a second read for the same answer.',
      );
      return added;
    });
  }

  #stage(added: readonly HttpRoute[]): HttpStage {
    const { throttle, routeThrottles } = readSettings(this);
    const logGroup = new ServiceLogs(this, 'access-logs');
    const stage = new HttpStage(this, 'stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: throttle.rate, burstLimit: throttle.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(logGroup), format: accessLogFormat },
    });
    const resource = stage.node.defaultChild;
    if (!(resource instanceof CfnStage)) throw new Error('A stage is made of a stage.');
    resource.routeSettings = Object.fromEntries(
      [...routeThrottles].map(([key, { rate, burst }]) => [
        key,
        { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
      ]),
    );
    // API Gateway refuses settings for routes it has not got yet.
    stage.node.addDependency(...added);
    return stage;
  }
}

/** What tracers of pages and upload widgets add to every request of their page. */
const traceHeaders = [
  'b3',
  'baggage',
  'cache-control',
  'elastic-apm-traceparent',
  'newrelic',
  'request-id',
  'sentry-trace',
  'traceparent',
  'tracestate',
  'uber-trace-id',
  'x-amzn-trace-id',
  'x-b3-flags',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-cloud-trace-context',
  'x-correlation-id',
  'x-datadog-origin',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'x-datadog-tags',
  'x-datadog-trace-id',
  'x-request-id',
  'x-requested-with',
];

/** The route, never the path, the query or the address: a source_id may name a person, and so may an address. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    time: '$context.requestTime',
    request: '$context.requestId',
    route: '$context.routeKey',
    status: '$context.status',
    milliseconds: '$context.responseLatency',
    functionMilliseconds: '$context.integrationLatency',
    responseBytes: '$context.responseLength',
    error: '$context.error.messageString',
  }),
);
