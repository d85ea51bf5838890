import { type Check, type ContentType, imageTypes, videoTypes } from '../../shared/domain/captures.ts';
import type { Endpoint } from '../../shared/domain/endpoint.ts';
import type { Capabilities } from '../../shared/providers/provider.ts';
import type { Random } from './random.ts';

/** A simulated provider: `webhook` ones answer `accepted`, and the rest later. */
export interface SimulatedProvider extends Capabilities {
  readonly answersBy: 'response' | 'webhook';
}

/** What kind of world a run is played in. Runs differ most where these do: calm ones, broken vendors, a lossy network. */
export interface Circumstances {
  readonly check: Check;
  readonly route: readonly SimulatedProvider[];
  /** `u-1`, `u-2`: they share the providers and their breakers. */
  readonly subjects: readonly string[];
  readonly contentType: 'jpeg' | 'webp';
  readonly keepCaptures: boolean;
  readonly ownCredentials: boolean;
  readonly capturesSeconds: number;
  /** The first provider's breaker is open when the run begins, for so many seconds: others have had faults before. */
  readonly openSeconds: number | undefined;
  /** How many things happen before the run is drained. */
  readonly ticks: number;
  /** Of a process at one side of one await: that it lets another go first, dies, or stalls. */
  readonly standing: number;
  readonly killing: number;
  readonly stalling: number;
  /** Of a message: that it comes twice, or never. */
  readonly doubling: number;
  readonly losing: number;
  /** Of the clock, at one tick: that it leaps. */
  readonly leaping: number;
  /** Of a vendor's call: that it ends with a fault. */
  readonly faulting: number;
  /** Of a vendor's answer: that it asks for a recapture. */
  readonly recapturing: number;
  /** A version from before ids had a key ran before this one, and may run again. */
  readonly legacy: boolean;
  /** What the tenant is given for its orders. */
  readonly credits: number;
  /** Orders alone are asked for. */
  readonly served: boolean;
  /** Of the tenant. */
  readonly endpoints: readonly Partial<Endpoint>[];
}

export function circumstancesOf(random: Random): Circumstances {
  const { pick, below, chance } = random;
  const letters = ['a', 'b', 'c'].slice(0, 1 + below(3));
  const route = letters.map((letter, index) => {
    const answersBy = chance(0.45) ? 'webhook' : 'response';
    return simulatedProvider(`${answersBy === 'webhook' ? 'webhook' : 'prompt'}-${letter}`, answersBy, {
      ...(index > 0 && chance(0.3) ? { images: ['image/jpeg'] } : {}),
      timeoutSeconds: pick([10, 15, 60]),
    });
  });
  return {
    check: pick(['spoof_detect', 'spoof_detect', 'photo_verify', 'video_verify']),
    route,
    subjects: chance(0.25) ? ['u-1', 'u-2'] : ['u-1'],
    contentType: chance(0.2) ? 'webp' : 'jpeg',
    keepCaptures: chance(0.3),
    ownCredentials: chance(0.5),
    capturesSeconds: pick([60, 600, 3600]),
    openSeconds: chance(0.1) ? pick([1, 15, 600]) : undefined,
    ticks: 40 + below(120),
    standing: pick([0.02, 0.1, 0.3]),
    killing: pick([0, 0.003, 0.01, 0.03]),
    stalling: pick([0, 0.02, 0.2]),
    doubling: pick([0, 0.1, 0.4]),
    losing: pick([0, 0, 0.05, 0.2]),
    leaping: pick([0.01, 0.04, 0.1]),
    faulting: pick([0, 0.2, 0.5, 0.95]),
    recapturing: pick([0.1, 0.4, 0.8]),
    legacy: chance(0.2),
    credits: 2,
    served: false,
    endpoints: endpointsOf(random),
  };
}

/**
 * None, or one to three that want every event or some, with or without what goes beyond the event. Ten tries in four days
 * make a run ten times as long, so one in five has them.
 */
function endpointsOf({ chance, below, pick }: Random): Partial<Endpoint>[] {
  if (chance(0.8)) return [];
  return Array.from({ length: 1 + below(3) }, () => ({
    body: pick(['thin', 'full']),
    metadata: chance(0.5),
    ...(chance(0.3) ? { types: ['verification.decided', 'verification.erased', 'endpoint.disabled'] } : {}),
  }));
}

/** The same around orders alone, of which there may be more than credits. */
export function orderCircumstancesOf(random: Random): Circumstances {
  const circumstances = circumstancesOf(random);
  const subjects = Array.from({ length: 1 + random.below(8) }, (_, index) => `u-${index + 1}`);
  const credits = random.below(subjects.length + 3);
  return {
    ...circumstances,
    check: 'spoof_detect',
    contentType: 'jpeg',
    legacy: false,
    subjects,
    credits,
    served: true,
  };
}

export function simulatedProvider(
  name: string,
  answersBy: SimulatedProvider['answersBy'],
  { images = imageTypes, timeoutSeconds = 60 }: { images?: readonly ContentType[]; timeoutSeconds?: number },
): SimulatedProvider {
  return {
    name,
    answersBy,
    remote: true,
    consumer: 'dispatch-verification',
    live: true,
    checks: ['spoof_detect', 'photo_verify', 'video_verify'],
    accepts: { selfie: images, id_card: images, video: videoTypes },
    maximumBytes: {},
    thresholds: {},
    timeoutSeconds: { spoof_detect: timeoutSeconds, photo_verify: timeoutSeconds, video_verify: timeoutSeconds },
  };
}
