import { describe, expect, it } from 'vitest';
import { readDelivery } from '../../shared/providers/identify/delivery.ts';
import { answering, fixtureText, outcomeText } from './answering.ts';

/** A copy of a sample with what stands at `path` replaced; `undefined` removes it. */
function withChange(sample: string, path: string, value: unknown): string {
  const body: unknown = JSON.parse(sample);
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce<unknown>((within, name) => Reflect.get(Object(within), name), body);
  if (value === undefined) Reflect.deleteProperty(Object(holder), last);
  else Reflect.set(Object(holder), last, value);
  return JSON.stringify(body);
}

const live =
  '{"success":true,"message":"Process finished successfully","model_output":{"pred_idx":"real","prob_real":0.9}}';

describe('SpoofSense costs no verdict with', () => {
  it.each([
    ['message', null],
    ['message', undefined],
    ['message', { text: 'ok' }],
    ['model_output.pred_idx', 'Real'],
    ['model_output.pred_idx', null],
    ['model_output.pred_idx', 1],
    ['request_id', 'an extra field'],
    ['model_output.prob_spoof', 0.1],
  ])('%s as %j', async (path, value) => {
    const { outcome } = await answering('spoofsense', 'spoof_detect', { body: withChange(live, path, value) });
    expect(outcome).toBe('passed');
  });

  it.each([
    ['message', null],
    ['message', 7],
    ['model_output', null],
  ])('%s as %j beside an error_code', async (path, value) => {
    const noFace = '{"success":false,"message":"Face detection failed","error_code":"FACE_NOT_DETECTED"}';
    const { outcome } = await answering('spoofsense', 'spoof_detect', { body: withChange(noFace, path, value) });
    expect(outcome).toBe('recapture face_not_detected');
  });

  it('a byte order mark', async () => {
    expect((await answering('spoofsense', 'spoof_detect', { body: `\uFEFF${live}` })).outcome).toBe('passed');
  });
});

describe('One Smart Lab costs no verdict with', () => {
  const samples = {
    photo_verify: fixtureText('onesmartlab/002-photoverify.json'),
    video_verify: fixtureText('onesmartlab/002-videoverify.json'),
  } as const;

  it.each([
    ['photo_verify', 'error', ''],
    ['photo_verify', 'error', null],
    ['photo_verify', 'error', {}],
    ['photo_verify', 'success', null],
    ['photo_verify', 'success', 'TRUE'],
    ['photo_verify', 'request_id', 'an extra field'],
    ['photo_verify', 'predictions.model_params', null],
    ['photo_verify', 'predictions.model_params.FACE_TO_FRAME_RATIO_MAX', '0.7 but YOU CAN SAFELY IGNORE.'],
    ['photo_verify', 'predictions.model_params.THRESHOLD_SPOOF', { value: 0.9 }],
    ['photo_verify', 'predictions.model_output', 'none'],
    ['photo_verify', 'predictions.model_input', undefined],
    ['photo_verify', 'predictions.duration', '1.10 s'],
    ['photo_verify', 'predictions.start', '2018-08-17T19:37:25Z'],
    ['photo_verify', 'predictions.verification.breakdown.photo.distance', 'nan'],
    ['photo_verify', 'predictions.verification.breakdown.photo.not_spoof_confidence', 'high'],
    ['photo_verify', 'predictions.verification.breakdown.id_card.not_spoof_passed', 'unknown'],
    ['photo_verify', 'predictions.verification.breakdown.id_card', null],
    ['photo_verify', 'predictions.verification.breakdown', undefined],
    ['video_verify', 'error', ' '],
    ['video_verify', 'predictions.model_output.transcription', '1 2 3 4 5 7'],
    ['video_verify', 'predictions.model_output.transcription.results', null],
    ['video_verify', 'predictions.model_input.video.fps', 'variable'],
    ['video_verify', 'predictions.verification.breakdown', null],
  ] as const)('%s: %s as %j', async (check, path, value) => {
    const { outcome } = await answering('onesmartlab', check, { body: withChange(samples[check], path, value) });
    expect(outcome).toBe('passed');
  });

  it('but is not guessed at where a status or a flag is not readable', async () => {
    const verification = 'predictions.verification';
    for (const [path, value] of [
      [`${verification}.status`, 'maybe'],
      [`${verification}.status`, undefined],
      [`${verification}.breakdown.photo.not_spoof_passed`, 'maybe'],
    ] as const) {
      const body = withChange(samples.photo_verify, path, value);
      expect((await answering('onesmartlab', 'photo_verify', { body })).outcome, path).toBe('provider_unreadable');
    }
  });
});

describe('Identify', () => {
  const accepted = fixtureText('identify/000-received.json');
  const delivered = fixtureText('identify/000-result.json').replace(': .91', ': 0.91');
  const outcomeOf = (text: string) => {
    const answer = readDelivery(text)?.answer;
    return answer?.kind === 'decided' ? outcomeText(answer.finding) : answer?.kind;
  };

  it.each([
    ['message', null, 92],
    ['message', undefined, 92],
    ['message', { text: 'received' }, 92],
    ['remaining_credits', '91', 91],
    ['remaining_credits', 0, 0],
    ['remaining_credits', null, undefined],
    ['remaining_credits', 'unlimited', undefined],
    ['remaining_credits', undefined, undefined],
    ['request_id', 'an extra field', 92],
  ])('accepts with %s as %j, and its credits left are %s', async (path, value, credits) => {
    const answer = await answering('identify', 'spoof_detect', { body: withChange(accepted, path, value) });
    expect(answer.outcome).toBe('accepted');
    expect(answer.measurements.remaining_credits).toBe(credits);
  });

  it.each(['{}', '{"greeting":"hello"}', '{"remaining_credits":"none"}', '[]', '"received"'])(
    'has not accepted with %s',
    async (body) => {
      expect((await answering('identify', 'spoof_detect', { body })).outcome).toBe('provider_unreadable');
    },
  );

  it.each([
    ['error', ''],
    ['error', ' '],
    ['error', {}],
    ['error', []],
    ['error', false],
    ['error', undefined],
    ['payload.image_link', null],
    ['payload.image_link', ['a link']],
    ['payload.passed', 'TRUE'],
    ['version', 2],
  ])('decides with %s as %j', (path, value) => {
    expect(outcomeOf(withChange(delivered, path, value))).toBe('passed');
  });

  it('decides after a byte order mark, with .91 too', () => {
    expect(outcomeOf(`\uFEFF${delivered}`)).toBe('passed');
    expect(outcomeOf(`\uFEFF${fixtureText('identify/000-result.json')}`)).toBe('passed');
  });

  it.each(['No face found', { code: 'NO_FACE' }, ['No face found'], true, 7])(
    'has failed with the error %j',
    (error) => {
      expect(outcomeOf(withChange(delivered, 'error', error))).toBe('fault');
    },
  );
});
