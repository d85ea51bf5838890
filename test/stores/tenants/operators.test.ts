import { randomBytes } from 'node:crypto';
import { GetItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { consoleSessionSeconds, invitationSeconds } from '../../../shared/domain/times.ts';
import { dynamoOperators, maximumOperators, maximumSessions } from '../../../shared/stores/tenants/operators.ts';
import { tenantsTable } from './tenants-table.ts';

const { client, passes, requests, now } = tenantsTable();
const open = () => dynamoOperators({ client: client(), table: 'tenants', now, randomBytes });
const ada = { name: 'Ada', role: 'reviewer' } as const;
const refusedSession = { code: 'session_invalid', status: 401, message: 'Sign in to the console again.' };
const refusedInvitation = {
  code: 'invitation_invalid',
  status: 410,
  message: 'Ask for another link: each works once, for 15 minutes.',
};

const everything = async () =>
  JSON.stringify(
    ((await client().send(new ScanCommand({ TableName: 'tenants' }))).Items ?? []).map((row) => unmarshall(row)),
  );

describe('an invitation', () => {
  it('begins a session of eight hours, and neither it nor what opens the session is stored', async () => {
    const { code, operator, expiresAt } = await open().invite('acme', ada);
    expect(operator).toMatchObject(ada);
    expect(expiresAt - now().getTime() / 1000).toBe(invitationSeconds);
    const session = await open().spend(code);
    expect(session).toMatchObject({ tenant: { id: 'acme' }, operator });
    expect(session.expiresAt - now().getTime() / 1000).toBe(consoleSessionSeconds);
    const [, , secret = ''] = /^(\w+_\w+)_(.{43})$/.exec(session.token) ?? [];
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    const stored = await everything();
    for (const told of [code, session.token, secret]) expect(stored).not.toContain(told);
  });

  it('works once, however many spend it at a time', async () => {
    const { code } = await open().invite('acme', ada);
    const spent = await Promise.allSettled(Array.from({ length: 8 }, () => open().spend(code)));
    expect(spent.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of spent) if (one.status === 'rejected') expect(one.reason).toMatchObject(refusedInvitation);
  });

  it('is over after 15 minutes', async () => {
    const [early, late] = [await open().invite('acme', ada), await open().invite('acme', ada)];
    passes(invitationSeconds - 1);
    await expect(open().spend(early.code)).resolves.toBeDefined();
    passes(1);
    await expect(open().spend(late.code)).rejects.toMatchObject(refusedInvitation);
  });

  it('dies with the next one, and with the operator', async () => {
    const first = await open().invite('acme', ada);
    const second = await open().inviteAgain('acme', first.operator.id);
    await expect(open().spend(first.code)).rejects.toMatchObject(refusedInvitation);
    await open().revoke('acme', first.operator.id);
    await expect(open().spend(second.code)).rejects.toMatchObject(refusedInvitation);
    await expect(open().inviteAgain('acme', first.operator.id)).rejects.toMatchObject({ code: 'state_conflict' });
  });

  it.each([
    '',
    'x',
    'acme_000000000000_',
    `acme_000000000000_${'A'.repeat(43)}`,
    `absent_000000000000_${'A'.repeat(43)}`,
  ])('that is none is refused in the same words: %j', async (code) => {
    await open().invite('acme', ada);
    await expect(open().spend(code)).rejects.toMatchObject(refusedInvitation);
  });

  it('opens no session itself, and a session’s token is no invitation', async () => {
    const { code } = await open().invite('acme', ada);
    await expect(open().authenticate(code)).rejects.toMatchObject(refusedSession);
    const { token } = await open().spend(code);
    await expect(open().spend(token)).rejects.toMatchObject(refusedInvitation);
  });
});

describe('a session', () => {
  const begun = async (tenant = 'acme') => open().spend((await open().invite(tenant, ada)).code);

  it('is found by one read', async () => {
    const { token, operator, expiresAt, id } = await begun();
    requests();
    expect(await open().authenticate(token)).toEqual({ tenant: { id: 'acme' }, operator, expiresAt, id });
    expect(requests()).toEqual(['GetItemCommand']);
  });

  it('is over after eight hours', async () => {
    const { token } = await begun();
    passes(consoleSessionSeconds - 1);
    await expect(open().authenticate(token)).resolves.toBeDefined();
    passes(1);
    await expect(open().authenticate(token)).rejects.toMatchObject(refusedSession);
  });

  it('is over at once where the operator signs out, is signed out, or is revoked', async () => {
    for (const end of ['signOut', 'signOutEverywhere', 'revoke'] as const) {
      const session = await begun();
      const used = open();
      await used.authenticate(session.token);
      if (end === 'signOut') await open().signOut(session);
      else await open()[end]('acme', session.operator.id);
      await expect(used.authenticate(session.token)).rejects.toMatchObject(refusedSession);
      if (end === 'signOut') await open().signOut(session); // doing it twice is doing it once
    }
  });

  it('of one browser outlives that of another', async () => {
    const { operator, token } = await begun();
    const other = await open().spend((await open().inviteAgain('acme', operator.id)).code);
    await open().signOut(other);
    await expect(open().authenticate(token)).resolves.toBeDefined();
  });

  it('opens no other tenant, and no other operator', async () => {
    const [one, other] = [await begun(), await begun('other')];
    const secret = one.token.slice(-43);
    for (const token of [`other_${one.operator.id.slice(2)}_${secret}`, `${other.token.slice(0, -43)}${secret}`]) {
      await expect(open().authenticate(token)).rejects.toMatchObject(refusedSession);
    }
    await expect(open().authenticate(undefined)).rejects.toMatchObject(refusedSession);
  });

  it(`gives way to the newest where an operator has ${maximumSessions}`, async () => {
    const first = await begun();
    let last = first;
    for (let more = 0; more < maximumSessions; more += 1) {
      passes(1);
      last = await open().spend((await open().inviteAgain('acme', first.operator.id)).code);
    }
    await expect(open().authenticate(first.token)).rejects.toMatchObject(refusedSession);
    await expect(open().authenticate(last.token)).resolves.toBeDefined();
  });

  it('leaves nothing behind in the row once it is over and the operator signs in again', async () => {
    const { operator, id } = await begun('tidy');
    passes(consoleSessionSeconds);
    await open().spend((await open().inviteAgain('tidy', operator.id)).code);
    const { Item = {} } = await client().send(
      new GetItemCommand({ TableName: 'tenants', Key: marshall({ id: 'tidy/operators' }) }),
    );
    const { sessions, invitation } = unmarshall(Item).operators[operator.id];
    expect([Object.keys(sessions).length, id in sessions, invitation]).toEqual([1, false, undefined]);
  });
});

describe('an address', () => {
  it('signs in the operator who was invited with it, whatever its case, and no other', async () => {
    const { operator } = await open().invite('acme', { ...ada, email: 'Ada@Example.com' });
    expect(await open().signIn('ada@example.COM ')).toMatchObject({ tenant: { id: 'acme' }, operator });
    expect(await open().signIn('eve@example.com')).toBeUndefined();
  });

  it('is an operator of one tenant alone, until that one is revoked', async () => {
    const invited = { ...ada, email: 'grace@example.com' };
    const { operator } = await open().invite('acme', invited);
    await expect(open().invite('other', invited)).rejects.toMatchObject({ code: 'state_conflict' });
    await open().revoke('acme', operator.id);
    expect(await open().signIn('grace@example.com')).toBeUndefined();
    await open().invite('other', invited);
    expect(await open().signIn('grace@example.com')).toMatchObject({ tenant: { id: 'other' } });
    expect(await everything()).not.toContain('"revokedAt":"2026-01-01T00:00:00.000Z","email"');
  });
});

describe('operators', () => {
  it('are listed with those who were revoked, whose name stays for what they did', async () => {
    const { operator } = await open().invite('listed', ada);
    const { operator: viewer } = await open().invite('listed', { name: 'Bob', role: 'viewer' });
    await open().revoke('listed', operator.id);
    const listed = await open().list('listed');
    expect(listed).toEqual([{ ...operator, revokedAt: now().toISOString() }, viewer]);
  });

  it('have names of plain text', async () => {
    for (const name of ['', ' ', 'a\nb', 'x'.repeat(101)])
      await expect(open().invite('acme', { ...ada, name })).rejects.toThrow();
  });

  it(`are ${maximumOperators} at the most, and the one revoked first is forgotten for the next`, async () => {
    const { operator } = await open().invite('full', ada);
    for (let more = 1; more < maximumOperators; more += 1) await open().invite('full', ada);
    await expect(open().invite('full', ada)).rejects.toMatchObject({ code: 'state_conflict' });
    await open().revoke('full', operator.id);
    await open().invite('full', ada);
    expect((await open().list('full')).map(({ id }) => id)).not.toContain(operator.id);
  });
});
