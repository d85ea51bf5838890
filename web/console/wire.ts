import type { CaptureName, Check } from '../../shared/domain/captures.ts';
import type { FaultCode } from '../../shared/domain/fault.ts';
import type { Outcome, Reason, Scores } from '../../shared/domain/verdict.ts';
import type { NoteCode, State } from '../../shared/domain/verification.ts';

/** What the console's routes answer, as it is on the wire. */

export type Role = 'viewer' | 'reviewer';

export interface Session {
  readonly operator: { readonly id: string; readonly name: string; readonly role: Role };
  readonly tenant: string;
  readonly expires_at: string;
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly confidence: number | null;
  readonly reasons: readonly Reason[];
  readonly scores: Scores;
  readonly format?: string;
  readonly provider: string;
  readonly policy_version: number;
  readonly seen_before?: readonly CaptureName[];
}

interface Standing {
  readonly check: Check;
  readonly state: State;
  readonly round: number;
  readonly sequence: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface ListedVerification extends Standing {
  readonly source_id: string | null;
  readonly verdict: Verdict | null;
}

export interface VerificationPage {
  readonly verifications: readonly ListedVerification[];
  readonly next_cursor: string | null;
}

export interface Attempt {
  readonly attempt: number;
  readonly provider: string;
  readonly round: number;
  readonly started_at: string;
  readonly ended_at?: string;
  readonly result?: string;
  readonly measurements?: Readonly<Record<string, number>>;
  readonly transcript?: string;
}

export interface Verification extends Standing {
  readonly source_id: string;
  readonly verdict: Verdict | null;
  readonly review?: {
    readonly sequence: number;
    readonly outcome: Outcome;
    readonly reason: string;
    readonly reviewer: string;
  };
  readonly first_verdict?: Verdict;
  readonly fault?: FaultCode;
  readonly challenge?: string;
  readonly turn?: { readonly side: 'left' | 'right'; readonly second: number };
  readonly metadata?: unknown;
  readonly attempts: readonly Attempt[];
}

export interface HistoryLine {
  readonly at: string;
  readonly sequence: number;
  readonly kind: 'moved' | 'noted';
  readonly state: State;
  readonly round: number;
  readonly code?: NoteCode | FaultCode;
  readonly outcome?: Outcome;
  readonly provider?: string;
  readonly attempt?: number;
  readonly review?: true;
}

export interface KeptCapture {
  readonly name: CaptureName;
  readonly round: number;
  /** Null for a capture of an earlier round. */
  readonly content_type: string | null;
  readonly bytes: number;
  readonly landed_at: string;
}

/** `GET /console/verifications/{source_id}`. */
export interface Whole {
  readonly verification: Verification;
  readonly history: readonly HistoryLine[];
  readonly notes_dropped: number;
  readonly captures: readonly KeptCapture[];
}

export interface Look {
  readonly url: string;
  readonly expires_at: string;
  readonly content_type: string;
}

export interface LookTaken {
  readonly at: string;
  readonly operator: string;
  readonly capture: CaptureName;
  readonly round: number;
}

export interface Breaker {
  readonly provider: string;
  readonly state: 'closed' | 'open';
  readonly open_until?: string;
  readonly openings?: number;
  readonly reason?: string;
}

export interface OutcomeRow {
  readonly id: string;
  readonly at: string;
  readonly check: Check;
  readonly outcome: Outcome | 'errored';
  readonly reasons: readonly Reason[];
  readonly fault?: FaultCode;
  /** Empty where none was asked. */
  readonly provider: string;
  /** From the last landing to the verdict. */
  readonly seconds: number | null;
}

export interface OutcomePage {
  readonly outcomes: readonly OutcomeRow[];
  /** Where what is newer begins. */
  readonly cursor: string;
}
