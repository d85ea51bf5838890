import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * Timeout of the function that reads each provider's queue: the provider's own (its `capabilities.ts`),
 * 15 s of lease to record the answer, and 15 s more, so that a claim is never alive in a function that is not.
 */
export const providerTimeoutSeconds = {
  builtin: 60 + 15 + 15,
  identify: 10 + 15 + 15,
  spoofsense: 15 + 15 + 15,
  onesmartlab: 120 + 15 + 15,
  sandbox: 20 + 15 + 15,
} as const;

export type ProviderName = keyof typeof providerTimeoutSeconds;

/** One queue per provider: a slow one holds up nobody but its own. */
export class ProviderQueues extends Construct {
  readonly queues: Readonly<Record<ProviderName, WorkQueue>>;
  readonly #encryption: Encryption;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
    this.#encryption = encryption;
    const queue = (name: ProviderName): WorkQueue =>
      new WorkQueue(this, name, {
        encryption,
        consumerTimeoutSeconds: providerTimeoutSeconds[name],
        hurtWhenUndeliverable: `People whose captures are in get no verdict from ${name}: their verifications stay queued until sweep errs them.`,
        undeliverableRunbook: 'undeliverable-verifications',
        hurtWhenLate: `People wait minutes for a verdict: captures come in faster than ${name} takes them.`,
        lateAfterSeconds: 120,
      });
    this.queues = {
      builtin: queue('builtin'),
      identify: queue('identify'),
      spoofsense: queue('spoofsense'),
      onesmartlab: queue('onesmartlab'),
      sandbox: queue('sandbox'),
    };
  }

  /** Provider name → queue URL, as JSON: what `PROVIDER_QUEUES` holds. */
  get environment(): string {
    const urls = Object.entries(this.queues).map(([name, { queue }]) => [name, queue.queueUrl]);
    return Stack.of(this).toJsonString(Object.fromEntries(urls));
  }

  /** Lets a function hand a verification to any provider. */
  allowSending(serviceFunction: AnyServiceFunction): void {
    for (const { queue } of Object.values(this.queues)) {
      serviceFunction.allow(['sqs:SendMessage'], queue.queueArn);
    }
    this.#encryption.allowUse(serviceFunction);
  }
}
