import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { consumerTimeoutSeconds, registry } from '../../shared/providers/registry.ts';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';
import { WorkQueue } from './work-queue.ts';

/** One queue per provider of the registry: a slow one holds up no other. */
export class ProviderQueues extends Construct {
  /** By the provider's name. */
  readonly queues: ReadonlyMap<string, WorkQueue>;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
    const queues = [...registry.values()].map((provider) => {
      const { name } = provider;
      const queue = new WorkQueue(this, name, {
        encryption,
        consumerTimeoutSeconds: consumerTimeoutSeconds(provider),
        hurtWhenUndeliverable: `People whose captures are in get no verdict from ${name}: their verifications stay queued until sweep errs them.`,
        undeliverableRunbook: 'undeliverable-verifications',
        hurtWhenLate: `People wait minutes for a verdict: captures come in faster than ${name} takes them.`,
        lateAfterSeconds: 120,
      });
      return [name, queue] as const;
    });
    this.queues = new Map(queues);
  }

  /** The queue of this provider. */
  queueOf(name: string): WorkQueue {
    const queue = this.queues.get(name);
    if (!queue) throw new Error(`The registry has no provider ${name}`);
    return queue;
  }

  /** Provider name → queue URL, as JSON: what `PROVIDER_QUEUES` holds. */
  get environment(): string {
    const urls = [...this.queues].map(([name, { queue }]) => [name, queue.queueUrl]);
    return Stack.of(this).toJsonString(Object.fromEntries(urls));
  }

  /** Lets a function hand a verification to any provider: each may follow each in the route of a test tenant. */
  allowSending(serviceFunction: AnyServiceFunction): void {
    for (const { queue } of this.queues.values()) serviceFunction.allow(['sqs:SendMessage'], queue.queueArn);
  }
}
