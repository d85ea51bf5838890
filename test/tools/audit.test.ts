import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { eventOf } from '../../shared/domain/event.ts';
import type { InState, Unerased } from '../../shared/domain/verification.ts';
import { dynamoVerifications } from '../../shared/stores/verifications.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';
import { administered } from './administered.ts';

const { admin, client, write } = administered();
const store = () => dynamoVerifications({ client: client(), table: 'verifications', now: () => new Date() });

const verdict = {
  outcome: 'passed' as const,
  confidence: 0.97,
  reasons: [],
  scores: { live: 0.97 },
  provider: 'builtin',
  policyVersion: 1,
};

/** Three lines and a note that was made while the last move was under way. */
async function decided(tenant: string, sourceId: string): Promise<InState<'decided'>> {
  const verifications = store();
  const landed = landedFor('spoof_detect');
  const awaiting = anAwaitingVerification({ tenant, sourceId });
  await verifications.create(awaiting);
  const queued = await verifications.move(awaiting, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (queued.kind !== 'moved') throw new Error('queued');
  await verifications.note(queued.verification, 'capture_overwritten');
  const moved = await verifications.move(queued.verification, 'decided', { landed, verdict }, { outcome: 'passed' });
  if (moved.kind !== 'moved') throw new Error('A note lost a move');
  return moved.verification;
}

type Row = Record<string, unknown> & { history: Record<string, unknown>[] };

/** Changes a row behind the store's back. */
async function tamper(record: Unerased, change: (row: Row) => Row): Promise<void> {
  const Key = marshall({ verificationId: record.verificationId });
  const { Item = {} } = await client().send(new GetItemCommand({ TableName: 'verifications', Key }));
  await client().send(
    new PutItemCommand({ TableName: 'verifications', Item: marshall(change(unmarshall(Item) as Row)) }),
  );
}

describe('npm run admin -- audit verify', () => {
  it('finds every history of a tenant whole, notes raced in', async () => {
    for (let each = 0; each < 40; each += 1) await decided('whole', `visit-${each}`);
    expect(await admin('audit', 'verify', 'whole')).toEqual({
      code: 0,
      stdout: '40 verifications, 0 of them broken\n',
      stderr: '',
    });
  });

  it('names the verification and the line of each change, and ends with 1', async () => {
    const names = ['line', 'verdict', 'missing', 'turned', 'renamed', 'unreadable', 'untouched'] as const;
    const records = new Map<string, InState<'decided'>>();
    for (const name of names) records.set(name, await decided('touched', name));
    const of = (name: (typeof names)[number]) => records.get(name) as InState<'decided'>;
    await tamper(of('line'), ({ history: [first, ...rest], ...row }) => ({
      ...row,
      history: [{ ...first, at: '2026-01-01T00:00:00.001Z' }, ...rest],
    }));
    await tamper(of('verdict'), (row) => ({ ...row, verdict: { ...verdict, outcome: 'failed' } }));
    await tamper(of('missing'), ({ history, ...row }) => ({ ...row, history: history.toSpliced(2, 1) }));
    await tamper(of('turned'), ({ history, ...row }) => ({
      ...row,
      history: [...history.slice(0, 1), ...history.slice(1, 3).reverse(), ...history.slice(3)],
    }));
    // A word that is none of ours may be a later version's: its hash tells.
    await tamper(of('renamed'), ({ history, ...row }) => ({
      ...row,
      history: history.with(1, { ...history[1], state: 'queuee' }),
    }));
    await tamper(of('unreadable'), ({ history, ...row }) => ({
      ...row,
      history: history.with(1, { ...history[1], state: 7 }),
    }));
    const { code, stdout, stderr } = await admin('audit', 'verify', 'touched');
    expect(code).toBe(1);
    expect(stderr).toBe('7 verifications, 6 of them broken\n');
    const id = (name: (typeof names)[number]) => of(name).verificationId;
    expect(stdout.trim().split('\n').sort()).toEqual(
      [
        `line (${id('line')}): line 1 (move 1, to awaiting_captures) was changed: its hash is another`,
        `verdict (${id('verdict')}): line 4 (move 3, to decided) was changed: the verdict it gave is another`,
        `missing (${id('missing')}): before line 3 (move 3, to decided) a line is missing: a note`,
        `turned (${id('turned')}): line 2 (note capture_overwritten at 2) was reordered: it stood elsewhere`,
        `renamed (${id('renamed')}): line 2 (move 2, to queuee) was changed: its hash is another`,
        `${id('unreadable')}: line 2 was changed: history.1.state is none of ours`,
      ].sort(),
    );
  });

  it('takes one verification by its source_id, and says where there is none', async () => {
    await decided('touched', 'alone');
    expect(await admin('audit', 'verify', 'touched', 'alone')).toMatchObject({
      code: 0,
      stdout: '1 verifications, 0 of them broken\n',
    });
    expect(await admin('audit', 'verify', 'touched', 'never-made')).toMatchObject({
      code: 1,
      stderr: 'Tenant touched has no verification never-made\n',
    });
  });

  it('compares with what events told: a history written anew, and one that is gone, are found by them alone', async () => {
    const told = await decided('told', 'visit-1');
    const lost = await decided('told', 'visit-2');
    const lines = [
      JSON.stringify(eventOf(told, told)),
      JSON.stringify({ type: 'verification.decided', timestamp: told.updatedAt, data: eventOf(told, told) }),
      JSON.stringify({ 'detail-type': 'verification.decided', detail: eventOf(lost, lost) }),
      JSON.stringify({ ...eventOf(told, told), tenant: 'another', hash: 'A'.repeat(43) }),
      JSON.stringify({ type: 'endpoint.disabled', timestamp: told.updatedAt, data: { endpoint: 'ep_a' } }),
    ];
    const file = write('events.ndjson', `${lines.join('\n')}\n`);
    expect(await admin('audit', 'verify', 'told', '--against', file)).toMatchObject({ code: 0 });

    const forged = await decided('told', 'visit-3');
    await tamper(told, (row) => ({ ...row, history: forged.history.map(({ hash: _, digest: __, ...one }) => one) }));
    await tamper(lost, (row) => ({ ...row, tenantState: 'another#decided' }));
    expect(await admin('audit', 'verify', 'told')).toMatchObject({
      code: 0,
      stdout: '2 verifications, 0 of them broken, 1 from before lines had hashes\n',
    });
    const { code, stdout } = await admin('audit', 'verify', 'told', '--against', file);
    expect(code).toBe(1);
    expect(stdout).toBe(
      `visit-1 (${told.verificationId}): line 4 (move 3, to decided) was changed: it, or a line before it, is not the one its event told of\n` +
        `${lost.verificationId}: an event tells of it, and it is not there (or its retention is over)\n`,
    );
  });
});
