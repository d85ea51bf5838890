import { describe, expect, it } from 'vitest';
import {
  type Event,
  endings,
  firstState,
  interruptions,
  type Journey,
  next,
  type Seen,
  type Shot,
  type State,
  stateNames,
  transitions,
  troubles,
} from '../../web/capture/states.ts';

const journey: Journey = {
  check: 'photo_verify',
  missing: ['id_card', 'selfie'],
  captures: ['id_card', 'selfie'],
  roundsLeft: 2,
};
const shot = (name: Shot['name'] = 'id_card'): Shot => ({ name, blob: new Blob(['x']), contentType: 'image/jpeg' });
const seen = (overrides: Partial<Seen> = {}): Event => ({
  type: 'seen',
  seen: { state: 'awaiting_captures', reasons: [], handedOff: false, journey, ...overrides },
});
const stateAfter = (...events: readonly Event[]): State => events.reduce(next, firstState(false));

const began: Event = { type: 'began' };
const opened: Event = { type: 'camera_opened' };
const landed: Event = { type: 'landed' };
const toCamera = [seen(), began, opened];

describe('what a person sees', () => {
  it('is every capture that is missing, in order, then the wait', () => {
    const taken = (name: Shot['name']): Event => ({ type: 'captured', shot: shot(name), sure: false });
    const uploading = [...toCamera, taken('id_card'), { type: 'kept' } as const];
    expect(stateAfter(...uploading)).toMatchObject({ at: 'uploading', step: 'id_card' });
    expect(stateAfter(...uploading, landed)).toMatchObject({ at: 'starting', step: 'selfie' });
    const second = [...uploading, landed, opened, taken('selfie'), { type: 'kept' } as const];
    expect(stateAfter(...second, landed)).toMatchObject({ at: 'waiting' });
    expect(stateAfter(...second, landed, seen({ state: 'decided', outcome: 'passed' }))).toMatchObject({
      at: 'done',
      ending: 'passed',
    });
  });

  it('is no second look at a picture that guidance found good', () => {
    expect(stateAfter(...toCamera, { type: 'captured', shot: shot(), sure: true }).at).toBe('uploading');
    expect(stateAfter(...toCamera, { type: 'captured', shot: shot(), sure: false }).at).toBe('reviewing');
  });

  it('is all captures anew after a recapture, and the reasons', () => {
    const recapture = seen({
      state: 'decided',
      outcome: 'recapture',
      reasons: ['too_dark'],
      journey: { ...journey, missing: [] },
    });
    expect(stateAfter(recapture)).toMatchObject({ at: 'recapture', reasons: ['too_dark'] });
    expect(stateAfter(recapture, began)).toMatchObject({ at: 'starting', step: 'id_card' });
  });

  it('is no other try where no round is left', () => {
    const spent = { ...journey, roundsLeft: 0 };
    expect(stateAfter(seen({ state: 'decided', outcome: 'recapture', journey: spent }))).toMatchObject({
      at: 'done',
      ending: 'rounds_spent',
    });
  });

  it('is a failure without its reason', () => {
    const failed = stateAfter(seen({ state: 'decided', outcome: 'failed', reasons: ['face_mismatch'] }));
    expect(failed).toMatchObject({ at: 'done', ending: 'failed' });
    expect(JSON.stringify(failed)).not.toContain('face_mismatch');
  });

  it('is new digits, and no error, where the old ones died before the video was sent', () => {
    const video = { ...journey, missing: ['video' as const] };
    const recording = [seen({ journey: video }), began, opened, { type: 'digits_issued', digits: '407193' } as const];
    const sending = [...recording, { type: 'captured', shot: shot('video'), sure: true } as const];
    expect(stateAfter(...sending, { type: 'interrupted', why: 'digits_expired' })).toMatchObject({
      at: 'interrupted',
      why: 'digits_expired',
    });
  });

  it('is a smaller recording after one that came out too short', () => {
    const video = { ...journey, missing: ['video' as const] };
    const short = [
      seen({ journey: video }),
      began,
      opened,
      { type: 'digits_issued', digits: '407193' } as const,
      { type: 'trouble_met', trouble: 'too_short' } as const,
      { type: 'resumed' } as const,
    ];
    expect(stateAfter(...short)).toMatchObject({ at: 'starting', smaller: true });
  });

  it('is the same upload again once the connection is back', () => {
    const sending = [...toCamera, { type: 'captured', shot: shot(), sure: true } as const];
    const back = stateAfter(
      ...sending,
      { type: 'progressed', share: 0.4 },
      { type: 'lost_connection' },
      { type: 'retried' },
    );
    expect(back).toMatchObject({ at: 'uploading', share: 0, shot: { name: 'id_card' } });
  });

  it('is what the phone does, while the phone does it', () => {
    const asked: Event = { type: 'hand_off_asked' };
    expect(stateAfter(seen(), asked, seen()).at).toBe('handing_off');
    expect(stateAfter(seen(), asked, seen({ handedOff: true })).at).toBe('handed_off');
    const phone = [seen(), asked, seen({ handedOff: true })];
    expect(stateAfter(...phone, seen({ state: 'queued', handedOff: true })).at).toBe('waiting');
    const recaptured = seen({ state: 'decided', outcome: 'recapture', handedOff: true });
    expect(stateAfter(...phone, seen({ state: 'queued', handedOff: true }), recaptured).at).toBe('handed_off');
    expect(stateAfter(...phone, seen({ state: 'decided', outcome: 'passed', handedOff: true }))).toMatchObject({
      at: 'done',
      ending: 'passed',
    });
    expect(stateAfter(...phone, { type: 'hand_off_ended' }).at).toBe('loading');
  });

  it('is nothing on a phone before the person presses', () => {
    const claiming = firstState(true);
    expect(next(claiming, seen())).toBe(claiming);
    expect(next(claiming, { type: 'claim_pressed' }).at).toBe('loading');
  });

  it('is one calm page for a token that is no good', () => {
    expect(stateAfter({ type: 'refused', of: 'verification' })).toEqual({ at: 'closed', why: 'verification' });
    expect(stateAfter(seen({ state: 'erased' }))).toEqual({ at: 'closed', why: 'verification' });
  });
});

