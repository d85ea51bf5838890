import { describe, expect, it } from 'vitest';
import type { Pinned, WebhookOwner } from '../../shared/domain/ports.ts';
import { signReference } from '../../shared/domain/reference.ts';
import { maximumNotes } from '../../shared/domain/verification.ts';
import { receiveResult } from '../../shared/lifecycle/receive.ts';
import type { Delivery } from '../../shared/providers/provider.ts';
import { signingSecretOf } from '../builders/deployment.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

type Answer = Delivery['answer'];
const passed: Answer = { kind: 'decided', finding: { outcome: 'passed', confidence: 0.9, reasons: [], scores: {} } };
const failed: Answer = { kind: 'decided', finding: { outcome: 'failed', confidence: 0.9, reasons: [], scores: {} } };
const fault: Answer = { kind: 'fault', code: 'provider_refused' };

const owners = new Map<string, WebhookOwner>([
  ['good', { kind: 'tenant', tenant: { id: 'acme' } }],
  ['of another tenant', { kind: 'tenant', tenant: { id: 'other' } }],
  ['of the deployment', { kind: 'deployment' }],
]);

async function setup({ credentials = {} }: { credentials?: Record<string, string> } = {}) {
  let ids = 0;
  const now = () => start;
  const verifications = memoryVerifications({ now, newId: () => `id-${++ids}` });
  const removed: string[] = [];
  const sent: string[] = [];
  let saying: Answer = passed;
  let looks = 0;
  let meanwhile = async () => undefined as unknown;
  const { find } = verifications;
  const delivered = (body: string): Delivery | undefined =>
    body === 'stranger' ? undefined : { reference: body, answer: saying };
  const dependencies = {
    verifications: {
      ...verifications,
      find: async (id: string) => {
        looks += 1;
        const found = await find(id);
        await meanwhile();
        return found;
      },
    },
    tenants: {
      ofWebhook: async (_: string, token: string) => owners.get(token),
    },
    deliveries: new Map([
      ['identify', delivered],
      ['another vendor', delivered],
    ]),
    referenceSecret: signingSecretOf('secret', 'the secret before'),
    captures: { removeVersion: async ({ versionId }: Pinned) => void removed.push(versionId) },
    send: async (provider: string) => void sent.push(provider),
    now,
    random: () => 0.5,
  };
  const record = anAwaitingVerification();
  record.plan.route = ['identify', 'builtin'];
  record.plan.credentials = credentials;
  await verifications.create(record);
  const landed = landedFor('spoof_detect');
  const queued = await verifications.move(record, 'queued', { landed, provider: 'identify', dueAt: 1 });
  if (queued.kind !== 'moved') throw new Error('queued');
  const claimed = await verifications.move(queued.verification, 'dispatched', {
    landed,
    provider: 'identify',
    attempt: 1,
    waitingFor: 'answer',
    dueAt: 2,
    attempts: [{ attempt: 1, provider: 'identify', round: 1, pass: 1, startedAt: start.toISOString() }],
  });
  if (claimed.kind !== 'moved') throw new Error('dispatched');
  const reference = signReference('secret', record.verificationId, 1);
  return {
    verifications,
    claimed: claimed.verification,
    removed,
    sent,
    looks: () => looks,
    /** Happens between the look-up and what is made of it. */
    meanwhile: (does: () => Promise<unknown>) => {
      meanwhile = does;
    },
    reference,
    read: () => find(record.verificationId),
    deliver: (body: string, { says = passed, token = 'good', provider = 'identify' } = {}) => {
      saying = says;
      return receiveResult({ provider, token, body }, dependencies);
    },
  };
}

