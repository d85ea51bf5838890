import type { KeptEvent } from '../domain/delivery.ts';
import type { Endpoints, KeptEvents } from '../domain/ports.ts';
import { keptLateSeconds, keptSeconds } from '../domain/times.ts';

export interface ReadingEvents {
  readonly endpoints: Pick<Endpoints, 'readsEvents'>;
  readonly keptEvents: Pick<KeptEvents, 'page'>;
  readonly now: () => Date;
}

/** A place among a tenant's events. */
interface Place {
  readonly after: string;
  /** What the walk to it began with. */
  readonly since?: string | undefined;
  /** Where the walk came among events that others may still be kept before: from there it begins again at its end. */
  readonly backTo?: string | undefined;
}

export interface ReadEvents {
  readonly items: readonly KeptEvent[];
  readonly next: Place;
  /** Whether there are more events now. */
  readonly more: boolean;
}

/**
 * A page of a tenant's kept events, which are kept from then on. An event may be kept a minute late: a walk that has come to
 * the end goes on from a minute before, or from where it came among events as young as that. So some come again, and none
 * is left out.
 */
export async function readEvents(
  tenant: string,
  asked: {
    readonly since?: string | undefined;
    readonly types?: readonly string[] | undefined;
    readonly limit: number;
    readonly cursor?: Place | undefined;
  },
  { endpoints, keptEvents, now }: ReadingEvents,
): Promise<ReadEvents> {
  await endpoints.readsEvents(tenant);
  const { types, limit, cursor } = asked;
  const ago = (seconds: number) => new Date(now().getTime() - seconds * 1000).toISOString();
  const since = (cursor ? cursor.since : asked.since) ?? ago(keptSeconds);
  const until = ago(-keptLateSeconds); // another computer's clock may be ahead
  const { items, next } = await keptEvents.page({ tenant, since, until, types, limit, after: cursor?.after });
  const late = ago(keptLateSeconds);
  const backTo = cursor?.backTo ?? (next === undefined || next > late ? late : undefined);
  if (next !== undefined) return { items, next: { after: next, since, backTo }, more: true };
  return { items, next: { after: backTo !== undefined && backTo > since ? backTo : since, since }, more: false };
}
