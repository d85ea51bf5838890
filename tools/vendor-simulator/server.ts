import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Edition } from '../../shared/providers/spoofsense/answers.ts';
import { type Behaviour, fault, type Reply, type Says, type Vendor, webhook } from './behaviour.ts';
import { control } from './control.ts';
import * as identify from './identify.ts';
import * as onesmartlab from './onesmartlab.ts';
import { gatewayReplies, misbehave, redirectedPath, send } from './reply.ts';
import { describeCapture, faultOfKey, type Parsed, type Received, readBody } from './request.ts';
import * as spoofsense from './spoofsense.ts';

export interface Options {
  /** A free one by default. */
  readonly port?: number | undefined;
  /** Loopback by default: it is an open door. */
  readonly host?: string | undefined;
  /** Identify's registered webhooks: name → URL. More with `registerWebhook`. */
  readonly webhooks?: Readonly<Record<string, string>>;
  /** The key all three vendors take, `simulator-key` by default; `simulator-key+throttled` also asks for that fault. */
  readonly key?: string;
  /** Identify's credits; by default they never end. */
  readonly credits?: number;
  /** Which of the two documents SpoofSense follows. */
  readonly spoofsenseEdition?: Edition;
}

export interface Posted {
  readonly url: string;
  readonly body: unknown;
  /** What the receiver answered; undefined where it could not be reached. */
  readonly status: number | undefined;
  readonly at: string;
}

/** Three vendors in one process, as honest or as broken as a test wants them. */
export interface VendorSimulator {
  readonly url: string;
  /** Base URLs as the providers' settings want them. */
  readonly baseUrls: Readonly<Record<Vendor, string>>;
  readonly key: string;
  /** The next requests to this vendor are answered so, one each. */
  readonly script: (vendor: Vendor, behaviours: readonly Behaviour[]) => void;
  /** And all others so. */
  readonly always: (vendor: Vendor, behaviour: Behaviour) => void;
  /** What is found in a capture of these bytes; all others are genuine. */
  readonly knows: (sha256: string, says: Says) => void;
  readonly registerWebhook: (name: string, url: string) => void;
  readonly received: (vendor?: Vendor) => readonly Received[];
  readonly posted: () => readonly Posted[];
  /** Requests that came by a followed redirect: must stay 0. */
  readonly redirected: () => number;
  /** Once every webhook under way has been posted. */
  readonly settled: () => Promise<void>;
  readonly setCredits: (credits: number) => void;
  /** Forgets scripts, knowledge and what was received. */
  readonly reset: () => void;
  readonly stop: () => Promise<void>;
}

const keyOfDefault = 'simulator-key';

