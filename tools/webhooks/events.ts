import * as z from 'zod';
import { problemView } from '../../shared/api/verifications.ts';
import { type WebhookBody, webhookBody } from './forward.ts';

/** Events are found by an eventually consistent index: those of the last minute are asked for again. */
const overlapMilliseconds = 60_000;
/** Statuses after which asking again is no use. */
const refusals = [400, 401, 403, 404, 422];

const page = z.looseObject({ events: z.array(webhookBody), next_cursor: z.string().nullable() });

interface Source {
  readonly url: string;
  readonly key: string;
  /** Comma separated. */
  readonly types?: string | undefined;
  /** ISO 8601. @default the time of the first poll */
  readonly since?: string | undefined;
}

/** The API refused to tell events, and will again. */
export class Refused extends Error {}

/** Asks for a tenant's events: each call yields those that none before it did. Throws where the API was not reached. */
export function newEvents(source: Source): () => AsyncGenerator<WebhookBody> {
  const seen = new Map<string, number>();
  const begun = Date.parse(source.since ?? new Date().toISOString());
  let since = begun;
  return async function* poll() {
    let cursor: string | null = null;
    let asked = since;
    do {
      const { events, next_cursor, at } = await read(source, since, cursor);
      asked = Math.max(asked, at);
      for (const event of events) {
        if (!seen.has(event.data.id)) yield event;
        seen.set(event.data.id, at);
      }
      cursor = next_cursor;
    } while (cursor !== null);
    since = Math.max(begun, asked - overlapMilliseconds);
    for (const [id, at] of seen) if (at < since - overlapMilliseconds) seen.delete(id);
  };
}

/** One page, and when it was answered by the API's own clock. */
async function read({ url, key, types }: Source, since: number, cursor: string | null) {
  const query = new URLSearchParams({
    since: new Date(since).toISOString(),
    ...(types !== undefined && { types }),
    ...(cursor !== null && { cursor }),
  });
  const answer = await fetch(`${url}/events?${query}`, { headers: { 'x-api-key': key } }).catch((cause: unknown) => {
    throw new Error(`Nothing answers at ${new URL(url).origin}: is Bonafide running? (npm start)`, { cause });
  });
  const body: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return { ...page.parse(body), at: Date.parse(answer.headers.get('date') ?? '') || Date.now() };
  const problem = z.looseObject({ ...problemView.shape }).safeParse(body);
  const said = problem.success ? `${problem.data.code}: ${problem.data.detail}` : `The API answered ${answer.status}`;
  throw refusals.includes(answer.status) ? new Refused(said) : new Error(said);
}
