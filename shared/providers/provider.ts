import type { CaptureName, Check, ContentType, Landed } from '../domain/captures.ts';
import type { Finding, Measurements } from '../domain/verdict.ts';

/**
 * What is known of a provider without calling it: enough to issue upload URLs, to route and to set deadlines.
 * It carries no code of the provider, so functions that only route stay small.
 */
export interface Capabilities {
  readonly name: string;
  /** True where submitting leaves this process over the network. */
  readonly remote: boolean;
  readonly checks: readonly Check[];
  readonly accepts: Partial<Record<CaptureName, readonly ContentType[]>>;
  /** Smaller than the product's own limits, where the provider's is. Bytes. */
  readonly maximumBytes: Partial<Record<CaptureName, number>>;
  /** How long one call may take. The lease is this plus 15 s. */
  readonly timeoutSeconds: number;
}

/**
 * What every provider must be able to do. The contract suite in `test/contracts` is this comment, executable.
 *
 * `decided` closes the round now; `accepted` means a webhook will close it later. Anything else is a thrown `Fault`.
 */
export interface Provider extends Capabilities {
  readonly submit: (submission: Submission) => Promise<Answer>;
}

export interface Submission {
  readonly verificationId: string;
  readonly attempt: number;
  readonly round: number;
  readonly check: Check;
  readonly captures: Landed;
  /** Bytes of the pinned version. Throws `capture_missing`; answers `too_large` before reading a byte. */
  readonly openCapture: (name: CaptureName) => Promise<OpenedCapture>;
  readonly thresholds: Readonly<Record<string, number>>;
  readonly challenge?: string | undefined;
  readonly languageCode?: string | undefined;
}

export type OpenedCapture = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'too_large'; bytes: number };

export type Answer = { kind: 'decided'; finding: Finding; measurements?: Measurements } | { kind: 'accepted' };
