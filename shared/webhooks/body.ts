import type { KeptEvent } from '../domain/delivery.ts';
import type { Endpoint } from '../domain/endpoint.ts';

/**
 * What an endpoint is posted: `{type, timestamp, data}`, as Standard Webhooks says. The kept texts are put together as they
 * are, so the bytes are the same at every try. Undefined where nothing of the event is left: it was erased.
 */
export function bodyOf(
  { type, occurredAt, data, verdict, metadata }: KeptEvent,
  endpoint: Pick<Endpoint, 'body' | 'metadata'>,
): string | undefined {
  if (data === undefined) return undefined;
  const added = [
    ...(endpoint.body === 'full' && verdict !== undefined ? [`,"verdict":${verdict}`] : []),
    ...(endpoint.metadata && metadata !== undefined ? [`,"metadata":${metadata}`] : []),
  ];
  const head = `{"type":${JSON.stringify(type)},"timestamp":${JSON.stringify(occurredAt)}`;
  return `${head},"data":${data.slice(0, -1)}${added.join('')}}}`;
}
