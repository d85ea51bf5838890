import type { Declared, Landed } from '../domain/captures.ts';
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
