import { describe, expect, it } from 'vitest';
import {
  choicesOf,
  constraintsFor,
  insteadOf,
  type Surroundings,
  troubleBefore,
  troubleOf,
} from '../../web/capture/camera.ts';
import { isBlack } from '../../web/capture/picture.ts';

const around: Surroundings = {
  isSecure: true,
  hasCameraApi: true,
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36',
  isFramed: false,
  isAllowedByPolicy: true,
};
const instagram =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/21F90 Instagram 334.0';
const androidWebView =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 Version/4.0 Chrome/124.0 Mobile Safari/537.36';

describe('the camera is asked for', () => {
  const wish = { facing: 'user', withSound: false, upright: true } as const;

  it('with nothing that could be refused', () => {
    const { video, audio } = constraintsFor({ ...wish, withSound: true });
    for (const of of [video, audio]) {
      for (const constraint of Object.values(of as object)) expect(Object.keys(constraint)).toEqual(['ideal']);
    }
  });

  it('by name alone where the person chose one', () => {
    const { video } = constraintsFor({ ...wish, deviceId: 'chosen' });
    expect(video).toMatchObject({ deviceId: { exact: 'chosen' }, width: { ideal: 720 } });
    expect(video).not.toHaveProperty('facingMode');
  });

  it('as the device is held', () => {
    const held = (upright: boolean) => constraintsFor({ ...wish, upright }).video;
    expect(held(true)).toMatchObject({ width: { ideal: 720 }, height: { ideal: 1280 } });
    expect(held(false)).toMatchObject({ width: { ideal: 1280 }, height: { ideal: 720 } });
  });

  it('with the microphone in one call, and without it where nothing is said', () => {
    expect(constraintsFor({ ...wish, withSound: true }).audio).toBeTruthy();
    expect(constraintsFor(wish).audio).toBe(false);
  });

  it('for fewer pixels where the device was too slow', () => {
    expect(constraintsFor({ ...wish, smaller: true }).video).toMatchObject({ height: { ideal: 640 } });
  });
});

describe('what keeps the camera away', () => {
  it.each([
    ['insecure', { isSecure: false, hasCameraApi: false }],
    ['unsupported', { hasCameraApi: false }],
    ['in_app_browser', { hasCameraApi: false, userAgent: instagram }],
    ['not_allowed_in_frame', { isFramed: true, isAllowedByPolicy: false }],
    [undefined, {}],
  ] as const)('is %s before anyone is asked', (trouble, overrides) => {
    expect(troubleBefore({ ...around, ...overrides })).toBe(trouble);
  });

  it.each([
    ['denied', 'NotAllowedError', 'Permission denied', {}],
    ['dismissed', 'NotAllowedError', 'Permission dismissed', {}],
    ['denied_by_system', 'NotAllowedError', 'Permission denied by system', {}],
    ['in_app_browser', 'NotAllowedError', '', { userAgent: androidWebView }],
    ['not_found', 'NotFoundError', 'Requested device not found', {}],
    ['busy', 'NotReadableError', 'Could not start video source', {}],
    ['busy', 'AbortError', 'Starting videoinput failed', {}],
    ['overconstrained', 'OverconstrainedError', '', {}],
    ['unsupported', 'TypeError', '', {}],
  ] as const)('is %s where the browser says %s: %s', (trouble, name, message, overrides) => {
    const surroundings = { ...around, ...overrides };
    expect(troubleOf({ name, message, afterMilliseconds: 2000, surroundings })).toBe(trouble);
  });

  it('is the page around a frame, where the browser denies sooner than a person can', () => {
    const surroundings = { ...around, isFramed: true, isAllowedByPolicy: undefined };
    const denied = { name: 'NotAllowedError', message: '', surroundings };
    expect(troubleOf({ ...denied, afterMilliseconds: 5 })).toBe('not_allowed_in_frame');
    expect(troubleOf({ ...denied, afterMilliseconds: 3000 })).toBe('denied');
  });

  it('is a missing microphone, where there is a camera', () => {
    const notFound = { name: 'NotFoundError', message: '', afterMilliseconds: 5, surroundings: around };
    expect(troubleOf({ ...notFound, hasCamera: true })).toBe('no_microphone');
    expect(troubleOf({ ...notFound, hasCamera: false })).toBe('not_found');
  });
});

describe('of several cameras', () => {
  const device = (label: string, kind: MediaDeviceKind = 'videoinput') => ({ kind, deviceId: `id of ${label}`, label });

  it('infrared ones come last, and are taken by nothing but choice', () => {
    const choices = choicesOf([
      device('Integrated IR Camera'),
      device('Microphone', 'audioinput'),
      device('Integrated Camera'),
    ]);
    expect(choices.map(({ label }) => label)).toEqual(['Integrated Camera', 'Integrated IR Camera']);
    expect(insteadOf('Integrated IR Camera', choices)?.label).toBe('Integrated Camera');
    expect(insteadOf('Integrated Camera', choices)).toBeUndefined();
    expect(insteadOf('Integrated IR Camera', choices.slice(1))).toBeUndefined();
  });

  it('none without an id is offered: the browser names them only once it was allowed', () => {
    expect(choicesOf([{ kind: 'videoinput', deviceId: '', label: '' }])).toEqual([]);
  });
});

describe('a picture', () => {
  const pixels = (luma: (index: number) => number) =>
    Array.from({ length: 32 * 32 }, (_, index) => [luma(index), luma(index), luma(index), 255]).flat();

  it('of a covered lens is black, one of a dark room with a lamp is not', () => {
    expect(isBlack(pixels((index) => index % 4))).toBe(true);
    expect(isBlack(pixels((index) => (index < 20 ? 200 : 3)))).toBe(false);
    expect(isBlack(pixels(() => 30))).toBe(false);
  });
});