export async function startVendorSimulator(options: Options = {}): Promise<VendorSimulator> {
  const key = options.key ?? keyOfDefault;
  const edition = options.spoofsenseEdition ?? 'error_codes';
  const stopped = new AbortController();
  const webhooks = new Map(Object.entries(options.webhooks ?? {}));
  const scripts = new Map<Vendor, Behaviour[]>();
  const defaults = new Map<Vendor, Behaviour>();
  const knowledge = new Map<string, Says>();
  const pending = new Set<Promise<void>>();
  let received: Received[] = [];
  let posted: Posted[] = [];
  let redirected = 0;
  let credits = options.credits ?? Number.POSITIVE_INFINITY;

  const said = (behaviour: Behaviour, captures: Received['captures']): Says =>
    behaviour.says ??
    Object.values(captures)
      .map(({ sha256 }) => knowledge.get(sha256))
      .find((says) => says !== undefined) ??
    'genuine';

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://simulator').pathname;
    if (path === redirectedPath) redirected += 1;
    if (path.startsWith('/_simulator/')) {
      return send(response, await control(request.method ?? '', path, await readBody(request), simulator));
    }
    const vendor = vendorOf(path);
    const body = await readBody(request);
    if (!vendor || request.method !== 'POST') return send(response, { status: 404, body: '{"message":"Not Found"}' });
    const parsed = await parse(vendor, request, body);
    const authentic = parsed.key?.split('+')[0] === key;
    const behaviour = scripts.get(vendor)?.shift() ??
      defaults.get(vendor) ?? { fault: faultOfKey(parsed.key, fault.options) };
    const { fields, captures, imageLink } = parsed;
    const length = request.headers['content-length'];
    const entry: Received = {
      vendor,
      path,
      at: new Date().toISOString(),
      authentic,
      contentLength: length === undefined ? undefined : Number(length),
      fields,
      captures: { ...captures },
      ...(imageLink ? { imageLink } : {}),
    };
    received.push(entry);
    await sleep(behaviour.latencyMilliseconds ?? 0, undefined, { signal: stopped.signal });
    const refusal = behaviour.fault && gatewayReplies[behaviour.fault];
    if (refusal) return send(response, refusal);
    const { reply, after } = await ask(vendor, path, parsed, authentic, behaviour, entry, body);
    if (behaviour.fault) await misbehave(behaviour.fault, response, reply, stopped.signal);
    else send(response, reply);
    if (after) track(after());
  }

  async function ask(
    vendor: Vendor,
    path: string,
    parsed: Parsed,
    authentic: boolean,
    behaviour: Behaviour,
    entry: Received,
    body: Buffer,
  ): Promise<{ reply: Reply; after?: () => Promise<void> }> {
    switch (vendor) {
      case 'spoofsense':
        if (!authentic) return { reply: { status: 403, body: '{"message":"Forbidden"}' } };
        if (spoofsense.isTooLarge(body)) return { reply: spoofsense.tooLarge };
        if (behaviour.fault === 'error') return { reply: spoofsense.undocumented };
        if (parsed.fields.problem) return { reply: spoofsense.unreadable(edition) };
        return { reply: spoofsense.answer(path, said(behaviour, entry.captures), edition) };
      case 'onesmartlab': {
        const check = onesmartlab.checkOf(path);
        if (!authentic) return { reply: onesmartlab.problem('Invalid API key') };
        if (!check || behaviour.fault === 'error') return { reply: onesmartlab.problem('SOME_ERROR') };
        if (onesmartlab.missing(check, parsed)) return { reply: onesmartlab.problem('A parameter is missing') };
        return { reply: onesmartlab.answer(check, said(behaviour, entry.captures), parsed) };
      }
      case 'identify':
        return askIdentify(parsed, authentic, behaviour, entry);
    }
  }

  async function askIdentify(
    { fields, imageLink }: Parsed,
    authentic: boolean,
    behaviour: Behaviour,
    entry: Received,
  ): Promise<{ reply: Reply; after?: () => Promise<void> }> {
    if (!authentic) return { reply: identify.refusals.unauthorized };
    if (fields.problem === 'service') return { reply: identify.refusals.invalid_service };
    if (credits <= 0) return { reply: identify.refusals.no_credits };
    const url = webhooks.get(fields.webhook_name ?? '');
    if (!imageLink || !url) return { reply: identify.refusals.invalid_payload };
    credits -= 1;
    const reply = identify.accepted(Number.isFinite(credits) ? credits : 92);
    const delivery = webhook.parse(behaviour.webhook ?? {});
    const deliver = async () => {
      await fetchImage(imageLink, entry);
      if (delivery.when === 'never') return;
      await sleep(delivery.delayMilliseconds, undefined, { signal: stopped.signal });
      const fetched = entry.captures.image !== undefined;
      const says = behaviour.fault === 'error' || !fetched ? 'unreadable' : said(behaviour, entry.captures);
      const bodyOf = (what: Says) => identify.resultOf(what, fields.source_id ?? '', imageLink, new Date());
      const first = delivery.body === undefined ? bodyOf(says) : substituted(delivery.body, fields.source_id ?? '');
      for (let time = 0; time < delivery.times; time += 1) await post(url, first);
      if (delivery.contradict) await post(url, bodyOf(says === 'genuine' ? 'spoof' : 'genuine'));
    };
    if (delivery.when !== 'before') return { reply, after: deliver };
    await deliver();
    return { reply };
  }

  async function fetchImage(link: string, entry: Received): Promise<void> {
    try {
      const response = await fetch(link, { signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(10_000)]) });
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.ok) entry.captures.image = describeCapture(bytes, response.headers.get('content-type') ?? undefined);
    } catch {
      // the webhook will say that there was no image
    }
  }

  async function post(url: string, body: unknown): Promise<void> {
    const status = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(30_000)]),
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => undefined,
    );
    posted.push({ url, body, status, at: new Date().toISOString() });
  }

  function track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => pending.delete(tracked));
    pending.add(tracked);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const simulator: VendorSimulator = {
    url,
    baseUrls: { identify: url, spoofsense: url, onesmartlab: `${url}/v1.1` },
    key,
    script: (vendor, behaviours) => void scripts.set(vendor, [...(scripts.get(vendor) ?? []), ...behaviours]),
    always: (vendor, behaviour) => void defaults.set(vendor, behaviour),
    knows: (sha256, says) => void knowledge.set(sha256, says),
    registerWebhook: (name, address) => void webhooks.set(name, address),
    received: (vendor) => received.filter((entry) => vendor === undefined || entry.vendor === vendor),
    posted: () => posted,
    redirected: () => redirected,
    settled: async () => {
      while (pending.size > 0) await Promise.all(pending);
    },
    setCredits: (left) => {
      credits = left;
    },
    reset: () => {
      for (const memory of [scripts, defaults, knowledge]) memory.clear();
      received = [];
      posted = [];
      redirected = 0;
      credits = options.credits ?? Number.POSITIVE_INFINITY;
    },
    stop: async () => {
      stopped.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all(pending);
    },
  };
  return simulator;
}

function vendorOf(path: string): Vendor | undefined {
  if (path === '/identify') return 'identify';
  if (spoofsense.isPath(path)) return 'spoofsense';
  return onesmartlab.checkOf(path) ? 'onesmartlab' : undefined;
}

async function parse(vendor: Vendor, request: IncomingMessage, body: Buffer): Promise<Parsed> {
  return { identify, spoofsense, onesmartlab }[vendor].parse(request, body);
}

const substituted = (body: unknown, sourceId: string): unknown =>
  typeof body === 'string' ? body.replaceAll('{source_id}', sourceId) : body;
