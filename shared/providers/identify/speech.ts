import { Fault } from '../../domain/fault.ts';
import { firstVerdict, type InState } from '../../domain/verification.ts';
import { type Reply, spoken, spokenFault } from '../served.ts';
import { accepted, type Ended, posted, refusal, refusals } from './answers.ts';
import { type Call, readCall } from './calls.ts';

/** What became of an order. */
type Ordered =
  | { readonly kind: 'accepted'; readonly sourceId: string; readonly creditsLeft: number }
  | { readonly kind: 'refused'; readonly because: 'credits' | 'payload' };

/** Answers a call with what `take` makes of its order, which is undefined where its payload is none. */
export async function answerCall(
  body: Uint8Array,
  take: (call: Call | undefined) => Promise<Ordered>,
): Promise<Reply & { sourceId?: string }> {
  const read = readCall(body);
  if (read.kind === 'other_service') return refusals.service;
  const ordered = await take(read.call);
  if (ordered.kind === 'refused') return refusals[ordered.because];
  return { ...accepted(ordered.creditsLeft), sourceId: ordered.sourceId };
}

/** How a call is refused that did not come to its order. */
export const refuse = (error: unknown): Reply => (error instanceof Fault ? refusal(error.code) : refusals.failed);

/**
 * The body that is posted of an order that rests: of the record alone, so that it is the same each time, and of the first
 * verdict, as the vendor's protocol has no reviews.
 */
export function writeResult(record: InState<'decided' | 'errored' | 'expired'>): string {
  const { order } = record;
  const endedAt = record.state === 'decided' ? firstVerdict(record).at : record.updatedAt;
  if (!order) throw new Error('The result of this order is told already');
  return JSON.stringify(posted(ended(record), { imageLink: order.imageLink, sourceId: order.sourceId, endedAt }));
}

function ended(record: InState<'decided' | 'errored' | 'expired'>): Ended {
  switch (record.state) {
    case 'decided':
      return { kind: 'decided', verdict: spoken(firstVerdict(record).verdict) };
    case 'errored':
      return { kind: 'errored', fault: spokenFault(record.fault) };
    case 'expired':
      return { kind: 'expired' };
  }
}
