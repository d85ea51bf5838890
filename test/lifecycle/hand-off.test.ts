import { describe, expect, it } from 'vitest';
import { readClientToken } from '../../shared/domain/client-token.ts';
import type { Outcome } from '../../shared/domain/verdict.ts';
import { type InState, maximumRounds, type Unerased } from '../../shared/domain/verification.ts';
import { eraseVerification } from '../../shared/lifecycle/erase.ts';
import { claimHandOff, offerHandOff, takeBackHandOff } from '../../shared/lifecycle/hand-off.ts';
import { requestCaptures } from '../../shared/lifecycle/next-round.ts';
import { clientTokenSecret, signingSecretOf } from '../builders/deployment.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

async function handing(overrides: Parameters<typeof anAwaitingVerification>[0] = {}) {
  const world = setup();
  let codes = 0;
  const at = {
    ...world,
    newCode: () => `code-${++codes}`,
    clientTokenSecret: signingSecretOf(clientTokenSecret),
    uploads: { presign: async () => ({ put: { url: 'https://put', headers: {} }, post: { url: '', fields: {} } }) },
    randomBelow: () => 7,
  };
  const record = anAwaitingVerification(overrides);
  await at.verifications.create(record);
  const read = async () => (await at.verifications.find(record.verificationId)) as Unerased;
  return {
    ...at,
    record,
    read,
    offer: async () => offerHandOff(await read(), at),
    claim: async (code: string) => claimHandOff(await read(), code, at),
    takeBack: async () => takeBackHandOff(await read(), at),
    capture: async (handOff?: number) => requestCaptures(await read(), undefined, at, handOff),
    scopeOf: (token: string) => readClientToken(clientTokenSecret, token, at.now()),
  };
}

/** A verification that was decided in a round. */
async function decidedAs(outcome: Outcome, round = 1) {
  const at = await handing({ round });
  const landed = landedFor('spoof_detect');
  const queued = await at.verifications.move(at.record, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (queued.kind !== 'moved') throw new Error('queued');
  const said = { outcome, confidence: 1, reasons: [], scores: {}, provider: 'builtin', policyVersion: 1 };
  await at.verifications.move(queued.verification, 'decided', { landed, verdict: said });
  return at;
}

const dead = {
  code: 'hand_off_invalid',
  status: 410,
  message: 'Ask for another code on the device you began with.',
};

describe('handing a capture over', () => {
  it('offers a code of which the hash alone is kept, without moving', async () => {
    const { offer, read, record, now } = await handing();
    const offered = await offer();
    expect(offered).toMatchObject({ code: 'code-1', expiresAt: now().getTime() / 1000 + 600 });
    expect(await read()).toEqual({ ...record, handOff: expect.objectContaining({ state: 'offered', number: 1 }) });
    expect(JSON.stringify(await read())).not.toContain('code-1');
  });

  it('exchanges the code for a token of its own hand-off, once', async () => {
    const { offer, claim, read, record, scopeOf } = await handing();
    const { code } = await offer();
    const { clientToken } = await claim(code);
    expect(scopeOf(clientToken)).toEqual({ verificationId: record.verificationId, handOff: 1 });
    expect(await read()).toEqual({ ...record, handOff: { state: 'claimed', number: 1 } });
    await expect(claim(code)).rejects.toMatchObject(dead);
  });

  it('takes the code in the tenth minute, and not in the eleventh', async () => {
    const { offer, claim, advance } = await handing();
    const { code } = await offer();
    advance(599);
    await expect(claim(`${code}x`)).rejects.toMatchObject(dead);
    advance(1);
    await expect(claim(code)).rejects.toMatchObject(dead);
    const again = await offer();
    advance(599);
    expect((await claim(again.code)).clientToken).toMatch(/^ct_/);
  });

  it('refuses in the same words what was never offered, taken back, followed by another, or is of no verification', async () => {
    const at = await handing();
    await expect(at.claim('code-1')).rejects.toMatchObject(dead);
    const first = await at.offer();
    const second = await at.offer();
    await expect(at.claim(first.code)).rejects.toMatchObject(dead);
    await at.takeBack();
    await expect(at.claim(second.code)).rejects.toMatchObject(dead);
    await expect(claimHandOff(undefined, second.code, at)).rejects.toMatchObject(dead);
    const third = await at.offer();
    await eraseVerification(await at.read(), at);
    await expect(at.claim(third.code)).rejects.toMatchObject(dead);
  });

  it('gives each hand-off a number that no other has, so that the token before is dead', async () => {
    const { offer, claim, takeBack, read } = await handing();
    const numbers: (number | undefined)[] = [];
    for (const step of [offer, takeBack, takeBack, offer, offer]) {
      await step();
      numbers.push((await read()).handOff?.number);
    }
    const { code } = await offer();
    await claim(code);
    expect([...numbers, (await read()).handOff?.number]).toEqual([1, 2, 2, 3, 4, 5]);
    expect((await takeBack()).handOff).toEqual({ state: 'taken_back', number: 6 });
  });

  it('takes back what was never handed over without a write', async () => {
    const { takeBack, record } = await handing();
    expect(await takeBack()).toEqual(record);
  });

  it('gives the other device uploads with a token of its own hand-off again, never the first device’s', async () => {
    const { offer, claim, capture, scopeOf, record } = await handing();
    const { clientToken } = await claim((await offer()).code);
    const { handOff } = scopeOf(clientToken) ?? {};
    const { verificationId } = record;
    expect(scopeOf((await capture(handOff)).clientToken)).toEqual({ verificationId, handOff: 1 });
    expect(scopeOf((await capture()).clientToken)).toEqual({ verificationId });
  });

  it('outlives the move to another state, and is gone with erasure', async () => {
    const at = await handing();
    await at.claim((await at.offer()).code);
    const landed = landedFor('spoof_detect');
    const before = (await at.read()) as InState<'awaiting_captures'>;
    const queued = await at.verifications.move(before, 'queued', { landed, provider: 'builtin', dueAt: 1 });
    expect(queued).toMatchObject({ verification: { handOff: { state: 'claimed', number: 1 } } });
    expect(await eraseVerification(await at.read(), at)).not.toHaveProperty('handOff');
  });

  it.each(['passed', 'failed'] as const)('is refused once the verification is decided as %s', async (outcome) => {
    const { offer } = await decidedAs(outcome);
    await expect(offer()).rejects.toMatchObject({ code: 'state_conflict' });
  });

  it('is possible before another round, and not after the last', async () => {
    expect((await (await decidedAs('recapture')).offer()).code).toBe('code-1');
    const { offer } = await decidedAs('recapture', maximumRounds);
    await expect(offer()).rejects.toMatchObject({ code: 'state_conflict' });
  });

  it('is refused for what was erased, and for a call of a vendor’s API', async () => {
    const at = await handing();
    await eraseVerification(await at.read(), at);
    await expect(at.offer()).rejects.toMatchObject({ code: 'source_id_erased' });
    await expect(at.takeBack()).rejects.toMatchObject({ code: 'source_id_erased' });
    await expect((await handing({ served: 'onesmartlab' })).offer()).rejects.toMatchObject({ code: 'state_conflict' });
  });
});
