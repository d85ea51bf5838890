import { Construct } from 'constructs';
import type { Environment as ManageEndpoints } from '../../functions/manage-endpoints/environment.ts';
import type { ApiFunctionName } from '../../shared/api/operations.ts';
import { readSettings } from '../settings.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import { type AnyServiceFunction, ServiceFunction } from './service-function.ts';

/** What webhooks work on. */
export interface WebhooksProps {
  readonly records: Records;
  readonly secrets: Secrets;
}

/** A function that answers calls about webhooks. */
export type WebhookFunctionName = Extract<ApiFunctionName, 'manage-endpoints'>;

/** A test waits 15 s for an endpoint, and then answers. */
const manageTimeoutSeconds = 20;

/** Addresses of tenants that are told what becomes of their verifications. */
export class Webhooks extends Construct {
  readonly functions: Readonly<Record<WebhookFunctionName, AnyServiceFunction>>;

  constructor(scope: Construct, id: string, props: WebhooksProps) {
    super(scope, id);
    this.functions = { 'manage-endpoints': this.#manageEndpoints(props) };
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
}
