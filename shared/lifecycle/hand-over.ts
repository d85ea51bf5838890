import type { Landed } from '../domain/captures.ts';
import type { Moved, Send, Verifications } from '../domain/ports.ts';
import { epochSeconds, queuedSeconds } from '../domain/times.ts';
import type { Changes, InState, Remark } from '../domain/verification.ts';

export interface HandingOver {
  readonly verifications: Pick<Verifications, 'move'>;
  readonly send: Send;
  readonly now: () => Date;
}

/** To whom, with which captures, and what else the move changes. */
export interface Handed extends Changes {
  readonly provider: string;
  readonly landed: Landed;
}

/** States a verification is handed over from. */
export type BeforeQueued = InState<'awaiting_captures' | 'queued' | 'dispatched' | 'errored'>;

/**
 * Hands a verification over to a provider: moves it to `queued` and sends the message that lets a worker claim it. The
 * only way to `queued`. Killed between the two, the record is still queued at its deadline and the sweep sends again.
 */
export async function handOver(
  from: BeforeQueued,
  handed: Handed,
  { verifications, send, now }: HandingOver,
  { remark, delaySeconds }: { remark?: Remark; delaySeconds?: number } = {},
): Promise<Moved<'queued'>> {
  const dueAt = epochSeconds(now()) + queuedSeconds;
  const result = await verifications.move(from, 'queued', { ...handed, dueAt }, remark);
  if (result.kind === 'moved') await send(result.verification.provider, result.verification, delaySeconds);
  return result;
}

/** Sends a record's message again: the first one may be lost; if it is not, only one of the two can claim. */
export async function handOverAgain(
  record: InState<'queued' | 'dispatched'>,
  { send }: Pick<HandingOver, 'send'>,
): Promise<void> {
  await send(record.provider, record);
}

/** The first provider of the route: whom a pass begins with. */
export function firstOfRoute({ plan }: { plan: { route: readonly string[] } }): string {
  const [provider] = plan.route;
  if (!provider) throw new Error('A plan has at least one provider');
  return provider;
}
