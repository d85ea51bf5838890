import { verdictText } from '../../shared/api/verifications.ts';
import type { StoredVersion } from '../../shared/domain/erasure.ts';
import type { Measurement } from '../../shared/domain/metric.ts';
import type { Landing, Pinned, ResultMessage, WebhookMessage } from '../../shared/domain/ports.ts';
import { registry } from '../../shared/providers/registry.ts';
import { memoryDeliveries } from '../simulation/deliveries.ts';
import { memoryEndpoints } from '../simulation/endpoints.ts';
import { memoryKeptEvents } from '../simulation/kept-events.ts';
import { memoryOutcomes } from '../simulation/outcomes.ts';
import { memorySightings } from '../simulation/sightings.ts';
import { memoryVerifications } from '../simulation/verifications.ts';
import { start } from './verification.ts';

/** A clock, a table in memory, and what the acts did to the rest of the world. */
export function setup() {
  let clock = start.getTime();
  let ids = 0;
  const now = () => new Date(clock);
  const sightings = memorySightings(now);
  const sent: [string, number][] = [];
  /** What lies in the bucket, as far as it was not removed. */
  const bucket: StoredVersion[] = [];
  /** What its listing says of rounds: what landed first in each place. */
  const landings: Landing[] = [];
  const removed: string[] = [];
  /** Verifications whose objects were looked for, to delete them all. */
  const erased: string[] = [];
  const measured: Measurement[] = [];
  const logged: string[] = [];
  const warned: string[] = [];
  const ordered: string[] = [];
  const webhooksSent: WebhookMessage[] = [];
  const webhooksDelayed: (WebhookMessage & { delaySeconds: number })[] = [];
  return {
    verifications: memoryVerifications({ now, newId: () => `id-${++ids}`, sightings }),
    sightings,
    captures: {
      exists: async (pinned: Pinned) => !removed.includes(pinned.versionId),
      removeVersion: async ({ versionId }: Pinned) => void removed.push(versionId),
      removeAll: async (id: string) => void erased.push(id),
      async stored(id: string) {
        erased.push(id);
        return { versions: bucket.filter(({ versionId }) => !removed.includes(versionId)), more: false };
      },
      oldest: async (verificationId: string, round: number) =>
        landings.filter((one) => one.verificationId === verificationId && one.round === round),
      removeVersions: async (_: string, versions: readonly StoredVersion[]) =>
        void removed.push(...versions.map(({ versionId }) => versionId)),
      keepsEtags: true,
    },
    registry,
    send: async (provider: string, { sequence }: { sequence: number }) => void sent.push([provider, sequence]),
    orders: {
      fetch: async (id: string) => void ordered.push(`fetch ${id}`),
      deliver: async ({ failedPosts }: ResultMessage, delaySeconds = 0) =>
        void ordered.push(`deliver after ${failedPosts} in ${delaySeconds} s`),
      giveUp: async ({ failedPosts }: ResultMessage) => void ordered.push(`give up after ${failedPosts}`),
    },
    endpoints: memoryEndpoints(now),
    keptEvents: memoryKeptEvents(now),
    outcomes: memoryOutcomes(),
    deliveries: memoryDeliveries(now),
    webhooks: {
      send: async (messages: readonly WebhookMessage[]) => void webhooksSent.push(...messages),
      sendLater: async (message: WebhookMessage, delaySeconds: number) =>
        void webhooksDelayed.push({ ...message, delaySeconds }),
    },
    verdictText,
    now,
    random: () => 0.5,
    remainingMilliseconds: () => 50_000,
    log: {
      info() {},
      warn: (event: string) => void warned.push(event),
      error: (event: string) => void logged.push(event),
    },
    measure: (measurement: Measurement) => void measured.push(measurement),
    sent,
    bucket,
    landings,
    removed,
    erased,
    measured,
    logged,
    warned,
    ordered,
    webhooksSent,
    webhooksDelayed,
    advance: (seconds: number) => {
      clock += seconds * 1000;
    },
  };
}
