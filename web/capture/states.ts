import type { CaptureName, Check } from '../../shared/domain/captures.ts';
import type { Turn } from '../../shared/domain/challenge.ts';

/**
 * What a person sees while being verified, as data: every state of the capture element, and every state it may go to.
 * `next` is checked against this table and docs/capture.md draws it.
 */
export const transitions = {
  loading: ['intro', 'waiting', 'recapture', 'handed_off', 'elsewhere', 'unreachable', 'done', 'closed'],
  /** On a phone that opened a hand-off link: nothing happens before the person presses. */
  claiming: ['loading'],
  intro: ['starting', 'waiting', 'handing_off', 'elsewhere'],
  starting: ['capturing', 'trouble', 'interrupted', 'handing_off', 'elsewhere'],
  capturing: [
    'starting',
    'reviewing',
    'uploading',
    'recording',
    'trouble',
    'interrupted',
    'handing_off',
    'waiting',
    'unreachable',
    'elsewhere',
    'closed',
  ],
  /** Digits are shown and said. */
  recording: ['uploading', 'trouble', 'interrupted', 'elsewhere'],
  /** A picture that was taken by hand or chosen as a file, before it is sent. */
  reviewing: ['uploading', 'starting', 'elsewhere'],
  uploading: ['starting', 'interrupted', 'trouble', 'waiting', 'unreachable', 'elsewhere', 'closed'],
  waiting: ['intro', 'recapture', 'handed_off', 'done', 'unreachable', 'elsewhere', 'closed'],
  recapture: ['starting', 'waiting', 'handing_off', 'elsewhere'],
  /** The camera was stopped: tab hidden, phone locked or turned, camera unplugged. */
  interrupted: ['starting', 'elsewhere'],
  /** The camera cannot be used as it is: each trouble has words and ways on. */
  trouble: ['starting', 'by_file', 'reviewing', 'trouble', 'handing_off', 'elsewhere'],
  /** The person records with the device's own camera app, for which the digits are shown at once. */
  by_file: ['uploading', 'starting', 'waiting', 'trouble', 'unreachable', 'elsewhere', 'closed'],
  /** A QR code is shown for ten minutes. */
  handing_off: ['loading', 'handed_off', 'waiting', 'done', 'unreachable', 'elsewhere', 'closed'],
  handed_off: ['loading', 'waiting', 'done', 'unreachable', 'elsewhere', 'closed'],
  /** Another tab of this browser goes on with this verification. */
  elsewhere: ['loading'],
  unreachable: ['loading', 'uploading', 'elsewhere'],
  done: [],
  /** A token that is foreign or expired, a verification that is gone: one calm page. */
  closed: [],
} as const satisfies Record<string, readonly string[]>;

export type StateName = keyof typeof transitions;
export const stateNames = Object.keys(transitions) as readonly StateName[];

/** The order in which captures are taken: the document is at hand, then the face, so that digits are said last. */
export const captureOrder: readonly CaptureName[] = ['id_card', 'selfie', 'video'];

/** What the element knows of the verification it is for. */
export interface Journey {
  readonly check: Check;
  /** Captures still to be taken in this round, in the order they are taken in. */
  readonly missing: readonly CaptureName[];
  /** Of all captures of this round. */
  readonly captures: readonly CaptureName[];
  readonly roundsLeft: number;
  /** Of a test tenant: the person is told that the result says nothing about them. */
  readonly isTest?: boolean;
  readonly returnUrl?: string | undefined;
}

/** A capture before it is sent. */
export interface Shot {
  readonly name: CaptureName;
  readonly blob: Blob;
  readonly contentType: string;
  /** Of a video: the digits that were shown while it was recorded. */
  readonly digits?: string | undefined;
}

/** Why the camera, or what came of it, cannot be used as it is. */
export const troubles = [
  'denied',
  'denied_by_system',
  'dismissed',
  'not_found',
  'no_microphone',
  'busy',
  'overconstrained',
  'insecure',
  'not_allowed_in_frame',
  'in_app_browser',
  'unsupported',
  'cannot_record',
  'black',
  'silent',
  'too_short',
  'file_is_pdf',
  'file_type',
  'file_too_large',
  'file_unreadable',
  'not_taken',
] as const;
export type Trouble = (typeof troubles)[number];

