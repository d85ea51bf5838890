import type { CaptureName, Check, FaultCode, HistoryLine, OutcomeKind, Reason, Role, State } from './wire.ts';

/** What one of our words is called; a later version's word as it is. */
export function nameIn(names: Readonly<Record<string, string>>, one: string): string {
  return new Map(Object.entries(names)).get(one) ?? one;
}

const numbers = new Intl.NumberFormat('en');
const counted = (count: number, one: string, many: string) => `${numbers.format(count)} ${count === 1 ? one : many}`;

const states: Record<State, string> = {
  awaiting_captures: 'Awaiting captures',
  queued: 'Queued',
  dispatched: 'With a provider',
  decided: 'Decided',
  errored: 'Errored',
  expired: 'Expired',
  erased: 'Erased',
};

const outcomes: Record<OutcomeKind, string> = {
  passed: 'Passed',
  failed: 'Failed',
  recapture: 'Recapture',
  errored: 'Errored',
};

const captures: Record<CaptureName, string> = { selfie: 'Selfie', video: 'Video', id_card: 'ID card' };

/** What a reason means, for an operator. The words for the person are the capture element's. */
const reasons: Record<Reason, string> = {
  face_not_detected: 'No face was found in the selfie, in the video or on the ID card.',
  multiple_faces: 'Another person is in the picture.',
  face_too_small: 'The face has fewer pixels than the provider needs.',
  face_too_large: 'The face fills so much of the picture that its surroundings cannot be judged.',
  face_cropped: 'The face is cut off at an edge of the picture.',
  face_turned: 'The face is turned away, tilted, or lies on its side.',
  too_blurred: 'The face is out of focus or was moved.',
  too_noisy: 'The picture of the face is full of noise: taken in the dark, or changed by a filter.',
  unnatural_colours: 'The face looks live by its colours alone: coloured light, or changed by a filter.',
  too_dark: 'There is too little light on the face.',
  too_bright: 'Too much of the face is burnt out.',
  capture_unreadable: 'The file is no picture or video that the provider can open.',
  capture_too_large: 'The file, its pixels or its duration are over the limit.',
  format_unsupported: 'The provider does not decode the format of the video or its sound.',
  video_too_short: 'The video has too few frames, or is over before six digits can be said.',
  move_your_head: 'It cannot be told that a living head moves, or the turn that was asked for was not seen.',
  card_not_seen: 'The picture of the ID card shows a person, and nothing of a card.',
  id_face_too_small: 'The portrait on the ID card has too few pixels.',
  audio_missing: 'The video has no sound.',
  digits_not_heard: 'No digits were heard in the video, or too few to be sure of them.',
  challenge_expired: 'The video came after its digits had died.',
  presentation_attack_suspected: 'The face looks like a print, a screen or a mask.',
  face_mismatch: 'The face is not the one on the ID card.',
  same_photo_as_id: 'The face is the very photo that is on the ID card.',
  wrong_digits: 'The digits heard are not the ones asked for.',
  face_changed_in_video: 'The video shows more than one person in turns.',
  face_does_not_move: 'The video shows one flat picture of a face.',
  capture_reused: 'This capture was judged before under another source_id.',
};

/** Faults that an attempt can end with; any other is shown by its code. */
const faults: Partial<Record<FaultCode, string>> = {
  capture_type_unsupported: 'The provider does not take captures of this type.',
  capture_missing: 'A capture was no longer stored.',
  captures_gone: 'The captures were no longer stored.',
  provider_unreachable: 'The provider did not answer.',
  provider_timed_out: 'The provider took too long.',
  provider_throttled: 'The provider asked for fewer calls.',
  provider_failed: 'The provider failed.',
  provider_refused: 'The provider refused the request.',
  provider_unauthorized: 'The provider does not take the credentials.',
  provider_credits_spent: 'The credits with the provider are spent.',
  provider_unreadable: 'The provider sent an answer that could not be read.',
  provider_unavailable: 'The provider cannot be used.',
  breaker_open: 'The provider was not being called: its breaker was open.',
  webhook_overdue: "The provider's webhook never came.",
  lease_expired: 'The attempt ended without an answer.',
};

