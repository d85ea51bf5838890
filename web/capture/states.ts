import type { CaptureName, Check } from '../../shared/domain/captures.ts';
import type { Turn } from '../../shared/domain/challenge.ts';

/**
 * What a person sees while being verified, as data: every state of the capture element, and every state it may go to.
 * `next` is checked against this table and docs/capture.md draws it.
 */
export const transitions = {
  loading: ['intro', 'waiting', 'recapture', 'handed_off', 'elsewhere', 'unreachable', 'done', 'closed'],
  /** On a phone that opened a hand-off link: nothing happens before the person presses. */
  claiming: ['loading', 'closed'],
  intro: ['starting', 'handing_off', 'loading', 'waiting', 'recapture', 'done', 'elsewhere', 'unreachable', 'closed'],
  starting: ['capturing', 'trouble', 'interrupted', 'reviewing', 'handing_off', 'elsewhere', 'loading', 'closed'],
  capturing: [
    'starting',
    'reviewing',
    'uploading',
    'recording',
    'trouble',
    'interrupted',
    'handing_off',
    'elsewhere',
    'unreachable',
    'loading',
    'closed',
  ],
  /** Digits are shown and said. */
  recording: ['capturing', 'starting', 'uploading', 'trouble', 'interrupted', 'elsewhere'],
  /** A picture that was taken by hand or chosen as a file, before it is sent. */
  reviewing: ['uploading', 'starting', 'trouble', 'elsewhere'],
  uploading: ['uploading', 'starting', 'interrupted', 'trouble', 'waiting', 'unreachable', 'elsewhere', 'closed'],
  waiting: ['intro', 'recapture', 'loading', 'done', 'unreachable', 'elsewhere', 'closed'],
  recapture: [
    'starting',
    'handing_off',
    'loading',
    'waiting',
    'recapture',
    'done',
    'elsewhere',
    'unreachable',
    'closed',
  ],
  /** The camera was stopped: tab hidden, phone locked or turned, camera unplugged. */
  interrupted: ['starting', 'elsewhere'],
  /** The camera cannot be used as it is: each trouble has words and ways on. */
  trouble: ['starting', 'by_file', 'reviewing', 'trouble', 'handing_off', 'elsewhere', 'closed'],
  /** The person records with the device's own camera app, for which the digits are shown at once. */
  by_file: ['by_file', 'uploading', 'interrupted', 'trouble', 'starting', 'unreachable', 'elsewhere', 'closed'],
  /** A QR code is shown for ten minutes. */
  handing_off: ['handing_off', 'handed_off', 'loading', 'waiting', 'unreachable', 'elsewhere', 'closed'],
  handed_off: ['loading', 'waiting', 'recapture', 'done', 'unreachable', 'elsewhere', 'closed'],
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
  readonly state: 'awaiting_captures' | 'queued' | 'dispatched' | 'decided' | 'errored' | 'expired' | 'erased';
  readonly outcome?: 'passed' | 'failed' | 'recapture' | undefined;
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
export const first = (withHandOffCode: boolean): State => (withHandOffCode ? { at: 'claiming' } : { at: 'loading' });

/**
 * The state after an event. An event that does not concern a state leaves it as it is: a camera that opens after the
 * person went on, a verdict that comes twice.
 */
export function next(state: State, event: Event): State {
  switch (event.type) {
    case 'opened_elsewhere':
      return state.at === 'done' || state.at === 'closed' || state.at === 'claiming' ? state : { at: 'elsewhere' };
    case 'refused':
      return may(state, 'closed') ? { at: 'closed', why: event.of } : state;
    case 'lost_connection':
      if (state.at === 'uploading') return { at: 'unreachable', kept: state };
      return may(state, 'unreachable') ? { at: 'unreachable' } : state;
    case 'seen':
      return afterSeen(state, event.seen);
    case 'trouble_met':
      return 'step' in state && may(state, 'trouble')
        ? { at: 'trouble', trouble: event.trouble, journey: state.journey, step: state.step }
        : state;
    default:
      return withinJourney(state, event);
  }
}

function may(state: State, to: StateName): boolean {
  const allowed: readonly StateName[] = transitions[state.at];
  return allowed.includes(to);
}

const starting = (journey: Journey, step: CaptureName): State => ({ at: 'starting', journey, step });

/** The first capture still to be taken, or the wait for the verdict. */
function firstStep(journey: Journey): State {
  const [step] = journey.missing;
  return step ? starting(journey, step) : { at: 'waiting', journey, long: false };
}

type Within = Exclude<Event, { type: 'opened_elsewhere' | 'refused' | 'lost_connection' | 'seen' | 'trouble_met' }>;

function withinJourney(state: State, event: Within): State {
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
      if (event.type === 'all_landed') return { at: 'waiting', journey: state.journey, long: false };
      return event.type === 'hand_off_asked' ? { at: 'handing_off', journey: state.journey } : state;
    case 'starting':
    case 'capturing':
    case 'recording':
      return whileCameraRuns(state, event);
    case 'interrupted':
      return event.type === 'resumed' ? starting(state.journey, state.step) : state;
    case 'trouble':
      return afterTrouble(state, event);
    case 'by_file':
      if (event.type === 'digits_issued') return { ...state, digits: event.digits, turn: event.turn };
      if (event.type === 'captured' && event.shot.name === state.step) return uploading(state, event.shot);
      return event.type === 'resumed' ? starting(state.journey, state.step) : state;
    case 'reviewing':
      if (event.type === 'kept') return uploading(state, state.shot);
      return event.type === 'resumed' ? starting(state.journey, state.step) : state;
    case 'uploading':
      return whileUploading(state, event);
    case 'waiting':
      return event.type === 'waited_long' && !state.long ? { ...state, long: true } : state;
    case 'handing_off':
    case 'handed_off':
      return whileHandedOff(state, event);
    default:
      return state;
  }
}

