import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { matchesPattern } from '../event-pattern.ts';
import { listenOnLoopback, readBody, sendJson } from '../loopback-server.ts';

/** Where a rule or a schedule sends to, and what it sends instead of the whole event. */
export interface Target {
  arn: string;
  /** A constant JSON text. */
  input?: string;
  /** `$.detail` and the like. */
  inputPath?: string;
}

export interface Rule {
  name: string;
  bus: string;
  pattern: unknown;
  targets: Target[];
}

export type BusEvent = Record<string, unknown>;

export interface EventBridgeOptions {
  /** The buses of the template; the default bus always exists. */
  buses: string[];
  rules: Rule[];
  /** Delivers to a queue or function. An event is acknowledged only when every matching target took it. */
  deliver: (arn: string, payload: unknown) => Promise<void>;
  /** One line for every event put on a bus of the template, so that what went out can be looked at. */
  journal: string;
  region: string;
}

export interface EventBridge {
  endpoint: string;
  put: (bus: string, event: BusEvent) => Promise<void>;
  stop: () => Promise<void>;
}

const contentType = 'application/x-amz-json-1.1';
const largestRequestBytes = 1024 * 1024;

/** Buses and their rules. */
export async function startEventBridge(options: EventBridgeOptions): Promise<EventBridge> {
  const put = async (bus: string, event: BusEvent) => {
    const matching = options.rules.filter((rule) => rule.bus === bus && matchesPattern(rule.pattern, event));
    const targets = matching.flatMap((rule) => rule.targets);
    await Promise.all(targets.map((target) => options.deliver(target.arn, payloadFor(target, event))));
  };

  const putEntry = async (entry: Record<string, unknown>) => {
    const refused = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
    for (const name of ['Source', 'DetailType', 'Detail']) {
      if (typeof entry[name] !== 'string' || entry[name] === '') {
        return refused('InvalidArgument', `Parameter ${name} is not valid.`);
      }
    }
    const detail = parseObject(String(entry.Detail));
    if (!detail) return refused('MalformedDetail', 'Detail is malformed.');
    const bus =
      String(entry.EventBusName ?? 'default')
        .split('/')
        .at(-1) ?? '';
    const event = {
      version: '0',
      id: randomUUID(),
      'detail-type': entry.DetailType,
      source: entry.Source,
      account: '000000000000',
      // The SDK sends epoch seconds.
      time: new Date(typeof entry.Time === 'number' ? entry.Time * 1000 : Date.now()).toISOString(),
      region: options.region,
      resources: entry.Resources ?? [],
      detail,
    };
    try {
      await put(bus, event);
      // AWS drops what no rule matches. Here it is still written down.
      if (bus !== 'default')
        await appendFile(options.journal, `${JSON.stringify({ 'event-bus-name': bus, ...event })}\n`);
      return { EventId: event.id };
    } catch (error) {
      console.error(error);
      return refused('InternalFailure', 'A target could not be reached.');
    }
  };

  const server = await listenOnLoopback(async (request, response) => {
    const refuse = (type: string, message: string) => sendJson(response, 400, { __type: type, message }, contentType);
    const operation = String(request.headers['x-amz-target']).split('.')[1];
    const raw = await readBody(request);
    if (operation !== 'PutEvents')
      return refuse('UnknownOperationException', `Only PutEvents is known, not ${operation}`);
    if (raw.length > largestRequestBytes)
      return refuse('ValidationException', 'Total size of the entries is over the limit.');
    const entries = (JSON.parse(raw.toString()).Entries ?? []) as Record<string, unknown>[];
    if (entries.length < 1 || entries.length > 10)
      return refuse('ValidationException', 'Entries must have 1 to 10 members.');
    const known = ['default', ...options.buses];
    const stranger = entries.find(
      (entry) =>
        !known.includes(
          String(entry.EventBusName ?? 'default')
            .split('/')
            .at(-1) ?? '',
        ),
    );
    if (stranger) return refuse('ResourceNotFoundException', `Event bus ${stranger.EventBusName} does not exist.`);
    // One after the other, so that the journal has them in the order they were given.
    const Entries: Awaited<ReturnType<typeof putEntry>>[] = [];
    for (const entry of entries) Entries.push(await putEntry(entry));
    const FailedEntryCount = Entries.filter((entry) => 'ErrorCode' in entry).length;
    sendJson(response, 200, { Entries, FailedEntryCount }, contentType);
  });

  return { endpoint: server.url, put, stop: server.stop };
}

/** What a target is sent for an event. */
export function payloadFor(target: Target, event: BusEvent): unknown {
  if (target.input !== undefined) return JSON.parse(target.input);
  if (target.inputPath === undefined) return event;
  const steps = target.inputPath.split('.').slice(1);
  return steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], event);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
