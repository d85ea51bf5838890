import { signClientToken } from '../domain/client-token.ts';
import { Fault } from '../domain/fault.ts';
import { claimed, codeHashOf, nextNumber } from '../domain/hand-off.ts';
import type { Verifications } from '../domain/ports.ts';
import type { SigningSecret } from '../domain/signing-secret.ts';
import { clientTokenSeconds, epochSeconds, handOffSeconds } from '../domain/times.ts';
import { found, maximumRounds, type Unerased, type Verification } from '../domain/verification.ts';
import { refuseServed } from './refuse-served.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

export interface HandingOff {
  readonly verifications: Pick<Verifications, 'handOff'>;
  readonly now: () => Date;
}

export interface Offering extends HandingOff {
  /** 128 bits of chance, for a URL. */
  readonly newCode: () => string;
}

export interface Claiming extends HandingOff {
  readonly clientTokenSecret: Pick<SigningSecret, 'current'>;
}

/** A code that another device may claim once until `expiresAt` (epoch seconds). */
export interface Offered {
  readonly record: Unerased;
  readonly code: string;
  readonly expiresAt: number;
}

/**
 * Offers the capture to another device. The hand-off before it ends: of two that ask at once the later code counts. Only
 * the code's hash is kept.
 */
export async function offerHandOff(read: Verification, { verifications, now, newCode }: Offering): Promise<Offered> {
  const code = newCode();
  const expiresAt = epochSeconds(now()) + handOffSeconds;
  const record = await settleOn(read, async (current) => {
    const unerased = refuseErased(current);
    refuseServed(unerased);
    refuseUncapturable(unerased);
    const number = nextNumber(unerased.handOff);
    const offer = { state: 'offered', number, codeHash: codeHashOf(code), expiresAt } as const;
    return settledIfMoved(await verifications.handOff(unerased, offer));
  });
  return { record: found(record), code, expiresAt };
}

/**
 * Exchanges a code for the token of the device that has it: once, in time, and in the same words whatever is wrong, so
 * that a stranger learns nothing of a verification. An answer that is lost has spent the code: the first device makes another.
 */
export async function claimHandOff(
  read: Verification | undefined,
  code: string,
  { verifications, clientTokenSecret, now }: Claiming,
): Promise<{ readonly clientToken: string }> {
  const record = await settleOn(read, async (current) => {
    if (current.state === 'erased') throw invalidCode();
    const next = claimed(current.handOff, code, now());
    if (!next) throw invalidCode();
    return settledIfMoved(await verifications.handOff(current, next));
  });
  if (!record) throw invalidCode();
  const { verificationId, handOff } = record;
  const expiresAt = epochSeconds(now()) + clientTokenSeconds;
  const scope = { verificationId, handOff: handOff?.number };
  return { clientToken: signClientToken(await clientTokenSecret.current(), scope, expiresAt) };
}

/** Ends the code and the other device's token. What was never offered, or was taken back before, stays as it is. */
export async function takeBackHandOff(read: Verification, { verifications }: HandingOff): Promise<Unerased> {
  const record = await settleOn<Unerased>(read, async (current) => {
    const unerased = refuseErased(current);
    const { handOff } = unerased;
    if (handOff === undefined || handOff.state === 'taken_back') return settled(unerased);
    const end = { state: 'taken_back', number: nextNumber(handOff) } as const;
    return settledIfMoved(await verifications.handOff(unerased, end));
  });
  return found(record);
}

const invalidCode = () => new Fault('hand_off_invalid', 'Ask for another code on the device you began with.');

function refuseErased(record: Verification): Unerased {
  if (record.state === 'erased') throw new Fault('source_id_erased', 'This verification was erased.');
  return record;
}

/** Another device is of use only where there is something to capture, or will be in another round. */
function refuseUncapturable(record: Unerased): void {
  if (record.state === 'awaiting_captures') return;
  const again = record.state === 'decided' && record.verdict.outcome === 'recapture' && record.round < maximumRounds;
  if (again) return;
  throw new Fault('state_conflict', `No captures are awaited while the verification is ${record.state}.`);
}