const uploading = ({ journey, step }: Step, shot: Shot): State => ({
  at: 'uploading',
  journey,
  step,
  shot,
  share: 0,
  offline: false,
});

type WithCamera = Extract<State, { at: 'starting' | 'capturing' | 'recording' }>;

function whileCameraRuns(state: WithCamera, event: Within): State {
  const { at, journey, step, smaller } = state;
  const again = { journey, step, ...(smaller && { smaller }) };
  switch (event.type) {
    case 'interrupted':
      return { at: 'interrupted', why: event.why, journey, step };
    case 'prompt_unanswered':
      return at === 'starting' ? { ...state, unanswered: true } : state;
    case 'camera_opened':
      return at === 'starting' ? { at: 'capturing', ...again } : state;
    case 'camera_changed':
      return at === 'capturing' ? { at: 'starting', ...again } : state;
    case 'captured':
      if (event.shot.name !== step) return state;
      if (event.sure && at !== 'starting') return uploading(state, event.shot);
      return at === 'recording' ? uploading(state, event.shot) : { at: 'reviewing', journey, step, shot: event.shot };
    case 'digits_asked':
      return at === 'capturing' ? { ...state, preparing: true } : state;
    case 'digits_issued':
      return at === 'capturing' ? { at: 'recording', ...again, digits: event.digits, turn: event.turn } : state;
    case 'hand_off_asked':
      return may(state, 'handing_off') ? { at: 'handing_off', journey } : state;
    default:
      return state;
  }
}

/** Recorded too short is mostly a slow device: the next try is smaller. */
function afterTrouble(state: Extract<State, { at: 'trouble' }>, event: Within): State {
  const { journey, step, trouble } = state;
  if (event.type === 'resumed') {
    return { at: 'starting', journey, step, ...(trouble === 'too_short' && { smaller: true }) };
  }
  if (event.type === 'file_asked') return { at: 'by_file', journey, step };
  if (event.type === 'captured' && event.shot.name === step) {
    return { at: 'reviewing', journey, step, shot: event.shot };
  }
  return event.type === 'hand_off_asked' ? { at: 'handing_off', journey } : state;
}

