import type { CaptureFile, CaptureName, Declared, Landed, LandedCapture } from '../domain/captures.ts';
import type { Captures } from '../domain/ports.ts';
import type { InState, Verification } from '../domain/verification.ts';
import { firstOfRoute, type HandingOver, handOver } from './hand-over.ts';
import { settled, settledIfMoved, settleOn } from './settle-on.ts';

/**
 * Hands a record over whose captures we stored ourselves. The event of a stored capture may win its landing, or the move:
 * the loser goes on from there. Undefined where the record was purged.
 */
export function queueStored(
  read: InState<'awaiting_captures'>,
  { stored, declared }: { readonly stored: Landed; readonly declared?: Declared },
  dependencies: HandingOver,
): Promise<Verification | undefined> {
  return settleOn<Verification>(read, async (current) => {
    if (current.state !== 'awaiting_captures') return settled<Verification>(current);
    const landed = { ...stored, ...current.landed };
    const handed = { landed, provider: firstOfRoute(current), ...(declared && { declared }) };
    return settledIfMoved(await handOver(current, handed, dependencies));
  });
}

export interface Storing {
  readonly captures: Pick<Captures, 'put'>;
  readonly now: () => Date;
}

/** Stores a capture of a record's round, and answers it as landed. */
export async function storeCapture(
  { verificationId, round }: Pick<InState<'awaiting_captures'>, 'verificationId' | 'round'>,
  name: CaptureName,
  file: CaptureFile,
  { captures, now }: Storing,
): Promise<LandedCapture> {
  const version = await captures.put({ verificationId, round, name, ...file });
  const at = now().toISOString();
  return { ...version, bytes: file.bytes.length, landedAt: at, storedAt: at };
}
