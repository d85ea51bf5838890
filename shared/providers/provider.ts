import type { CaptureName, Check, ContentType, Landed } from '../domain/captures.ts';
import type { Turn } from '../domain/challenge.ts';
import type { FaultCode } from '../domain/fault.ts';
import type { Fingerprints } from '../domain/fingerprint.ts';
import type { Range } from '../domain/policy.ts';
import type { OpenedCapture, StreamedCapture } from '../domain/ports.ts';
import { leaseMarginSeconds } from '../domain/times.ts';
import type { Finding, Measurements } from '../domain/verdict.ts';

/**
 * What is known of a provider without calling it: enough to issue upload URLs, to route and to set deadlines.
 * It carries no code of the provider, so functions that only route stay small.
 */
export interface Capabilities {
  readonly name: string;
  /** True where submitting leaves this process over the network: it needs credentials and has a breaker. */
  readonly remote: boolean;
  /** The folder of the function that consumes its queue. */
  readonly consumer: 'dispatch-verification' | 'analyse-capture';
  /** `webhook`: a submission may be accepted now and answered later, at an address of ours. */
  readonly answersBy: 'response' | 'webhook';
  /** False: it decides nothing real, so test tenants alone are sent to it. */
  readonly live: boolean;
  /** True where its answer depends on the caller's `source_id`: the sandbox alone. No other provider receives it. */
  readonly readsSourceId?: boolean;
  /** True where it opens no capture, so its function may read none: the sandbox alone. */
  readonly ignoresCaptures?: true;
  readonly checks: readonly Check[];
  readonly accepts: Partial<Record<CaptureName, readonly ContentType[]>>;
  /** Smaller than the product's own limits, where the provider's is. Bytes. */
  readonly maximumBytes: Partial<Record<CaptureName, number>>;
  /** Thresholds of a policy that it reads, by name. */
  readonly thresholds: Readonly<Record<string, Range>>;
  /** Languages of spoken challenges it understands, as in `en`; absent: it is asked for any. */
  readonly languages?: readonly string[];
  /** How many digits a spoken challenge may have; absent: it takes any number of them. */
  readonly challengeDigits?: readonly number[];
  /** Whether it looks for the turn of the head that a policy asks for; others decide as if none was asked for. */
  readonly judgesTurns?: true;
  /** How long one call may take, by check. The lease is this plus 15 s. */
  readonly timeoutSeconds: Readonly<Record<Check, number>>;
}

/** The longest a claim of this provider is alive. */
export function longestLeaseSeconds({ timeoutSeconds }: Pick<Capabilities, 'timeoutSeconds'>): number {
  return Math.max(...Object.values(timeoutSeconds)) + leaseMarginSeconds;
}

/**
 * What every provider must be able to do. The contract suite in `test/contracts` is this comment, executable.
 *
 * `decided` closes the round now; `accepted` means a webhook will close it later. Anything else is a thrown `Fault`,
 * whose row in `shared/domain/fault.ts` says whether the same provider is asked again, or the next one.
 */
export interface Provider extends Capabilities {
  readonly submit: (submission: Submission) => Promise<Answer>;
  /** Of one with credentials: how an operator learns whether the vendor takes them, without a person's capture. */
  readonly probe?: Probe;
}

/** A call to a vendor that is as harmless as it has one. */
export interface Probe {
  /** What is sent, and what it costs. */
  readonly costs: string;
  /** Throws the Fault that says why the vendor does not take the credentials, or why that is not known. */
  readonly run: () => Promise<void>;
}

export interface Submission {
  readonly verificationId: string;
  readonly attempt: number;
  readonly round: number;
  readonly check: Check;
  readonly captures: Landed;
  /** Bytes of the pinned version. Throws `capture_missing`; answers `too_large` before reading a byte. */
  readonly openCapture: (name: CaptureName) => Promise<OpenedCapture>;
  /** The same as a stream, for what must not be held in memory. */
  readonly streamCapture: (name: CaptureName) => Promise<StreamedCapture>;
  /** A GET URL of the pinned version that lives this long. A secret: never logged. */
  readonly linkCapture: (name: CaptureName, seconds: number) => Promise<string>;
  /** An id for a vendor that answers by webhook: names verification and attempt, and only we can make it. */
  readonly reference: () => Promise<string>;
  readonly thresholds: Readonly<Record<string, number>>;
  /** Captures whose fingerprints are wanted with the answer, where the provider can make them. */
  readonly fingerprinted: readonly CaptureName[];
  /** Whether a picture of a person will do for the ID card. */
  readonly barePortraits?: boolean | undefined;
  readonly challenge?: string | undefined;
  /** The turn of the head that the video should show besides. */
  readonly turn?: Turn | undefined;
  readonly languageCode?: string | undefined;
  /** An earlier round was sent back because its digits were doubtful: a provider doubts them once, then it decides. */
  readonly digitsDoubted?: boolean | undefined;
  /** The caller's own id: only for a provider that declares `readsSourceId`, never for a vendor. */
  readonly sourceId?: string | undefined;
}

export type Answer =
  | {
      kind: 'decided';
      finding: Finding;
      measurements?: Measurements;
      fingerprints?: Fingerprints;
      /** The digits that were heard. */
      transcript?: string | undefined;
    }
  | { kind: 'accepted'; measurements?: Measurements };

/** What a provider's webhook said, once its adapter has understood it. */
export interface Delivery {
  /** The `reference` the submission was given. */
  readonly reference: string;
  readonly answer: { kind: 'decided'; finding: Finding } | { kind: 'fault'; code: FaultCode };
}

/** How a provider's webhook is read: undefined for a body that is not as it documents it. */
export type ReadDelivery = (body: string) => Delivery | undefined;

/** `fetch`, as an argument: redirects refused and answers capped by `shared/providers/http.ts`, never by a caller. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
