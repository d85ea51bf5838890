import * as z from 'zod';
import { problemView } from '../../shared/api/verifications.ts';
import { type WebhookBody, webhookBody } from './forward.ts';

/** Ids that are remembered: an event that came may come again soon after. */
const rememberedIds = 10_000;
/** Statuses after which asking again is no use. */
const refusals = [400, 401, 403, 404, 422];

const page = z.looseObject({ events: z.array(webhookBody), next_cursor: z.string(), more: z.boolean() });

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
export function newEvents({ since = new Date().toISOString(), ...source }: Source): () => AsyncGenerator<WebhookBody> {
  const seen = new Set<string>();
  let from: Readonly<Record<string, string>> = { since };
  return async function* poll() {
    for (let more = true; more; ) {
      const { events, next_cursor, more: goesOn } = await read(source, from);
      for (const event of events) {
        if (!seen.has(event.data.id)) yield event;
        seen.add(event.data.id);
      }
      from = { cursor: next_cursor };
      more = goesOn;
    }
    for (const id of seen) if (seen.size > rememberedIds) seen.delete(id);
  };
}

async function read(
  { url, key, types }: Source,
  from: Readonly<Record<string, string>>,
): Promise<z.infer<typeof page>> {
  const query = new URLSearchParams({ ...from, ...(types !== undefined && { types }) });
  const answer = await fetch(`${url}/events?${query}`, { headers: { 'x-api-key': key } }).catch((cause: unknown) => {
    throw new Error(`Nothing answers at ${new URL(url).origin}: is Bonafide running? (npm start)`, { cause });
  });
  const body: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return page.parse(body);
  const problem = z.looseObject({ ...problemView.shape }).safeParse(body);
  const said = problem.success ? `${problem.data.code}: ${problem.data.detail}` : `The API answered ${answer.status}`;
  throw refusals.includes(answer.status) ? new Refused(said) : new Error(said);
}
