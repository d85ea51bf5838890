import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { BuiltinEngine } from './constructs/builtin-engine.ts';
import { CaptureIntake } from './constructs/capture-intake.ts';
import { CapturesBucket } from './constructs/captures-bucket.ts';
import { Console } from './constructs/console.ts';
import { Dispatch } from './constructs/dispatch.ts';
import { Encryption } from './constructs/encryption.ts';
import { Health } from './constructs/health.ts';
import { Orders } from './constructs/orders.ts';
import { Overview } from './constructs/overview.ts';
import { boundRoles, ofStage } from './constructs/production.ts';
import { ProviderQueues } from './constructs/provider-queues.ts';
import { PublicApi } from './constructs/public-api.ts';
import { Records } from './constructs/records.ts';
import { ResultDelivery } from './constructs/result-delivery.ts';
import { Secrets } from './constructs/secrets.ts';
import { Sweep } from './constructs/sweep.ts';
import { VendorApis } from './constructs/vendor-apis.ts';
import { Webhooks } from './constructs/webhooks.ts';
import type { WorkQueue } from './constructs/work-queue.ts';

/** The whole service. Read it as a table of contents. */
export class VerificationStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, { ...props, ...ofStage(scope) });

    const encryption = new Encryption(this, 'encryption');
    const records = new Records(this, 'records', { encryption });
    const captures = new CapturesBucket(this, 'captures', { encryption });
    const secrets = new Secrets(this, 'secrets', { encryption });
    const providers = new ProviderQueues(this, 'providers', { encryption });

    const orders = new Orders(this, 'orders', { encryption, records, captures, providers, secrets });
    const vendorApis = new VendorApis(this, 'vendor-apis', { records, captures, providers, secrets, orders });
    const webhooks = new Webhooks(this, 'webhooks', { records, secrets, orders });
    const operators = new Console(this, 'console', { records, captures, secrets });
    const api = new PublicApi(this, 'public-api', {
      ...{ records, captures, providers, secrets },
      ...{ vendorApis, webhooks, console: operators },
    });
    const intake = new CaptureIntake(this, 'capture-intake', { encryption, records, captures, providers });
    new Dispatch(this, 'dispatch', { records, captures, providers, secrets });
    const engine = new BuiltinEngine(this, 'builtin-engine', { records, captures, providers, secrets });
    const delivery = new ResultDelivery(this, 'result-delivery', { encryption, records, orders });
    const sweep = new Sweep(this, 'sweep', { encryption, records, captures, providers, orders });
    const health = new Health(this, 'health', { encryption });
    new Overview(this, 'overview', { api, intake, providers, engine, delivery, sweep, orders, health });
    encryption.allowUse();
    boundRoles(this);

    new CfnOutput(this, 'ApiUrl', { value: api.url });
    if (api.domain) {
      new CfnOutput(this, 'DomainTarget', { value: api.domain.regionalDomainName });
      new CfnOutput(this, 'DomainTargetZone', { value: api.domain.regionalHostedZoneId });
    }
    new CfnOutput(this, 'CapturesBucket', { value: captures.bucketName });
    new CfnOutput(this, 'VerificationsTable', { value: records.verifications.tableName });
    new CfnOutput(this, 'TenantsTable', { value: records.tenants.tableName });
    new CfnOutput(this, 'EventsTable', { value: records.events.tableName });
    new CfnOutput(this, 'DeliveriesTable', { value: records.deliveries.tableName });
    new CfnOutput(this, 'LooksTable', { value: records.looks.tableName });
    new CfnOutput(this, 'IdKeySecret', { value: secrets.idKey.secretArn });
    new CfnOutput(this, 'EndpointKeySecret', { value: secrets.endpointKey.secretArn });
    new CfnOutput(this, 'ClientTokenSecret', { value: secrets.clientToken.secretArn });
    new CfnOutput(this, 'ReferenceSecret', { value: secrets.reference.secretArn });
    new CfnOutput(this, 'FingerprintKeySecret', { value: secrets.fingerprintKey.secretArn });
    new CfnOutput(this, 'ReceiptSecret', { value: secrets.receipt.secretArn });
    new CfnOutput(this, 'EventBusName', { value: delivery.bus.eventBusName });
    new CfnOutput(this, 'BreakersTable', { value: records.breakers.tableName });
    const { fetches, deliveries: results, webhooks: sending } = orders;
    this.#tellQueues({
      captures: intake.work,
      ...Object.fromEntries(providers.queues),
      fetches,
      results,
      webhooks: sending,
    });
  }

  /** Where `npm run admin -- redrive` finds the messages that could not be delivered, and where they belong. */
  #tellQueues(queues: Readonly<Record<string, WorkQueue>>): void {
    for (const [name, { queue, undeliverable }] of Object.entries(queues)) {
      const urls = { name, queue: queue.queueUrl, undeliverable: undeliverable.queueUrl };
      const id = `Queue${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      new CfnOutput(this, id, { value: this.toJsonString(urls) });
    }
  }
}
