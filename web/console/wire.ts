import type { Known } from '../client/problems.ts';
import type { components } from '../client/schema.ts';

/** What the console's routes answer, by the names that this page uses. */

type Schemas = components['schemas'];

export type Session = Schemas['Session'];
export type Role = Known<Session['operator']['role']>;

export type VerificationPage = Schemas['VerificationPage'];
export type ListedVerification = VerificationPage['verifications'][number];

/** `GET /console/verifications/{source_id}`: one verification with its history and the captures that are still stored. */
export type Whole = Schemas['ConsoleVerification'];
export type Verification = Whole['verification'];
export type HistoryLine = Whole['history'][number];
export type KeptCapture = Whole['captures'][number];
export type Attempt = Verification['attempts'][number];
export type Verdict = NonNullable<Verification['verdict']>;

export type State = Known<Verification['state']>;
export type Check = Known<Verification['check']>;
export type CaptureName = KeptCapture['name'];
export type Outcome = Known<Verdict['outcome']>;
export type Reason = Schemas['Reason'];
export type FaultCode = Schemas['FaultCode'];

export type Looks = Schemas['Looks']['looks'];
export type Breaker = Schemas['Breakers']['breakers'][number];

export type OutcomePage = Schemas['OutcomePage'];
export type OutcomeRow = OutcomePage['outcomes'][number];
export type OutcomeKind = Known<OutcomeRow['outcome']>;

/** Everything of a type, in the order it is shown in: what is forgotten here does not compile. */
const allOf = <Name extends string>(all: Record<Name, true>): readonly Name[] =>
  Object.keys(all).filter((name): name is Name => name in all);

export const states = allOf<State>({
  awaiting_captures: true,
  queued: true,
  dispatched: true,
  decided: true,
  errored: true,
  expired: true,
  erased: true,
});
export const checks = allOf<Check>({ spoof_detect: true, photo_verify: true, video_verify: true });
export const outcomes = allOf<Outcome>({ passed: true, failed: true, recapture: true });
export const outcomeKinds = allOf<OutcomeKind>({ passed: true, failed: true, recapture: true, errored: true });