function whileUploading(state: Extract<State, { at: 'uploading' }>, event: Within): State {
  switch (event.type) {
    case 'progressed':
      return event.share > state.share ? { ...state, share: Math.min(1, event.share) } : state;
    case 'connection_changed':
      return event.offline === state.offline ? state : { ...state, offline: event.offline };
    case 'interrupted':
      if (event.why !== 'digits_expired') return state; // the camera is off: a hidden tab goes on uploading
      return { at: 'interrupted', why: event.why, journey: state.journey, step: state.step };
    case 'landed': {
      const missing = state.journey.missing.filter((name) => name !== state.step);
      return firstStep({ ...state.journey, missing });
    }
    case 'all_landed':
      return { at: 'waiting', journey: { ...state.journey, missing: [] }, long: false };
    default:
      return state;
  }
}

function whileHandedOff(state: Extract<State, { at: 'handing_off' | 'handed_off' }>, event: Within): State {
  if (event.type === 'hand_off_ended') return { at: 'loading' };
  if (state.at === 'handed_off') return state;
  const { journey } = state;
  switch (event.type) {
    case 'hand_off_opened':
      return { at: 'handing_off', journey, link: event.link, expiresAt: event.expiresAt };
    case 'hand_off_expired':
      return { at: 'handing_off', journey, over: true };
    case 'hand_off_asked':
      return { at: 'handing_off', journey };
    default:
      return state;
  }
}

/** States in which the person captures: what Bonafide says meanwhile is of the round that is under way. */
const following: readonly StateName[] = ['loading', 'waiting', 'handing_off', 'handed_off', 'intro', 'recapture'];

function afterSeen(state: State, { state: found, outcome, reasons, handedOff, journey }: Seen): State {
  if (!following.includes(state.at)) return state;
  const followsPhone = state.at === 'handing_off' || state.at === 'handed_off';
  switch (found) {
    case 'awaiting_captures':
      if (handedOff)
        return may(state, 'handed_off') && state.at !== 'handed_off' ? { at: 'handed_off', journey } : state;
      if (state.at === 'handed_off') return { at: 'loading' };
      return state.at === 'loading' ? begun(journey) : state;
    case 'queued':
    case 'dispatched':
      return may(state, 'waiting') ? { at: 'waiting', journey, long: false } : state;
    case 'decided':
      if (outcome === 'recapture' && journey.roundsLeft > 0) {
        // On the first device a recapture is read on the phone, which goes on with the next round.
        if (state.at === 'handed_off' && handedOff) return state;
        return state.at !== 'recapture' && may(state, 'recapture')
          ? { at: 'recapture', journey: wholeRound(journey), reasons }
          : followsPhone
            ? { at: 'loading' }
            : state;
      }
      return ended(state, outcome === 'recapture' ? 'rounds_spent' : (outcome ?? 'errored'), journey);
    case 'errored':
      return ended(state, 'errored', journey);
    case 'expired':
      return ended(state, 'expired', journey);
    case 'erased':
      return may(state, 'closed') ? { at: 'closed', why: 'verification' } : state;
  }
}

/** What was uploaded and is not noticed yet is still missing: it is then taken for landed (412). */
const begun = (journey: Journey): State =>
  journey.missing.length > 0 ? { at: 'intro', journey } : { at: 'waiting', journey, long: false };

const wholeRound = (journey: Journey): Journey => ({ ...journey, missing: journey.captures });

function ended(state: State, ending: Ending, journey: Journey): State {
  if (may(state, 'done')) return { at: 'done', ending, journey };
  return state.at === 'handing_off' ? { at: 'loading' } : state;
}
