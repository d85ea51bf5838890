import { describe, expect, it } from 'vitest';
import { Fault } from '../../shared/domain/fault.ts';
import { readCall as readForm } from '../../shared/providers/onesmartlab/calls.ts';
import { readCall as readJson } from '../../shared/providers/spoofsense/calls.ts';

const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const mp4 = Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1');
const base64 = jpeg.toString('base64');

function faultOf(act: () => unknown): Fault {
  try {
    act();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('It was taken');
}

describe('a call of SpoofSense', () => {
  const read = (data: unknown) => readJson(Buffer.from(JSON.stringify({ data })));

  it.each([
    ['as it is', base64],
    ['as a data URL', `data:image/jpeg;base64,${base64}`],
    ['as a data URL with parameters', `data:image/jpeg;charset=utf-8;base64,${base64}`],
    ['in lines, as Python’s encodebytes has it', base64.replaceAll(/(.{10})/g, '$1\n')],
    ['in lines of Windows', base64.replaceAll(/(.{10})/g, '$1\r\n')],
    ['without its padding', base64.replaceAll('=', '')],
  ])('has its picture read %s', (_, data) => {
    expect(read(data)).toEqual({ contentType: 'image/jpeg', bytes: jpeg });
  });

  it('has its type told by the bytes', () => {
    expect(read(`data:image/jpeg;base64,${png.toString('base64')}`).contentType).toBe('image/png');
  });

  it.each([
    ['not base64', '%%%'],
    ['base64 with something else in it', `${base64.slice(0, 8)}*${base64.slice(8)}`],
    ['the alphabet of URLs', Buffer.from('ffd8fffbffffbf', 'hex').toString('base64url')],
    ['a character too few', base64.slice(0, 5)],
    ['too much padding', `${base64}==`],
    ['padding in the middle', `${base64.slice(0, 4)}=${base64.slice(4)}`],
    ['empty', ''],
    ['a data URL of nothing', 'data:image/jpeg;base64,'],
    ['no picture', Buffer.from('GIF89a').toString('base64')],
    ['a video', mp4.toString('base64')],
    ['a number', 5],
    ['null', null],
    ['absent', undefined],
  ])('has no picture where data is %s', (_, data) => {
    expect(faultOf(() => read(data)).code).toBe('request_unreadable');
  });

  it.each([
    ['not JSON', Buffer.from('data=abc')],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a prototype', Buffer.from(`{"__proto__":{"data":"${base64}"}}`)],
    ['empty', Buffer.alloc(0)],
  ])('has no picture where the body is %s', (_, body) => {
    expect(faultOf(() => readJson(body)).code).toBe('request_unreadable');
  });
});

describe('a call of One Smart Lab', () => {
  const formOf = (files: Record<string, Uint8Array>, fields: Record<string, string> = {}) => ({
    files: new Map(Object.entries(files)),
    fields: new Map(Object.entries(fields)),
  });
  const spoken = { audiochallenge: '123457', languageCode: 'en-US' };
  const jpegCapture = { contentType: 'image/jpeg', bytes: jpeg };

  it('is read by its route', () => {
    expect(readForm('photoverify', formOf({ photo: jpeg, id_card: png }))).toEqual({
      check: 'photo_verify',
      captures: { selfie: jpegCapture, id_card: { contentType: 'image/png', bytes: png } },
    });
    expect(readForm('videoverify', formOf({ video: mp4, id_card: jpeg }, spoken))).toEqual({
      check: 'video_verify',
      captures: { video: { contentType: 'video/mp4', bytes: mp4 }, id_card: jpegCapture },
      challenge: '123457',
      languageCode: 'en-US',
    });
    expect(readForm('spoofdetect', formOf({ photo: jpeg }))).toEqual({
      check: 'spoof_detect',
      captures: { selfie: jpegCapture },
    });
  });

  it('is taken as the document’s own PHP has it: a video at /photoverify, the photo as id_card at /spoofdetect', () => {
    expect(readForm('photoverify', formOf({ video: mp4, id_card: jpeg }, spoken)).check).toBe('video_verify');
    expect(readForm('spoofdetect', formOf({ id_card: jpeg })).captures).toEqual({ selfie: jpegCapture });
    expect(readForm('spoofdetect', formOf({ id_card: png, photo: jpeg })).captures).toEqual({ selfie: jpegCapture });
  });

  it.each([
    ['photoverify', formOf({ photo: jpeg }), 'request_invalid', 'id_card: send it as a file.'],
    ['photoverify', formOf({ id_card: jpeg }), 'request_invalid', 'photo: send it as a file.'],
    ['spoofdetect', formOf({}), 'request_invalid', 'photo: send it as a file.'],
    ['videoverify', formOf({ id_card: jpeg }, spoken), 'request_invalid', 'video: send it as a file.'],
    ['spoofdetect', formOf({ photo: mp4 }), 'request_invalid', 'photo: send a photo, as JPEG or PNG.'],
    ['spoofdetect', formOf({ photo: Buffer.alloc(0) }), 'request_invalid', 'photo: send a photo, as JPEG or PNG.'],
    ['videoverify', formOf({ video: jpeg, id_card: jpeg }, spoken), 'request_invalid', 'video: send a video, as MP4.'],
  ] as const)('says which part is missing or of another type: %s %#', (path, form, code, message) => {
    expect(faultOf(() => readForm(path, form))).toMatchObject({ code, message });
  });

  it.each(['', '12345', '1234567', '111111', '１２３４５６', '12 345', 'abcdef'])(
    'is refused with the digits %j',
    (audiochallenge) => {
      const form = formOf({ video: mp4, id_card: jpeg }, { ...spoken, audiochallenge });
      expect(faultOf(() => readForm('videoverify', form))).toMatchObject({
        code: 'request_invalid',
        message: 'audiochallenge: send six digits that are not all the same.',
      });
    },
  );

  it('is refused with what is no language, and needs none', () => {
    const form = (languageCode: string) => formOf({ video: mp4, id_card: jpeg }, { ...spoken, languageCode });
    expect(faultOf(() => readForm('videoverify', form('en_US'))).message).toBe(
      'languageCode: send a language code such as en-US.',
    );
    expect(readForm('videoverify', form('')).languageCode).toBeUndefined();
  });
});
