import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../local/event-pattern.ts';

const event = {
  source: 'aws.s3',
  detail: {
    bucket: { name: 'captures' },
    object: { key: 'captures/a/1/selfie', size: 5 },
    tags: ['red', 'blue'],
    gone: null,
  },
};

describe('an event pattern', () => {
  it.each<[string, unknown, boolean]>([
    ['a literal', { source: ['aws.s3', 'aws.ec2'] }, true],
    ['another literal', { source: ['aws.ec2'] }, false],
    ['a nested prefix', { detail: { object: { key: [{ prefix: 'captures/' }] } } }, true],
    ['another prefix', { detail: { object: { key: [{ prefix: 'other/' }] } } }, false],
    ['a suffix', { detail: { object: { key: [{ suffix: 'selfie' }] } } }, true],
    ['a prefix without case', { source: [{ prefix: { 'equals-ignore-case': 'AWS.' } }] }, true],
    ['a text without case', { source: [{ 'equals-ignore-case': 'AWS.S3' }] }, true],
    ['a wildcard', { detail: { object: { key: [{ wildcard: 'captures/*/selfie' }] } } }, true],
    ['a wildcard with a literal dot', { source: [{ wildcard: 'aws?s*' }] }, false],
    ['a number in a range', { detail: { object: { size: [{ numeric: ['>', 0, '<=', 5] }] } } }, true],
    ['a number out of it', { detail: { object: { size: [{ numeric: ['>', 5] }] } } }, false],
    ['a field that exists', { detail: { object: [{ exists: true }] } }, true],
    ['a field that must not exist', { detail: { object: { 'version-id': [{ exists: false }] } } }, true],
    ['a field below one that is missing', { detail: { missing: { below: [{ exists: false }] } } }, true],
    ['anything but this', { source: [{ 'anything-but': ['aws.s3'] }] }, false],
    ['anything but another', { source: [{ 'anything-but': 'aws.ec2' }] }, true],
    ['anything but a prefix', { source: [{ 'anything-but': { prefix: 'aws.' } }] }, false],
    ['anything but, of a field that is missing', { nothing: [{ 'anything-but': 'x' }] }, false],
    ['any element of an array', { detail: { tags: ['blue'] } }, true],
    ['null', { detail: { gone: [null] } }, true],
    ['one of two patterns', { $or: [{ source: ['no'] }, { detail: { tags: ['red'] } }] }, true],
    ['neither of two patterns', { $or: [{ source: ['no'] }, { source: ['none'] }] }, false],
    ['two fields of which one differs', { source: ['aws.s3'], detail: { tags: ['green'] } }, false],
  ])('%s', (_, pattern, expected) => {
    expect(matchesPattern(pattern, event)).toBe(expected);
  });

  it('refuses operators it does not know', () => {
    expect(() => matchesPattern({ source: [{ cidr: '10.0.0.0/24' }] }, event)).toThrow('cidr');
  });
});
