import type { CaptureName } from '../domain/captures.ts';
import { signClientToken } from '../domain/client-token.ts';
import type { Upload, Uploads } from '../domain/ports.ts';
import type { SigningSecret } from '../domain/signing-secret.ts';
import { clientTokenSeconds, epochSeconds, isoOf, uploadSeconds } from '../domain/times.ts';
import type { InState } from '../domain/verification.ts';
import { firstProvider, maximumBytes, minimumFacePxOf, type Planning } from './plan.ts';

export interface Issuing extends Pick<Planning, 'registry'> {
  readonly uploads: Uploads;
  readonly clientTokenSecret: Pick<SigningSecret, 'current'>;
  readonly now: () => Date;
}

/** What a client needs to upload a round's captures and to follow the verification. */
export interface Issued {
  readonly record: InState<'awaiting_captures'>;
  readonly clientToken: string;
  /** Of the first provider, where it has such a limit. */
  readonly minimumFacePx?: number | undefined;
  readonly uploads: Partial<Record<CaptureName, Upload & { readonly expiresAt: string }>>;
}

/**
 * Signs an upload for every capture that the round still misses, and a client token. No request is made. `handOff` is the
 * number of the device that asks, where the capture was handed over to it: its new token ends with that, as its own does.
 */
export async function issueUploads(
  record: InState<'awaiting_captures'>,
  dependencies: Issuing,
  handOff?: number,
): Promise<Issued> {
  const { uploads, clientTokenSecret, now } = dependencies;
  const at = epochSeconds(now());
  const first = firstProvider(record.plan, dependencies);
  const expiresInSeconds = Math.max(1, Math.min(uploadSeconds, record.dueAt - at));
  const signed = await Promise.all(
    record.missing.map(async (name) => {
      const declared = record.declared[name];
      if (!declared) throw new Error(`The record says nothing of its ${name}`);
      const { verificationId, round } = record;
      const challengeNumber = name === 'video' ? record.challengeNumber : undefined;
      const limits = { expiresInSeconds, maximumBytes: maximumBytes(name, first) };
      const upload = await uploads.presign({ verificationId, round, name, challengeNumber }, declared, limits);
      return [name, { ...upload, expiresAt: isoOf(at + expiresInSeconds) }] as const;
    }),
  );
  const scope = { verificationId: record.verificationId, handOff };
  return {
    record,
    clientToken: signClientToken(await clientTokenSecret.current(), scope, at + clientTokenSeconds),
    minimumFacePx: minimumFacePxOf(record.plan, first),
    uploads: Object.fromEntries(signed),
  };
}