describe('the table of transitions', () => {
  const types = [
    'began',
    'resumed',
    'prompt_unanswered',
    'camera_opened',
    'camera_changed',
    'file_asked',
    'digits_asked',
    'kept',
    'landed',
    'all_landed',
    'waited_long',
    'hand_off_asked',
    'hand_off_expired',
    'hand_off_ended',
    'claim_pressed',
    'opened_elsewhere',
    'taken_over',
    'lost_connection',
    'retried',
  ] as const;
  const states = ['awaiting_captures', 'queued', 'dispatched', 'decided', 'errored', 'expired', 'erased'] as const;
  const journeys = [journey, { ...journey, missing: [] }, { ...journey, roundsLeft: 0 }];
  const events: readonly Event[] = [
    ...types.map((type): Event => ({ type })),
    ...troubles.map((trouble): Event => ({ type: 'trouble_met', trouble })),
    ...interruptions.map((why): Event => ({ type: 'interrupted', why })),
    { type: 'digits_issued', digits: '407193' },
    ...[true, false].map((sure): Event => ({ type: 'captured', shot: shot(), sure })),
    ...[0.3, 2].map((share): Event => ({ type: 'progressed', share })),
    ...[true, false].map((offline): Event => ({ type: 'connection_changed', offline })),
    { type: 'hand_off_opened', link: 'https://bonafide.example/capture/a/b#h_c', expiresAt: 0 },
    ...(['verification', 'hand_off'] as const).map((of): Event => ({ type: 'refused', of })),
    ...states.flatMap((state) =>
      (['passed', 'failed', 'recapture'] as const).flatMap((outcome) =>
        [true, false].flatMap((handedOff) => journeys.map((one) => seen({ state, outcome, handedOff, journey: one }))),
      ),
    ),
  ];

  it('has every move that any order of events makes, and no other', () => {
    const moves = new Set<string>();
    const known = new Set<string>();
    const open = [firstState(false), firstState(true)];
    for (let state = open.pop(); state; state = open.pop()) {
      for (const event of events) {
        const following = next(state, event);
        if (following.at !== state.at) moves.add(`${state.at} to ${following.at}`);
        const text = JSON.stringify(following);
        if (known.has(text)) continue;
        known.add(text);
        open.push(following);
      }
    }
    const allowed = stateNames.flatMap((from) => transitions[from].map((to) => `${from} to ${to}`));
    expect([...moves].sort()).toEqual(allowed.filter((move) => move !== 'trouble to trouble').sort());
    expect(known.size).toBeGreaterThan(100);
  });

  it('has a way out of every state but the last ones', () => {
    const last = stateNames.filter((name) => transitions[name].length === 0);
    expect(last).toEqual(['done', 'closed']);
  });

  it('has an end for whatever Bonafide decides', () => {
    expect(endings).toEqual(['passed', 'failed', 'errored', 'rounds_spent', 'expired']);
  });
});