/** What notes of the history say; the document has no list of them. */
const notes = {
  capture_empty: 'An empty file was uploaded, and left aside.',
  capture_overwritten: 'A capture was uploaded again; the first one counts.',
  capture_late: 'A capture came too late to count.',
  answer_late: 'A provider answered too late to count.',
  answer_repeated: 'A provider sent the same answer again.',
  answer_contradictory: 'A provider later answered otherwise; the first answer counts.',
  fault_late: 'A provider reported an error too late to count.',
  capture_reused: 'A capture was judged before under another source_id.',
};

const faultText = (code: string) => new Map(Object.entries<string | undefined>(faults)).get(code) ?? code;
const noteText = (code: string) => new Map<string, string>(Object.entries(notes)).get(code) ?? faultText(code);

/** What a line of the history says happened. */
function happened({ kind, state, round, code, outcome, provider, attempt, review }: HistoryLine): string {
  if (kind === 'noted') return code ? noteText(code) : 'Noted.';
  switch (state) {
    case 'awaiting_captures':
      return round === 1 ? 'Requested: waiting for captures' : `Waiting for the captures of round ${round}`;
    case 'queued':
      return provider ? `Queued for ${provider}` : 'Queued';
    case 'dispatched':
      return `Given to ${provider ?? 'a provider'}${attempt ? `, attempt ${attempt}` : ''}`;
    case 'decided':
      return `${review ? 'A reviewer decided' : 'Decided'}${outcome ? `: ${nameIn(outcomes, outcome).toLowerCase()}` : ''}`;
    case 'errored':
      return 'Ended without a verdict';
    case 'expired':
      return 'Expired: the captures never came';
    case 'erased':
      return 'Erased';
    default:
      return state;
  }
}

const units: ReadonlyMap<string, string> = new Map([
  ['px', 'px'],
  ['seconds', 's'],
  ['degrees', '°'],
  ['bytes', 'bytes'],
  ['ratio', ''],
]);

/** A measurement's name has its unit at its end: `face_width_px`. */
function measurementOf(name: string): { text: string; unit: string } {
  const parts = name.split('_');
  const unit = units.get(parts.at(-1) ?? '');
  const words = (unit === undefined || parts.length === 1 ? parts : parts.slice(0, -1)).join(' ');
  return { text: words.charAt(0).toUpperCase() + words.slice(1), unit: unit ?? '' };
}

function whyNoVerdict(state: string): string {
  switch (state) {
    case 'errored':
      return 'It ended without a verdict: no provider could answer. The facts name the fault.';
    case 'expired':
      return 'It expired without a verdict: the captures never came.';
    case 'erased':
      return 'It was erased, and its verdict with it.';
    default:
      return 'No verdict yet.';
  }
}