describe('a webhook', () => {
  it('decides before the response it belongs to, and `accepted` is then nothing', async () => {
    const { deliver, reference, read, verifications, claimed, removed } = await setup();
    await deliver(reference);
    expect(await read()).toMatchObject({ state: 'decided', verdict: { outcome: 'passed', provider: 'identify' } });
    expect((await verifications.accept(claimed, { attempts: claimed.attempts, dueAt: 3 })).kind).toBe('lost');
    expect(removed).toEqual(['v1-selfie']);
  });

  it('that names its attempt by a reference from before the secret was replaced decides', async () => {
    const { deliver, claimed, read } = await setup();
    await deliver(signReference('the secret before', claimed.verificationId, 1));
    expect(await read()).toMatchObject({ state: 'decided', verdict: { provider: 'identify' } });
  });

  it('repeated or contradicted is noted and changes nothing', async () => {
    const { deliver, reference, read } = await setup();
    await deliver(reference);
    await deliver(reference);
    await deliver(reference, { says: failed });
    const record = await read();
    expect(record).toMatchObject({ state: 'decided', verdict: { outcome: 'passed' } });
    expect(record?.history.slice(-2).map(({ code }) => code)).toEqual(['answer_repeated', 'answer_contradictory']);
  });

  it('with an error sends the verification on to the next provider, once', async () => {
    const { deliver, reference, read, sent } = await setup();
    await deliver(reference, { says: fault });
    await deliver(reference, { says: fault });
    expect(await read()).toMatchObject({ state: 'queued', provider: 'builtin' });
    expect(sent).toEqual(['builtin']);
    await deliver(reference); // the vendor changes its mind, and is still the first to answer
    expect(await read()).toMatchObject({ state: 'decided', verdict: { provider: 'identify' } });
  });

  it('with an error after the decision is noted, as often as notes are kept, and changes nothing', async () => {
    const { deliver, reference, read } = await setup();
    await deliver(reference);
    const decided = await read();
    for (let time = 0; time <= maximumNotes; time += 1) await deliver(reference, { says: fault });
    const record = await read();
    expect(record).toMatchObject({ state: 'decided', sequence: decided?.sequence, verdict: { outcome: 'passed' } });
    expect(record?.history.at(-1)).toMatchObject({ code: 'fault_late', provider: 'identify', attempt: 1 });
    expect(record).toMatchObject({ notes: maximumNotes, notesDropped: 1 });
  });

  it('with an error is noted where another writer ended the attempt meanwhile', async () => {
    const { deliver, reference, read, verifications, claimed, meanwhile } = await setup();
    meanwhile(async () => {
      const { landed, attempts } = claimed;
      await verifications.move(claimed, 'errored', { landed, attempts, fault: 'webhook_overdue' });
    });
    await deliver(reference, { says: fault });
    const record = await read();
    expect(record).toMatchObject({ state: 'errored', fault: 'webhook_overdue' });
    expect(record?.history.at(-1)).toMatchObject({ kind: 'noted', code: 'fault_late', attempt: 1 });
  });

  it('for an erased verification is taken and leaves no trace', async () => {
    const { deliver, reference, read, verifications, claimed } = await setup();
    await verifications.move(claimed, 'erased', {});
    const before = await read();
    await deliver(reference);
    expect(await read()).toEqual(before);
  });

  it('at the address of another provider decides nothing that this one was not asked', async () => {
    const { deliver, reference, read, claimed } = await setup();
    const refused = deliver(reference, { provider: 'another vendor' });
    await expect(refused).rejects.toMatchObject({ code: 'webhook_unknown' });
    expect(await read()).toEqual(claimed);
  });

  it('that is not authentic is refused in the same words after the same look-ups', async () => {
    const { deliver, reference, looks, claimed } = await setup();
    const forged = signReference('guess', claimed.verificationId, 1);
    const unknown = signReference('secret', 'b'.repeat(26), 1);
    const neverMade = signReference('secret', claimed.verificationId, 7);
    const tries: [string, { token?: string }][] = [
      [reference, { token: 'bad' }],
      [reference, { token: 'of another tenant' }],
      [reference, { token: 'of the deployment' }],
      ['nonsense', {}],
      [forged, {}],
      [unknown, {}],
      [neverMade, {}],
      ['stranger', { token: 'bad' }],
    ];
    const refusals = new Set<string>();
    for (const [body, options] of tries) {
      const before = looks();
      const refusal = await deliver(body, options).then(
        () => 'taken',
        (error: Error & { code: string }) => `${error.code} ${error.message}`,
      );
      refusals.add(`${refusal}, ${looks() - before} look-ups`);
    }
    expect([...refusals]).toEqual(['webhook_unknown This address is not served here., 1 look-ups']);
    await expect(deliver('stranger')).rejects.toMatchObject({ code: 'request_unreadable', status: 400 });
  });

  describe('at an address of the deployment', () => {
    const token = 'of the deployment';

    it('decides a verification of any tenant that was planned with the deployment’s credentials', async () => {
      const { deliver, reference, read } = await setup({
        credentials: { identify: 'bonafide/providers/identify/deployment' },
      });
      await deliver(reference, { token });
      expect(await read()).toMatchObject({ state: 'decided', verdict: { provider: 'identify' } });
    });

    it.each([
      ['the tenant’s own', { identify: 'bonafide/providers/identify/acme' }],
      ['the deployment’s, of another provider', { spoofsense: 'bonafide/providers/spoofsense/deployment' }],
      ['another provider’s secret', { identify: 'bonafide/providers/spoofsense/deployment' }],
    ])('decides none whose credentials are %s', async (_, credentials) => {
      const { deliver, reference, read } = await setup({ credentials });
      await expect(deliver(reference, { token })).rejects.toMatchObject({ code: 'webhook_unknown' });
      expect(await read()).toMatchObject({ state: 'dispatched' });
    });

    it('is as open to a verification of the tenant at an address of its own', async () => {
      const { deliver, reference, read } = await setup({
        credentials: { identify: 'bonafide/providers/identify/deployment' },
      });
      await deliver(reference, { token: 'good' });
      expect(await read()).toMatchObject({ state: 'decided' });
    });

    it('for an erased verification is taken and leaves no trace', async () => {
      const { deliver, reference, read, verifications, claimed } = await setup({
        credentials: { identify: 'bonafide/providers/identify/deployment' },
      });
      await verifications.move(claimed, 'erased', {});
      const before = await read();
      await deliver(reference, { token });
      expect(await read()).toEqual(before);
    });
  });
});
