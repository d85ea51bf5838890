import { capturesOf } from '../../shared/domain/capture-files.ts';
import { type Bonafide, bonafide, type ClientVerification, isProblem } from '../client/index.ts';
import { captureOrder, type Event, type Journey, type Seen, type Trouble } from './states.ts';

export type CaptureClient = Bonafide<ClientVerification>;

export const connectionTo = (base: string, token: string | undefined): CaptureClient => bonafide({ base, token });

/** A token that a second device was given for a code has the number of its hand-off: it can hand nothing on. */
export const isOfSecondDevice = (token: string): boolean => /^ct_[a-z2-7]{26}_\d+_\d+_[\w-]{43}$/.test(token);

const isOurs = <Names extends object>(names: Names, one: string): one is Extract<keyof Names, string> =>
  Object.hasOwn(names, one);

/** The answer in the words of the states. A phone that took over does not watch itself take over. */
export function seenOf(view: ClientVerification, isSecondDevice: boolean): Seen {
  const check = isOurs(capturesOf, view.check) ? view.check : undefined;
  const needed: readonly string[] = check ? capturesOf[check] : [];
  const captures = captureOrder.filter((name) => needed.includes(name));
  const journey: Journey = {
    check: check ?? 'spoof_detect',
    captures,
    missing: captures.filter((name) => view.missing?.includes(name)),
    roundsLeft: view.rounds_left,
    isTest: !view.livemode,
    returnUrl: view.return_url,
  };
  return {
    state: check ? view.state : 'queued', // of a check of a later version this page can only wait for the end
    outcome: view.verdict?.outcome,
    reasons: view.verdict?.reasons ?? [],
    handedOff: view.handed_off && !isSecondDevice,
    journey,
  };
}

/** What a failed call means for the person. */
export function eventOf(error: unknown): Event {
  if (!isProblem(error)) return { type: 'lost_connection' };
  switch (error.code) {
    case 'client_token_invalid':
    case 'verification_unknown':
    case 'source_id_erased':
      return { type: 'refused', of: 'verification' };
    case 'hand_off_invalid':
      return { type: 'refused', of: 'hand_off' };
    case 'challenge_replaced':
      return { type: 'interrupted', why: 'digits_expired' };
    case 'state_conflict':
    case 'rounds_spent':
      return { type: 'all_landed' };
    default: {
      const trouble = refusals.get(error.code);
      return trouble ? { type: 'trouble_met', trouble } : { type: 'lost_connection' };
    }
  }
}

/** What Bonafide says of a file before it is sent, and S3 where its bytes are not what was declared. */
const refusals: ReadonlyMap<string, Trouble> = new Map([
  ['capture_type_unsupported', 'file_type'],
  ['request_invalid', 'file_type'],
  ['capture_length_invalid', 'file_too_large'],
  ['upload_refused', 'not_taken'],
]);
