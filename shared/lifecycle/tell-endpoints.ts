import { type KeptEvent, keptNow } from '../domain/delivery.ts';
import { wants } from '../domain/endpoint.ts';
import { type Event, eventId, eventTypeOfMove } from '../domain/event.ts';
import type { Endpoints, KeptEvents, WebhookMessage, WebhookQueue } from '../domain/ports.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { Unerased, Verification } from '../domain/verification.ts';

/** A move, and its event; announced again later, with the record as it is now on both sides. */
export interface Move {
  readonly event: Event;
  readonly before: Unerased;
  readonly after: Verification;
}

export interface TellingEndpoints {
  readonly endpoints: Pick<Endpoints, 'of'>;
  readonly keptEvents: Pick<KeptEvents, 'keep' | 'empty'>;
  readonly webhooks: Pick<WebhookQueue, 'send'>;
  /** JSON text of a verdict, in the words of the API. */
  readonly verdictText: (verdict: Verdict) => string;
  readonly now: () => Date;
}

/**
 * Keeps the events of these moves for tenants that want them kept, each before it is sent, and has them sent to every
 * endpoint that wants them. Killed anywhere and done again, the first texts stay, and a message more posts the same bytes.
 */
export async function tellEndpoints(moves: readonly Move[], dependencies: TellingEndpoints): Promise<void> {
  const ofVerifications = Map.groupBy(moves, ({ after }) => after.verificationId).values();
  const messages = await Promise.all(Array.from(ofVerifications, (inOrder) => keepEach(inOrder, dependencies)));
  if (messages.flat().length > 0) await dependencies.webhooks.send(messages.flat());
}

/** Of one verification, one after the other: the order in which they are kept is the order of their sequence. */
async function keepEach(moves: readonly Move[], dependencies: TellingEndpoints): Promise<WebhookMessage[]> {
  const { endpoints, keptEvents, now } = dependencies;
  const messages: WebhookMessage[] = [];
  for (const move of moves) {
    const { id: eventId, type, tenant } = move.event;
    const { keeps, endpoints: all } = await endpoints.of(tenant);
    if (!keeps) continue;
    const wanting = all.filter((endpoint) => wants(endpoint, type)).map(({ id }) => id);
    if (move.after.state === 'erased') await keptEvents.empty(eventsOf(move.before, now()));
    const kept = await keptEvents.keep(keptOf(move, wanting, dependencies));
    // One that awaits the event of an erasure is sent it, though it was disabled since: its delivery then ends.
    const receivers = new Set([...wanting, ...(kept.awaitedBy ?? [])]);
    const about = move.after.verificationId;
    messages.push(...Array.from(receivers, (endpointId) => ({ tenant, eventId, about, endpointId, failed: 0 })));
  }
  return messages;
}

/** The texts that bodies are made of. The event of an erasure names what was erased for as long as an endpoint awaits it. */
function keptOf(
  { event, before, after }: Move,
  wanting: readonly string[],
  { verdictText, now }: Pick<TellingEndpoints, 'verdictText' | 'now'>,
): KeptEvent {
  const kept = stub(event, after.verificationId, now());
  const data = JSON.stringify(event);
  if (after.state === 'erased') return wanting.length > 0 ? { ...kept, data, awaitedBy: [...wanting] } : kept;
  return {
    ...kept,
    data,
    // Of a move that is announced again later, the record holds another round's verdict, or none.
    ...(after.state === 'decided' && after.sequence === event.sequence && { verdict: verdictText(after.verdict) }),
    ...metadataOf(before),
  };
}

/** As its text came; records of earlier versions hold it as a map. */
function metadataOf({ metadataText, metadata }: Unerased): Pick<KeptEvent, 'metadata'> {
  if (metadataText !== undefined) return { metadata: metadataText };
  return metadata === undefined ? {} : { metadata: JSON.stringify(metadata) };
}

/** Every event of a verification so far, by its history: also those that a late writer would still keep. */
export function eventsOf(before: Unerased, now: Date): KeptEvent[] {
  const moves = before.history.filter(({ kind, sequence }) => kind === 'moved' && sequence > 1);
  return moves.map((line) => {
    const { sequence, at: occurred_at } = line;
    const earlier = {
      id: eventId(before.verificationId, sequence),
      type: eventTypeOfMove(line),
      sequence,
      occurred_at,
    };
    return stub({ ...earlier, tenant: before.tenant }, before.verificationId, now);
  });
}

type Named = Pick<Event, 'id' | 'tenant' | 'type' | 'sequence' | 'occurred_at'>;

function stub({ id, tenant, type, sequence, occurred_at: occurredAt }: Named, about: string, now: Date): KeptEvent {
  return keptNow({ id, tenant, type, about, sequence, occurredAt }, now);
}