export const interruptions = ['hidden', 'ended', 'rotated', 'digits_expired'] as const;
export type Interruption = (typeof interruptions)[number];

/** What the person is told in the end. Why a verification failed is not told: the server knows. */
export const endings = ['passed', 'failed', 'errored', 'rounds_spent', 'expired'] as const;
export type Ending = (typeof endings)[number];

interface Step {
  readonly journey: Journey;
  readonly step: CaptureName;
}

export type State =
  | { readonly at: 'loading'; readonly takesOver?: boolean }
  | { readonly at: 'claiming' }
  | { readonly at: 'intro'; readonly journey: Journey }
  | ({ readonly at: 'starting'; readonly smaller?: boolean; readonly unanswered?: boolean } & Step)
  | ({ readonly at: 'capturing'; readonly smaller?: boolean; readonly preparing?: boolean } & Step)
  | ({
      readonly at: 'recording';
      readonly digits: string;
      readonly turn?: Turn | undefined;
      readonly smaller?: boolean;
    } & Step)
  | ({ readonly at: 'reviewing'; readonly shot: Shot } & Step)
  | ({ readonly at: 'uploading'; readonly shot: Shot; readonly share: number; readonly offline: boolean } & Step)
  | { readonly at: 'waiting'; readonly journey: Journey; readonly long: boolean }
  | { readonly at: 'recapture'; readonly journey: Journey; readonly reasons: readonly string[] }
  | ({ readonly at: 'interrupted'; readonly why: Interruption } & Step)
  | ({ readonly at: 'trouble'; readonly trouble: Trouble } & Step)
  | ({ readonly at: 'by_file'; readonly digits?: string; readonly turn?: Turn | undefined } & Step)
  | {
      readonly at: 'handing_off';
      readonly journey: Journey;
      readonly link?: string;
      readonly expiresAt?: number;
      readonly over?: boolean;
    }
  | { readonly at: 'handed_off'; readonly journey: Journey }
  | { readonly at: 'elsewhere' }
  | { readonly at: 'unreachable'; readonly kept?: Extract<State, { at: 'uploading' }> }
  | { readonly at: 'done'; readonly ending: Ending; readonly journey?: Journey }
  | { readonly at: 'closed'; readonly why: 'verification' | 'hand_off' };

/** What Bonafide says of the verification, in the words that the element needs. */
export interface Seen {
  /** One of a later version than the page is waited through. */
  readonly state: string;
  readonly outcome?: string | undefined;
  readonly reasons: readonly string[];
  readonly handedOff: boolean;
  readonly journey: Journey;
}

export type Event =
  /** The person pressed: begin, go on after a recapture, an interruption or a trouble, take it again. */
  | { readonly type: 'began' }
  | { readonly type: 'resumed' }
  | { readonly type: 'prompt_unanswered' }
  | { readonly type: 'camera_opened' }
  | { readonly type: 'camera_changed' }
  | { readonly type: 'trouble_met'; readonly trouble: Trouble }
  | { readonly type: 'interrupted'; readonly why: Interruption }
  | { readonly type: 'file_asked' }
  | { readonly type: 'digits_asked' }
  | { readonly type: 'digits_issued'; readonly digits: string; readonly turn?: Turn | undefined }
  /** `sure`: guidance found it good, or a recording: sent without another look. */
  | { readonly type: 'captured'; readonly shot: Shot; readonly sure: boolean }
  | { readonly type: 'kept' }
  | { readonly type: 'progressed'; readonly share: number }
  | { readonly type: 'connection_changed'; readonly offline: boolean }
  | { readonly type: 'landed' }
  | { readonly type: 'all_landed' }
  | { readonly type: 'seen'; readonly seen: Seen }
  | { readonly type: 'waited_long' }
  | { readonly type: 'hand_off_asked' }
  | { readonly type: 'hand_off_opened'; readonly link: string; readonly expiresAt: number }
  | { readonly type: 'hand_off_expired' }
  | { readonly type: 'hand_off_ended' }
  | { readonly type: 'claim_pressed' }
  | { readonly type: 'opened_elsewhere' }
  | { readonly type: 'taken_over' }
  | { readonly type: 'lost_connection' }
  | { readonly type: 'retried' }
  | { readonly type: 'refused'; readonly of: 'verification' | 'hand_off' };

