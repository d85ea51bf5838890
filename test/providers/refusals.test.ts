import { expect, it } from 'vitest';
import { refusalIn } from '../../shared/providers/refusals.ts';

it.each([
  'Invalid API key',
  'invalid api_key',
  'INVALID_API_KEY',
  'InvalidApiKey',
  'API key not found.',
  'Missing parameter: api_key',
  'apikey is required',
  "KeyError: 'api_key'",
  'No x-api-key header',
  'Access denied due to invalid subscription key',
  'Your key has been revoked',
  'invalid access token',
  'Token expired',
  'Unauthorized',
  'You are not authorised to use this service',
  'Authorization required',
  'Authentication failed',
  'UNAUTHENTICATED',
  'Forbidden',
  'Permission denied',
  'Wrong credentials',
  'Account suspended',
  { code: 401, message: 'Unauthorized' },
  { api_key: ['This field is required.'] },
])('%j is about the key', (said) => {
  expect(refusalIn(said)).toBe('provider_unauthorized');
});

it.each([
  'Quota exceeded',
  'QUOTA_EXCEEDED',
  'API key quota exceeded',
  'Not enough credits',
  'Insufficient credit',
  'insufficientFunds',
  'Payment required',
  'Your subscription has expired',
  'Trial period is over',
  'You have reached your monthly limit',
  'Daily limit exceeded',
  'Please upgrade your plan',
  'Billing is not enabled for this account',
  { error: { type: 'insufficient_quota' } },
])('%j is about the credits', (said) => {
  expect(refusalIn(said)).toBe('provider_credits_spent');
});

it.each([
  'Rate limit exceeded',
  'rateLimitExceeded',
  'RATE_LIMIT',
  'Too many requests',
  'Request was throttled.',
  'Slow down',
])('%j is about the pace', (said) => {
  expect(refusalIn(said)).toBe('provider_throttled');
});

it.each([
  'SOME_ERROR',
  'A parameter is missing',
  'Could not process: unreadable',
  'No face found',
  "KeyError: 'photo'",
  'Missing key: photo',
  'Unexpected token < in JSON',
  'File size limit exceeded',
  'Image dimensions exceed the limit',
  'Could not authenticate the person in the photo',
  'A credit card is not an ID card',
  'The ID card has expired',
  'Driving licence expired',
  'Video is too long',
  'No keypoints found',
  '',
  {},
  null,
  undefined,
  42,
  'Missing quotation mark',
])('%j may be about the capture', (said) => {
  expect(refusalIn(said)).toBeUndefined();
});

it('reads the beginning of a refusal that is as long as an answer may be', () => {
  expect(refusalIn('x'.repeat(1024 * 1024))).toBeUndefined();
  expect(refusalIn(`Invalid API key ${'x'.repeat(1024 * 1024)}`)).toBe('provider_unauthorized');
});
