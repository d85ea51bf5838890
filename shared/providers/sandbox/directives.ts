import { type FaultCode, faultCodes, faults } from '../../domain/fault.ts';
import { failureReasons, type Reason, recaptureReasons } from '../../domain/verdict.ts';

/** What a source_id asks of the sandbox. */
export type Directive =
  | { kind: 'passed' }
  | { kind: 'failed'; reason: Reason }
  | { kind: 'recapture'; reason: Reason }
  | { kind: 'fault'; code: FaultCode }
  | { kind: 'accepted' };

export interface Directives {
  /** One per round; the last one also serves the rounds after it. Empty where the source_id asks for nothing. */
  readonly rounds: readonly Directive[];
  readonly slow: boolean;
}

/** Faults a provider's attempt can end with. */
export const forcibleFaults = faultCodes.filter((code) => faults[code].attempt !== undefined);

const word = /sandbox-([a-z_]+)(?:-([a-z_]+))?/g;

/**
 * Reads `sandbox-…` words out of a source_id: `order-17.sandbox-recapture-too_dark.sandbox-passed` asks for another
 * capture in round 1 and passes in round 2. Undefined where a word is not one of ours: a typo must not pass.
 */
export function readDirectives(sourceId: string): Directives | undefined {
  const words = [...sourceId.matchAll(word)].map(([, kind = '', detail]) => ({ kind, detail }));
  const forcing = words.filter(({ kind }) => kind !== 'slow');
  const rounds = forcing.map(directiveOf).filter((directive) => directive !== undefined);
  if (rounds.length < forcing.length) return undefined;
  return { rounds, slow: forcing.length < words.length };
}

function directiveOf({ kind, detail }: { kind: string; detail: string | undefined }): Directive | undefined {
  switch (kind) {
    case 'passed':
    case 'accepted':
      return detail === undefined ? { kind } : undefined;
    case 'failed': {
      const reason = failureReasons.find((known) => known === (detail ?? 'presentation_attack_suspected'));
      return reason && { kind, reason };
    }
    case 'recapture': {
      const reason = recaptureReasons.find((known) => known === (detail ?? 'face_not_detected'));
      return reason && { kind, reason };
    }
    case 'fault': {
      const code = forcibleFaults.find((known) => known === (detail ?? 'provider_failed'));
      return code && { kind, code };
    }
    default:
      return undefined;
  }
}