/** The state that the element begins in. */
export const firstState = (withHandOffCode: boolean): State =>
  withHandOffCode ? { at: 'claiming' } : { at: 'loading' };

/**
 * The state after an event. An event that does not concern a state leaves it as it is: a camera that opens after the
 * person went on, a verdict that comes twice.
 */
export function next(state: State, event: Event): State {
  switch (event.type) {
    case 'opened_elsewhere':
      return may(state, 'elsewhere') ? { at: 'elsewhere' } : state;
    case 'refused':
      return may(state, 'closed') ? { at: 'closed', why: event.of } : state;
    case 'lost_connection':
      if (state.at === 'uploading') return { at: 'unreachable', kept: state };
      return may(state, 'unreachable') ? { at: 'unreachable' } : state;
    case 'seen':
      return afterSeen(state, event.seen);
    case 'all_landed':
      return 'journey' in state && state.journey && may(state, 'waiting') ? waiting(state.journey) : state;
    case 'trouble_met': {
      if (!('step' in state) || !may(state, 'trouble')) return state;
      return { at: 'trouble', trouble: event.trouble, journey: state.journey, step: state.step };
    }
    default:
      return afterOwn(state, event);
  }
}

function may(state: State, to: StateName): boolean {
  const allowed: readonly StateName[] = transitions[state.at];
  return allowed.includes(to);
}

const waiting = (journey: Journey): State => ({ at: 'waiting', journey: { ...journey, missing: [] }, long: false });
const starting = ({ journey, step }: Step): State => ({ at: 'starting', journey, step });
const reviewing = ({ journey, step }: Step, shot: Shot): State => ({ at: 'reviewing', journey, step, shot });
const uploading = ({ journey, step }: Step, shot: Shot): State => {
  return { at: 'uploading', journey, step, shot, share: 0, offline: false };
};

/** The first capture still to be taken, or the wait for the verdict. */
function firstStep(journey: Journey): State {
  const [step] = journey.missing;
  return step ? starting({ journey, step }) : waiting(journey);
}

type Common = 'opened_elsewhere' | 'refused' | 'lost_connection' | 'seen' | 'all_landed' | 'trouble_met';
/** Events that concern some states alone. */
type Own = Exclude<Event, { type: Common }>;
type At<Name extends StateName> = Extract<State, { at: Name }>;

function afterOwn(state: State, event: Own): State {
  switch (state.at) {
    case 'claiming':
      return event.type === 'claim_pressed' ? { at: 'loading' } : state;
    case 'elsewhere':
      return event.type === 'taken_over' ? { at: 'loading', takesOver: true } : state;
    case 'unreachable':
      if (event.type !== 'retried') return state;
      return state.kept ? { ...state.kept, share: 0, offline: false } : { at: 'loading' };
    case 'intro':
    case 'recapture':
      if (event.type === 'began') return firstStep(state.journey);
      return event.type === 'hand_off_asked' ? { at: 'handing_off', journey: state.journey } : state;
    case 'starting':
      return whileStarting(state, event);
    case 'capturing':
      return whileCapturing(state, event);
    case 'recording':
      if (event.type === 'captured') return uploading(state, event.shot);
      return event.type === 'interrupted' ? interrupted(state, event.why) : state;
    case 'interrupted':
      return event.type === 'resumed' ? starting(state) : state;
    case 'trouble':
      return whileInTrouble(state, event);
    case 'by_file':
      if (event.type === 'digits_issued') return { ...state, digits: event.digits, turn: event.turn };
      if (event.type === 'captured') return uploading(state, event.shot);
      return event.type === 'resumed' ? starting(state) : state;
    case 'reviewing':
      if (event.type === 'kept') return uploading(state, state.shot);
      return event.type === 'resumed' ? starting(state) : state;
    case 'uploading':
      return whileUploading(state, event);
    case 'waiting':
      return event.type === 'waited_long' ? { ...state, long: true } : state;
    case 'handing_off':
      return whileHandingOff(state, event);
    case 'handed_off':
      return event.type === 'hand_off_ended' ? { at: 'loading' } : state;
    default:
      return state;
  }
}

const interrupted = ({ journey, step }: Step, why: Interruption): State => ({ at: 'interrupted', why, journey, step });

