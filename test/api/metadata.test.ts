import { describe, expect, it } from 'vitest';
import { readJson } from '../../shared/api/json.ts';
import { askedOf, verificationRequest, viewVerification } from '../../shared/api/verifications.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const body = (metadata: string) =>
  `{"source_id":"u-42","check":"spoof_detect","captures":{"selfie":{"content_type":"image/jpeg"}},"metadata":${metadata}}`;

/** What a caller reads of the metadata it sent, or the fields it is told are wrong. */
function sent(metadata: string): unknown {
  const request = verificationRequest.safeParse(readJson(body(metadata)));
  if (!request.success) return request.error.issues.map(({ path }) => `/${path.join('/')}`);
  const { metadataText } = askedOf(request.data);
  return viewVerification(anAwaitingVerification({ metadataText }), 'u-42').metadata;
}

describe('metadata', () => {
  it.each([
    '{}',
    '{"a":[1,-2.5,1e200,1e-200,0.1,100.00,-0,true,null,"x",{"b":[]}]}',
    '{"":1,"__proto__":{"x":1},"constructor":"c","toString":null,"a b/c~d":2}',
    '{"lone":"\\ud800","emoji":"😀","zero":"\\u0000"}',
    '{"id":9007199254740991,"text":"1234567890123456789"}',
  ])('comes back as it was sent: %s', (metadata) => {
    expect(JSON.stringify(sent(metadata))).toBe(JSON.stringify(JSON.parse(metadata)));
  });

  it.each([
    ['{"id":1234567890123456789}', '/metadata/id'],
    ['{"a":{"b":[0,1e400]}}', '/metadata/a/b/1'],
    ['{"a":1e-400}', '/metadata/a'],
    ['{"a":0.1234567890123456789}', '/metadata/a'],
    [`{"a":${'9'.repeat(40)}}`, '/metadata/a'],
    ['[]', '/metadata'],
    ['1234567890123456789', '/metadata'],
    ['"text"', '/metadata'],
    [`{"a":"${'ü'.repeat(1025)}"}`, '/metadata'],
  ])('that could not come back as it was sent is refused, naming the field: %s', (metadata, field) => {
    expect(sent(metadata)).toEqual([field]);
  });

  it.each([21, 100, 8000])('nested %i levels deep is refused before anything walks into it', (depth) => {
    const nested = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(() => sent(nested)).toThrow(
      expect.objectContaining({ code: 'request_invalid', errors: [expect.objectContaining({ field: '/metadata' })] }),
    );
  });

  it('of a record that an earlier version wrote is shown as it stands there', () => {
    expect(viewVerification(anAwaitingVerification({ metadata: { a: 1 } }), 'u-42')).toMatchObject({
      metadata: { a: 1 },
    });
  });
});
