import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

/** AWS requests by kind (`dynamodb UpdateItem`). */
export type Requests = Readonly<Record<string, number>>;

/**
 * Counts what reaches the embedded services of a stack in this process, by service and operation, and by the function
 * that asks: the local stack gives each one's SDK its name. Event sources poll whether or not there is work, so their
 * polls are left out.
 */
export function countRequests(endpoints: Readonly<Record<string, string>>): {
  stop: () => { all: Requests; byFunction: Readonly<Record<string, Requests>> };
} {
  const services = new Map(Object.entries(endpoints).map(([name, url]) => [new URL(url).port, name]));
  const counts = new Map<string, Map<string, number>>();
  let counting = true;
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage };
    const service = services.get(String(request.socket.localPort));
    if (!counting || !service) return;
    const target = request.headers['x-amz-target'];
    const operation = typeof target === 'string' ? target.split('.').at(-1) : s3Operation(request);
    if (operation === 'ReceiveMessage' || operation === 'GetQueueUrl') return;
    const [, asker = 'others'] = /\bapp\/([\w-]+)/.exec(request.headers['user-agent'] ?? '') ?? [];
    const ofAsker = counts.get(asker) ?? new Map<string, number>();
    const kind = `${service} ${operation}`;
    counts.set(asker, ofAsker.set(kind, (ofAsker.get(kind) ?? 0) + 1));
  });
  return {
    stop: () => {
      counting = false;
      const all = new Map<string, number>();
      for (const [kind, count] of [...counts.values()].flatMap((one) => [...one])) {
        all.set(kind, (all.get(kind) ?? 0) + count);
      }
      const byFunction = [...counts].map(([name, ofAsker]) => [name, Object.fromEntries(ofAsker)]);
      return { all: Object.fromEntries(all), byFunction: Object.fromEntries(byFunction) };
    },
  };
}

function s3Operation({ method, url = '' }: IncomingMessage): string {
  const names: Record<string, string> = {
    GET: 'GetObject',
    PUT: 'PutObject',
    DELETE: 'DeleteObject',
    HEAD: 'HeadObject',
  };
  return url.includes('versions') ? 'ListObjectVersions' : (names[method ?? ''] ?? `${method}`);
}

/** Counts over so many runs. */
export function perRun(counts: Requests, runs: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts)
      .map(([kind, count]): [string, number] => [kind, Number((count / runs).toFixed(2))])
      .sort(([a], [b]) => a.localeCompare(b)),
  );
}

export function percentile(values: readonly number[], share: number, decimals = 1): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(decimals));
}