function whileStarting(state: At<'starting'>, event: Own): State {
  const { unanswered: _, ...rest } = state;
  switch (event.type) {
    case 'prompt_unanswered':
      return { ...rest, unanswered: true };
    case 'camera_opened':
      return { ...rest, at: 'capturing' };
    case 'interrupted':
      return interrupted(state, event.why);
    case 'hand_off_asked':
      return { at: 'handing_off', journey: state.journey };
    default:
      return state;
  }
}

function whileCapturing(state: At<'capturing'>, event: Own): State {
  const { preparing: _, ...rest } = state;
  switch (event.type) {
    case 'camera_changed':
      return { ...rest, at: 'starting' };
    case 'captured':
      return event.sure ? uploading(state, event.shot) : reviewing(state, event.shot);
    case 'digits_asked':
      return { ...rest, preparing: true };
    case 'digits_issued':
      return { ...rest, at: 'recording', digits: event.digits, turn: event.turn };
    case 'interrupted':
      return interrupted(state, event.why);
    case 'hand_off_asked':
      return { at: 'handing_off', journey: state.journey };
    default:
      return state;
  }
}

function whileInTrouble(state: At<'trouble'>, event: Own): State {
  const { journey, step, trouble } = state;
  switch (event.type) {
    case 'resumed':
      // Recorded too short is mostly a slow device: the next try is smaller.
      return { at: 'starting', journey, step, ...(trouble === 'too_short' && { smaller: true }) };
    case 'file_asked':
      return { at: 'by_file', journey, step };
    case 'captured':
      return reviewing(state, event.shot);
    case 'hand_off_asked':
      return { at: 'handing_off', journey };
    default:
      return state;
  }
}

function whileUploading(state: At<'uploading'>, event: Own): State {
  switch (event.type) {
    case 'progressed':
      return event.share > state.share ? { ...state, share: Math.min(1, event.share) } : state;
    case 'connection_changed':
      return event.offline === state.offline ? state : { ...state, offline: event.offline };
    case 'interrupted':
      // The camera is off: a hidden tab goes on sending.
      return event.why === 'digits_expired' ? interrupted(state, event.why) : state;
    case 'landed': {
      const missing = state.journey.missing.filter((name) => name !== state.step);
      return firstStep({ ...state.journey, missing });
    }
    default:
      return state;
  }
}

function whileHandingOff(state: At<'handing_off'>, event: Own): State {
  const { journey } = state;
  switch (event.type) {
    case 'hand_off_opened':
      return { at: 'handing_off', journey, link: event.link, expiresAt: event.expiresAt };
    case 'hand_off_expired':
      return { at: 'handing_off', journey, over: true };
    case 'hand_off_asked':
      return { at: 'handing_off', journey };
    case 'hand_off_ended':
      return { at: 'loading' };
    default:
      return state;
  }
}

function afterSeen(state: State, seen: Seen): State {
  const to = shownFor(state, seen);
  return to && may(state, to.at) ? to : state;
}

/** A verdict that the page has no words for is none that the person can do anything about. */
const endingOf = (outcome: string | undefined): Ending => endings.find((one) => one === outcome) ?? 'errored';

/** What is shown for what Bonafide says; undefined: nothing else than now. */
function shownFor(state: State, { state: found, outcome, reasons, handedOff, journey }: Seen): State | undefined {
  switch (found) {
    case 'awaiting_captures':
      if (handedOff) return { at: 'handed_off', journey };
      if (state.at === 'handed_off') return { at: 'loading' };
      if (state.at !== 'loading' && state.at !== 'waiting') return undefined;
      return journey.missing.length > 0 ? { at: 'intro', journey } : waiting(journey);
    case 'decided':
      if (outcome !== 'recapture') return { at: 'done', ending: endingOf(outcome), journey };
      if (journey.roundsLeft <= 0) return { at: 'done', ending: 'rounds_spent', journey };
      // The first device leaves the next round to the other one too.
      if (handedOff) return { at: 'handed_off', journey };
      return { at: 'recapture', journey: { ...journey, missing: journey.captures }, reasons };
    case 'errored':
      return { at: 'done', ending: 'errored', journey };
    case 'expired':
      return { at: 'done', ending: 'expired', journey };
    case 'erased':
      return { at: 'closed', why: 'verification' };
    default: // queued or dispatched
      return waiting(journey);
  }
}
