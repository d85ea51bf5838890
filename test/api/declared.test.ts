import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultsOf, routes } from '../../shared/api/operations.ts';
import { faults } from '../../shared/domain/fault.ts';
import { declared, rowOf } from '../journeys/declared.ts';

const state = { source_id: 'u-1', livemode: true, check: 'spoof_detect', state: 'erased', round: 1, sequence: 2 };
const problem = (code: string, status: number) => ({
  status,
  body: { type: 'urn:x', title: 'x', status, detail: 'x', code, retryable: false },
});

describe('what a journey is answered', () => {
  it('is an answer of the route’s row', () => {
    expect(rowOf('DELETE', '/verifications/u-1')?.key).toBe('DELETE /verifications/{source_id}');
    declared('DELETE', '/verifications/u-1', { status: 200, body: state });
    declared('DELETE', '/verifications/u-1', problem('verification_unknown', 404));
    declared('GET', '/verifications/u-1?wait=1', { status: 503, body: { message: 'Service Unavailable' } });
  });

  it.each([
    ['a fault of another route', problem('captures_gone', 409)],
    ['a bug', problem('internal', 500)],
    ['another status', { status: 202, body: state }],
    ['another body', { status: 200, body: { ...state, sequence: 'two' } }],
    ['no problem', { status: 400, body: 'x' }],
  ])('fails the test that provoked it where it is %s', (_, answer) => {
    expect(() => declared('DELETE', '/verifications/u-1', answer)).toThrow('does not declare');
  });

  it.each(routes.map((route) => [route.key, route] as const))('%s names each fault once', (_, route) => {
    const named = faultsOf(route);
    expect(new Set(route.faults).size).toBe(route.faults.length);
    for (const code of named) expect(faults).toHaveProperty(code);
  });
});

const journeys = globSync('test/journeys/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** Webhooks are sent by the vendor simulator, to an address that it is given. */
const called = routes.filter(({ callers }) => callers.length > 0);

it.each(called.map(({ key, method, path }) => [key, method, path]))('%s is called by a journey', (_, method, path) => {
  const asWritten = path.replaceAll(/\{\w+\}/g, String.raw`(?:\$\{\w+\}|[\w-]+)`);
  expect(journeys).toMatch(new RegExp(`'${method}',\\s*['"\`]${asWritten}['"\`?]`));
});