/** Every text of the console. Give the element another object of this shape to replace them. */
export const english = {
  language: 'en',
  product: 'Bonafide',
  skip: 'Skip to the content',
  sections: 'Sections',
  titles: {
    signIn: 'Sign in',
    verifications: 'Verifications',
    verification: 'Verification',
    outcomes: 'Outcomes',
    providers: 'Providers',
  },
  roles: { viewer: 'Viewer', reviewer: 'Reviewer' } satisfies Record<Role, string>,
  signedInAs: 'Signed in as',
  tenant: 'Tenant',
  signOut: 'Sign out',
  signOutFailed: 'You are still signed in: the server could not be reached. Try once more.',
  loading: 'Loading…',
  stale: (time: string) => `This could not be refreshed; it is from ${time}. The console keeps trying.`,
  tryAgain: 'Try again',
  none: 'None',

  signIn: {
    heading: 'Sign in to the console',
    invited: 'You have an invitation. It works once: press the button to sign in with it.',
    accept: 'Accept the invitation',
    accepting: 'Signing in…',
    how: 'Open the link of your invitation. The administrator of Bonafide makes one for you.',
    oidc: 'Sign in with your organisation',
    expired: 'Your session has ended. What you typed is kept: sign in again to go on.',
    signedOut: 'You are signed out.',
    elsewhere: 'I have signed in in another tab',
    refused: 'This invitation does not work any more: each one works once, within 15 minutes. Ask for a new one.',
    notYet: 'You are not signed in yet.',
  },

  test: 'Test',
  list: {
    heading: 'Verifications',
    byState: 'By state',
    allStates: 'All',
    filters: 'Filters',
    check: 'Check',
    outcome: 'Outcome',
    any: 'Any',
    from: 'Created from',
    to: 'Created before',
    clear: 'Clear filters',
    sourceId: 'Source id',
    state: 'State',
    round: 'Round',
    created: 'Created',
    updated: 'Last change',
    reasons: 'Reasons',
    erased: 'Erased',
    empty: 'No verification matches.',
    emptyHint: 'Change the state or the filters to see others.',
    newest: 'Newest',
    newer: 'Newer',
    older: 'Older',
    pages: 'Pages',
    caption: 'Verifications, newest first',
    times: (zone: string) => `Times are in ${zone}.`,
    shown: (count: number) => counted(count, 'verification shown', 'verifications shown'),
  },

  verification: {
    back: 'Verifications',
    facts: 'Facts',
    verdict: 'Verdict',
    confidence: 'Confidence',
    unknown: 'Unknown',
    reasons: 'Reasons',
    scores: 'Scores',
    provider: 'Provider',
    policy: 'Policy version',
    format: 'Format',
    seenBefore: 'Judged before',
    fault: 'Fault',
    check: 'Check',
    state: 'State',
    round: 'Round',
    roundOf: (round: number) => `${round} of at most 3`,
    sequence: 'Sequence',
    created: 'Created',
    updated: 'Last change',
    challenge: 'Digits asked for',
    turn: 'Turn asked for',
    turnAt: (side: string, second: number) => `To the ${side}, at second ${second}`,
    metadata: 'Metadata',
    metadataHint: 'As the integrator sent it.',
    timeline: 'Timeline',
    sequenceOf: (sequence: number) => `sequence ${sequence}`,
    note: 'Note',
    notesDropped: (count: number) => `${counted(count, 'more note was', 'more notes were')} counted and not kept.`,
    attempts: 'Attempts',
    noAttempts: 'No provider was asked yet.',
    attempt: (attempt: number, provider: string) => `Attempt ${attempt}: ${provider}`,
    started: 'Started',
    took: 'Took',
    result: 'Result',
    running: 'Under way',
    transcript: 'Digits heard',
    measurements: 'Measurements',
    measurement: 'Measurement',
    field: 'Field',
    value: 'Value',
    moved: 'This verification has changed since you began to review it.',
    showNewest: 'Show the newest',
    unknownId: 'There is no verification with this source id.',
  },

  actions: {
    heading: 'Actions',
    retry: 'Retry',
    retryHint: 'Begins another pass of the route with the captures that are stored.',
    retried: 'The verification is queued again.',
    erase: 'Erase…',
    eraseHint: 'Deletes captures, verdict and metadata for good.',
    eraseHeading: 'Erase this verification?',
    eraseText: 'Its captures, verdict, attempts and metadata are deleted for good. This cannot be undone.',
    eraseType: (sourceId: string) => `Type ${sourceId} to confirm`,
    eraseMismatch: 'This is not the source id.',
    eraseNow: 'Erase for good',
    erased: 'The verification is erased.',
    cancel: 'Cancel',
  },

  review: {
    heading: 'Review',
    of: 'A reviewer decided',
    reviewer: 'Reviewer',
    reason: 'Reason',
    sequence: 'Sequence seen',
    first: 'First verdict',
    open: 'Review this verdict',
    again: 'Review it again',
    hint: (sequence: number) =>
      `Your outcome takes the place of the verdict as you see it (sequence ${sequence}). The first verdict is kept.`,
    outcome: 'Outcome',
    reasonHint: 'Why: kept with the verification, up to 500 characters, erased with it.',
    left: (count: number) => counted(count, 'character left', 'characters left'),
    send: 'Record the review',
    cancel: 'Cancel',
    recorded: 'Your review is recorded.',
    outcomeMissing: 'Choose an outcome.',
    reasonMissing: 'Say why.',
    conflict:
      'This verification has moved since you read it, so nothing was recorded. Look at the newest, then decide.',
  },

  captures: {
    heading: 'Captures',
    none: 'No captures are kept.',
    viewer: 'Captures are kept. Reviewers may look at them; you are a viewer.',
    written: 'Each look is written down with your name, before the capture is shown.',
    round: (round: number) => `round ${round}`,
    look: (name: string, round: number) => `Look at ${name.toLowerCase()}, round ${round}`,
    lookShort: 'Look',
    hide: 'Hide',
    fetching: 'Fetching…',
    landed: 'Landed',
    alt: (name: string, round: number) => `${name} of round ${round}`,
    cannotShow: (type: string) =>
      `This browser cannot show this ${type}. Hide it and look again, or use another browser: Safari shows HEIC and QuickTime.`,
    looks: 'Looks',
    looksCaption: 'Who looked at which capture',
    noLooks: 'No one has looked at a capture yet.',
    at: 'When',
    operator: 'Operator',
    capture: 'Capture',
  },

  providers: {
    heading: 'Providers',
    intro:
      'A breaker opens after five faults in a row, or at once where credentials or credits do not work. While it is open, the provider is not called.',
    caption: 'Breakers per provider',
    provider: 'Provider',
    state: 'Breaker',
    closed: 'Closed',
    open: 'Open',
    until: 'Next probe',
    openings: 'Openings in a row',
    reason: 'Why it opened',
    empty: 'No provider is set up.',
    allWell: 'Every provider is being called.',
    opened: (count: number) => counted(count, 'breaker is open.', 'breakers are open.'),
  },

  outcomes: {
    heading: 'Outcomes',
    intro: (count: number, from: string, to: string) =>
      `The last ${counted(count, 'outcome', 'outcomes')}, from ${from} to ${to}.`,
    empty: 'Nothing was decided yet.',
    emptyHint: 'Charts appear with the first outcome.',
    check: 'Check',
    any: 'Any',
    byOutcome: 'By outcome',
    byReason: 'By reason',
    byProvider: 'By provider',
    byTime: 'Time from last landing to verdict',
    outcome: 'Outcome',
    reason: 'Reason or fault',
    provider: 'Provider',
    count: 'Count',
    share: 'Share',
    time: 'Time',
    noReasons: 'No reasons were given.',
    noTimes: 'No times were measured.',
    noProvider: 'No provider was asked',
    timeIntro: (median: string, late: string, measured: number) =>
      `Half took at most ${median}, 95 of 100 at most ${late} (${numbers.format(measured)} measured).`,
    chart: (name: string) => `Chart: ${name}. The table has the same numbers.`,
  },

  states,
  outcomeNames: outcomes,
  captureNames: captures,
  attemptResults: { decided: 'Decided', accepted: 'Taken: the answer comes by webhook' },
  checks: {
    spoof_detect: 'Spoof detect',
    photo_verify: 'Photo verify',
    video_verify: 'Video verify',
  } satisfies Record<Check, string>,
  scoreNames: { live: 'Live', match: 'Match', digits: 'Digits', sync: 'Lip sync' },
  reasonText: (code: string) => new Map(Object.entries(reasons)).get(code) ?? code,
  faultText,
  happened,
  measurementOf,
  whyNoVerdict,
  because: (code: string) => noteText(code),
  seconds: (seconds: number) => (seconds < 10 ? `${seconds.toFixed(1)} s` : `${numbers.format(Math.round(seconds))} s`),
  /** Of the columns of the chart, in seconds; the table has `timeRanges`. */
  timeLabels: ['<1', '<2', '<3', '<5', '<10', '<20', '<60', '60+'],
  timeRanges: ['under 1 s', '1–2 s', '2–3 s', '3–5 s', '5–10 s', '10–20 s', '20–60 s', 'over 60 s'],

  /** What went wrong with a request, by its code; any other is told by the API's own title and detail. */
  problems: {
    network_failure: 'The server could not be reached. Check your connection and try again.',
    gateway: 'The server is busy. Try again in a moment.',
    internal: 'Something went wrong on the server. Try again in a moment.',
    operator_forbidden: 'Your role does not allow this.',
    origin_forbidden: 'This page is not the console of this server. Open the console anew.',
    captures_gone: 'The captures are no longer stored.',
    capture_missing: 'This capture is no longer stored.',
    retries_spent: 'This verification was retried too often. Begin a new one.',
    verification_unknown: 'There is no verification with this source id.',
  },
};

/** The shape of a catalogue. */
export type Words = typeof english;
