import * as z from 'zod';
import { type FaultCode, faultCodes } from '../domain/fault.ts';
import { understood } from '../domain/later.ts';
import { type Finding, finding, type Measurements, type recaptureReasons, type Verdict } from '../domain/verdict.ts';
import { type Attempt, firstVerdict, type InState, type Verification } from '../domain/verification.ts';

/** What vendors have words for. */
export type SpokenVerdict = Pick<Finding, 'outcome' | 'confidence' | 'reasons' | 'scores'>;

/** What the answer of a vendor's API that we serve is written from: a verdict, and the attempt that it came from. */
export interface Judged {
  readonly verdict: SpokenVerdict;
  /** Of that attempt; a number that its provider did not measure is absent. */
  readonly measurements: Measurements;
  /** ISO. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Thresholds of the policy for that provider. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** The digits that were heard, without spaces; '' where none were, absent where nothing was listened to. */
  readonly transcript?: string | undefined;
  readonly challenge?: string | undefined;
  readonly languageCode?: string | undefined;
}

/** The engine's own threshold, where the policy has none. A provider without one decides by itself, and its verdict counts. */
export const defaultLive = 0.5;

/** Status and body of an answer: JSON, or text where the body is a string. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A record's first verdict: the vendors' protocols have no reviews. One that we gave without asking a provider has no attempt: its times are the record's own. */
export function judgedIn(record: InState<'decided'>): Judged {
  const { round, plan, challenge, languageCode, createdAt } = record;
  const { verdict, at } = firstVerdict(record);
  const attempt: Attempt | undefined = record.attempts.find((one) => one.round === round && one.result === 'decided');
  return {
    verdict: spoken(verdict),
    measurements: attempt?.measurements ?? {},
    startedAt: attempt?.startedAt ?? createdAt,
    endedAt: attempt?.endedAt ?? at,
    thresholds: new Map(Object.entries(plan.thresholds)).get(verdict.provider) ?? {},
    transcript: attempt?.transcript,
    challenge,
    languageCode,
  };
}

/** A verdict to say in a vendor's words, which has none for what a later version found: that is said by one that knows. */
export const spoken = (verdict: Verdict): SpokenVerdict => understood(finding, verdict, 'this verdict');

const code = z.enum(faultCodes);
/** The same of a fault. */
export const spokenFault = (fault: InState<'errored'>['fault']): FaultCode => understood(code, fault, 'this fault');

/** Words for the person, where the vendor's protocol has room for words; docs/reasons.md has the same. */
export const whatToDo: Readonly<Record<(typeof recaptureReasons)[number], string>> = {
  face_not_detected: 'We cannot find a face. Show your whole face, and the side of your ID with the photo.',
  multiple_faces: 'Someone else is in the picture. Please take it alone.',
  face_too_small: 'Your face is too far away. Please come closer.',
  face_too_large: 'Your face is too close. Please hold the camera further away.',
  face_cropped: 'Part of your face is outside the picture. Please keep all of it inside.',
  face_turned: 'Please hold the camera upright and look straight into it.',
  too_blurred: 'The picture is blurred. Wipe the lens and hold still.',
  too_noisy: 'The picture is grainy. Please take it in better light, without filters.',
  unnatural_colours: 'The colours are unusual. Please take it in daylight or white light, without filters.',
  too_dark: 'It is too dark. Please turn towards a window or a lamp.',
  too_bright: 'It is too bright. Please turn away from direct light.',
  capture_unreadable: 'We could not open the file. Please take a new one with your camera.',
  capture_too_large: 'The file is too large. Please take a new picture, or a shorter video.',
  format_unsupported: 'We cannot read videos of this format. Please record with another app, browser or phone.',
  video_too_short: 'The video is too short. Please record until you have said all digits.',
  move_your_head: 'Please turn your head while you speak: a little from side to side, or as you were asked to.',
  card_not_seen: 'We cannot see your ID. Please take a picture of the card itself, with all its edges.',
  id_face_too_small: 'The photo on your ID is too small. Please move the camera closer to it.',
  audio_missing: 'The video has no sound. Please allow the microphone and record again.',
  digits_not_heard: 'We could not hear the digits. Please say them loud and clear, in a quiet place.',
  challenge_expired: 'That took too long. Please record the video again and say the new digits.',
};

/** Where no reason says more. */
export const takeItAgain = 'Please take it again: in good light, looking straight into the camera, holding still.';

/** How a vendor's API is answered. */
export interface Speech {
  readonly judged: (judged: Judged) => Reply;
  readonly fault: (code: FaultCode) => Reply;
  readonly timedOut: Reply;
}

/** What a call is answered with the record as it rests, or as it is when the call has waited long enough. */
export function answerOf(record: Verification, { judged, fault, timedOut }: Speech): Reply {
  switch (record.state) {
    case 'decided':
      return judged(judgedIn(record));
    case 'errored':
      return fault(spokenFault(record.fault));
    case 'expired':
    case 'erased':
      return fault('captures_gone');
    default:
      return timedOut;
  }
}
