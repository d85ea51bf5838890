import { announceChanges, type Change } from '../../functions/announce-event/announce.ts';
import { noticeCapture } from '../../functions/notice-capture/notice.ts';
import { waitForRest } from '../../functions/read-verification/read.ts';
import { receiveResult } from '../../functions/receive-result/receive.ts';
import { requestCaptures, requestVerification } from '../../functions/request-verification/request.ts';
import { retryVerification } from '../../functions/retry-verification/retry.ts';
import { sweepVerifications } from '../../functions/sweep-verifications/sweep.ts';
import type { VerificationRequest } from '../../shared/api/verifications.ts';
import type { Event } from '../../shared/domain/event.ts';
import { signReference } from '../../shared/domain/reference.ts';
import { attemptVerification } from '../../shared/lifecycle/attempt.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { breakerGate } from '../../shared/lifecycle/gate.ts';
import type { Delivery as Answered, Capabilities, Provider } from '../../shared/providers/provider.ts';
import { leaseMarginSeconds } from '../../shared/providers/registry.ts';
import type { Breakers } from '../../shared/stores/breakers.ts';
import type { Captures } from '../../shared/stores/captures.ts';
import type { Send } from '../../shared/stores/queues.ts';
import type { Tenant } from '../../shared/stores/tenants/row.ts';
import { found, type Verifications } from '../../shared/stores/verifications.ts';
import { clientTokenSecret, idOf, referenceSecret } from '../builders/deployment.ts';

/** What the verbs are connected to. */
export interface Surroundings {
  readonly verifications: Verifications;
  readonly captures: Captures;
  readonly breakers: Breakers;
  readonly send: Send;
  readonly tenant: Tenant;
  /** Every provider, by name. */
  readonly registry: Readonly<Record<string, Capabilities>>;
  readonly deploymentCredentials: Readonly<Record<string, string>>;
  readonly submit: (
    provider: Capabilities,
    ...submission: Parameters<Provider['submit']>
  ) => ReturnType<Provider['submit']>;
  readonly readWebhook: (body: string) => Answered | undefined;
  readonly putEvents: (events: Event[]) => Promise<number[]>;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly newId: () => string;
  /** 0 ≤ n < 1 */
  readonly fraction: () => number;
  readonly randomBelow: (limit: number) => number;
  readonly log: {
    info(event: string): void;
    warn(event: string): void;
    error(event: string, error: unknown): void;
    count(): void;
  };
}

/** The token in the address of a tenant's webhook. Any other is a forger's. */
export const genuineToken = 'genuine';

/** Every verb of the product, connected to a world in memory: the only place that knows what each is called with. */
export function acts(world: Surroundings) {
  const { verifications, captures, breakers, send, tenant, registry, now, newId, log } = world;
  const tenants = {
    deploymentCredentials: async () => world.deploymentCredentials,
    ofWebhook: async (_provider: string, token: string) => (token === genuineToken ? tenant : undefined),
  };
  const requesting = {
    verifications,
    uploads: {
      presign: async () => ({ put: { url: 'https://put', headers: {} }, post: { url: 'https://post', fields: {} } }),
    },
    registry,
    tenants,
    clientTokenSecret: async () => clientTokenSecret,
    now,
    newId,
    randomBelow: world.randomBelow,
  };
  const counts = new Map<string, number>();
  const read = (source: string) => verifications.find(idOf(source));

  return {
    request: (source: string, check: VerificationRequest['check'], declared: VerificationRequest['captures']) =>
      requestVerification({ source_id: source, check, captures: declared }, tenant, requesting),

    /** The next round, with other content types where some are given. */
    reopen: async (source: string, declared?: VerificationRequest['captures']) =>
      requestCaptures(await read(source), declared, requesting),

    retry: async (source: string) => retryVerification(await read(source), { verifications, captures, send, now }),

    erase: async (source: string) => eraseVerification(found(await read(source)), { verifications, captures, now }),

    /** A read that waits until the verification rests. */
    wait: async (source: string, seconds: number) =>
      waitForRest(found(await read(source)), seconds, { verifications, now, sleep: world.sleep }),

    /** The bucket's event of an upload, as S3 words it. */
    notice: (body: string) => noticeCapture(body, { verifications, captures, send, now, log }),

    /** A message of a provider's queue. */
    attempt: (provider: Capabilities, work: { verificationId: string; sequence: number }) =>
      attemptVerification(
        { verification_id: work.verificationId, sequence: work.sequence },
        {
          verifications,
          captures,
          provider,
          open: async () => ({ submit: (submission) => world.submit(provider, submission) }),
          gate: ({ check }) =>
            breakerGate(provider.name, provider.timeoutSeconds[check] + leaseMarginSeconds, { breakers, counts, now }),
          reference: async (verificationId, attempt) => signReference(referenceSecret, verificationId, attempt),
          send,
          now,
          random: world.fraction,
          log,
        },
      ),

    /** A provider's webhook. */
    receive: (webhook: { provider: string; token: string; body: string }) =>
      receiveResult(webhook, {
        tenants,
        verifications,
        captures,
        send,
        readers: { [webhook.provider]: world.readWebhook },
        referenceSecret: async () => referenceSecret,
        now,
      }),

    sweep: () => sweepVerifications({ verifications, captures, send, now, log }),

    /** A batch of the table's stream. */
    announce: (batch: readonly Change[]) => announceChanges(batch, { put: world.putEvents, log }),
  };
}
