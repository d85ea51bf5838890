import { Construct } from 'constructs';
import type { Environment as ManageEndpoints } from '../../functions/manage-endpoints/environment.ts';
import type { Environment as ReadDeliveries } from '../../functions/read-deliveries/environment.ts';
import type { Environment as SendAgain } from '../../functions/send-again/environment.ts';
import type { ApiFunctionName } from '../../shared/api/operations.ts';
import { readSettings } from '../settings.ts';
import type { Orders } from './orders.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import { type AnyServiceFunction, ServiceFunction } from './service-function.ts';

/** What webhooks work on. */
export interface WebhooksProps {
  readonly records: Records;
  readonly secrets: Secrets;
  /** The queues that resends and replays go to. */
  readonly orders: Orders;
}

/** A function that answers calls about webhooks. */
export type WebhookFunctionName = Extract<ApiFunctionName, 'manage-endpoints' | 'read-deliveries' | 'send-again'>;

/** A test waits 15 s for an endpoint, and then answers. */
const manageTimeoutSeconds = 20;

/** Addresses of tenants that are told what becomes of their verifications. */
export class Webhooks extends Construct {
  readonly functions: Readonly<Record<WebhookFunctionName, AnyServiceFunction>>;

  constructor(scope: Construct, id: string, props: WebhooksProps) {
    super(scope, id);
    this.functions = {
      'manage-endpoints': this.#manageEndpoints(props),
      'read-deliveries': this.#readDeliveries(props),
      'send-again': this.#sendAgain(props),
    };
  }

  #manageEndpoints({ records, secrets }: WebhooksProps): AnyServiceFunction {
    const manage = new ServiceFunction<ManageEndpoints>(this, 'manage-endpoints', {
      timeoutSeconds: manageTimeoutSeconds,
      hurtWhenFailing: 'Integrators cannot see, change or test the endpoints of their webhooks. Sending goes on.',
      environment: {
        TENANTS_TABLE: records.tenants.tableName,
        ENDPOINT_KEY_SECRET: secrets.endpointKey.secretArn,
        LOOPBACK: `${readSettings(this).loopback}`,
      },
    });
    records.allowTenants(manage);
    records.allowEndpoints(manage);
    secrets.allowEndpointKey(manage);
    return manage;
  }

  #readDeliveries({ records, secrets }: WebhooksProps): AnyServiceFunction {
    const read = new ServiceFunction<ReadDeliveries>(this, 'read-deliveries', {
      hurtWhenFailing: 'Integrators do not see what became of their events, and programs without an address read none.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        EVENTS_TABLE: records.events.tableName,
        DELIVERIES_TABLE: records.deliveries.tableName,
        ID_KEY_SECRET: secrets.idKey.secretArn,
        LEGACY_IDS: `${readSettings(this).legacyIds}`,
      },
    });
    records.allowVerifications(read, 'GetItem');
    records.allowTenants(read);
    records.allowEndpoints(read); // that the tenant reads events
    records.allowEvents(read, 'GetItem');
    records.allowListingEvents(read);
    records.allowDeliveries(read, 'GetItem', 'Query', 'BatchGetItem');
    records.allowDeliveriesIndex(read, 'by_endpoint');
    records.allowDeliveriesIndex(read, 'by_state');
    secrets.allowIdKey(read);
    return read;
  }

  #sendAgain({ records, orders }: WebhooksProps): AnyServiceFunction {
    const send = new ServiceFunction<SendAgain>(this, 'send-again', {
      hurtWhenFailing: 'Integrators cannot have events sent again to a server that missed them.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        EVENTS_TABLE: records.events.tableName,
        DELIVERIES_TABLE: records.deliveries.tableName,
        DELIVERIES_QUEUE: orders.deliveries.queue.queueUrl,
        WEBHOOKS_QUEUE: orders.webhooks.queue.queueUrl,
      },
    });
    records.allowVerifications(send, 'GetItem');
    records.allowTenants(send);
    records.allowEndpoints(send);
    records.allowEvents(send, 'GetItem');
    records.allowDeliveries(send, 'GetItem');
    orders.allowDelivering(send);
    orders.allowSendingWebhooks(send);
    return send;
  }
}
