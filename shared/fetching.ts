import { lookup as lookUp } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import ipaddr from 'ipaddr.js';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import type { Fetcher, FetchLimits, LinkRefusal, Unreached } from './domain/ports.ts';
import { connectSeconds } from './domain/times.ts';

/*
 * The only door to an address that a stranger chose: the link of an image, the URL of a webhook. It must not lead to what
 * only we can reach: metadata services, the runtime's own API, a private network, this computer.
 */

export interface FetcherSettings {
  /** Lets 127.0.0.1 and ::1 be reached, on any port. Nothing that is deployed sets it. @default false */
  readonly loopback?: boolean;
  /** Ports that may be reached. @default 80 and 443 */
  readonly ports?: readonly number[];
  /** What turns names into addresses. @default the system's resolver */
  readonly lookup?: LookupFunction;
}

const longestLink = 4096;
const longestRetryAfter = 64;
/** Of a webhook's answer, which is read so that its server is not cut off, and thrown away. */
const discardedBytes = 64 * 1024;

const usualPorts = [80, 443];
const loopbackAddresses = ['127.0.0.1', '::1'];

/**
 * IPv6 outside 2000::/3, where all public addresses are. The agent, and ipaddr.js which it asks, know the ranges there that
 * have a meaning, all but IPv4-compatible addresses (::/96).
 */
const neverPublic = new BlockList();
neverPublic.addSubnet('::', 3, 'ipv6');
neverPublic.addSubnet('4000::', 2, 'ipv6');
neverPublic.addSubnet('8000::', 1, 'ipv6');

interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How much of an answer with this status is read. */
  readonly maximumBytes: (status: number) => number;
}

/** An answer whose head came, and how it ended. */
interface Answer {
  readonly kind: 'answered';
  readonly status: number;
  readonly retryAfter?: string;
  readonly bytes: Uint8Array;
  readonly ended: 'complete' | Unreached['reason'];
}

/**
 * Every address is looked at twice, by the agent and here, inside the lookup that the socket itself uses: a name that would
 * lead elsewhere when asked again is not asked again. One forbidden address of several is enough to refuse a name.
 * A connection ends with its answer, so strangers share none, and redirects are not followed.
 */
export function fetcher({ loopback = false, ports = usualPorts, lookup = lookUp }: FetcherSettings = {}): Fetcher {
  // Addresses one by one: the agent compares a range with addresses of the other family, and prints a stack for each.
  const filter = { keepAlive: false, allowIPAddressList: loopback ? loopbackAddresses : [] };
  const agents = { 'http:': new RequestFilteringHttpAgent(filter), 'https:': new RequestFilteringHttpsAgent(filter) };

  return {
    refusalOf: (link, { httpsOnly = false }) => {
      const url = read(link, { loopback, ports, httpsOnly });
      return typeof url === 'string' ? url : undefined;
    },
    get: async (link, { maximumBytes, ...limits }) => {
      const wanted = (status: number) => (isSuccess(status) ? maximumBytes : 0);
      const answer = await exchange(link, { method: 'GET', headers: {}, maximumBytes: wanted }, limits);
      if (answer.kind === 'failed') return answer;
      if (!isSuccess(answer.status)) return failed('status_unexpected', answer.status);
      return answer.ended === 'complete' ? { kind: 'fetched', bytes: answer.bytes } : failed(answer.ended);
    },
    post: async (link, message, limits) => {
      const answer = await exchange(link, { ...message, method: 'POST', maximumBytes: () => discardedBytes }, limits);
      if (answer.kind === 'failed') return answer;
      const { status, retryAfter } = answer;
      return { kind: 'answered', status, ...(retryAfter !== undefined && { retryAfter }) };
    },
  };

  async function exchange(
    link: string,
    { method, headers, body, maximumBytes }: Exchange,
    { timeoutSeconds, httpsOnly = false }: FetchLimits,
  ): Promise<Answer | Unreached> {
    const url = read(link, { loopback, ports, httpsOnly });
    if (typeof url === 'string') return failed(url);
    const request = (url.protocol === 'https:' ? https : http).request({
      ...urlToHttpOptions(url),
      method,
      headers: { 'user-agent': 'Bonafide', 'accept-encoding': 'identity', ...headers },
      agent: agents[url.protocol as keyof typeof agents],
      lookup: screened,
    });
    let status: number | undefined;
    let retryAfter: string | undefined;
    let bytes = 0;
    const chunks: Uint8Array[] = [];
    const ended = await new Promise<Answer['ended']>((end) => {
      const connecting = setTimeout(() => end('timed_out'), connectSeconds * 1000);
      const running = setTimeout(() => end('timed_out'), timeoutSeconds * 1000);
      request.on('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)));
      request.on('error', (error) => end(reasonOf(error)));
      request.on('close', () => {
        clearTimeout(connecting);
        clearTimeout(running);
        end('unreachable');
      });
      request.on('response', (answer) => {
        status = answer.statusCode ?? 0;
        retryAfter = answer.headers['retry-after']?.slice(0, longestRetryAfter);
        const maximum = maximumBytes(status);
        if (Number(answer.headers['content-length'] ?? 0) > maximum) end('answer_too_large');
        answer.on('error', (error) => end(reasonOf(error)));
        answer.on('end', () => end('complete'));
        answer.on('data', (chunk: Uint8Array) => {
          bytes += chunk.length;
          if (bytes > maximum) end('answer_too_large');
          else chunks.push(chunk);
        });
      });
      request.end(body);
    });
    request.destroy();
    if (status !== undefined) {
      const answer = { kind: 'answered', status, bytes: Buffer.concat(chunks), ended } as const;
      return retryAfter === undefined ? answer : { ...answer, retryAfter };
    }
    return failed(ended === 'complete' ? 'unreachable' : ended);
  }

  function screened(...[name, options, callback]: Parameters<LookupFunction>): void {
    lookup(name, { ...options, all: true }, (error, answer) => {
      const addresses = Array.isArray(answer) ? answer : []; // of all that were asked for
      const [first] = addresses;
      if (error) callback(error, '');
      else if (!first || addresses.some(({ address }) => isForbidden(address, loopback)))
        callback(new Error('not public'), '');
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  }
}

interface LinkRules extends Required<Pick<FetcherSettings, 'loopback' | 'ports'>> {
  readonly httpsOnly: boolean;
}

/** The link's URL, or why it is not asked. */
function read(link: string, { loopback, ports, httpsOnly }: LinkRules): URL | LinkRefusal {
  if (link.length > longestLink || !URL.canParse(link)) return 'link_invalid';
  const url = new URL(link); // from here on 0x7f.1, 2130706433 and full-width digits are 127.0.0.1
  const here = loopback && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const usual = new Map(Object.entries(httpsOnly && !here ? { 'https:': 443 } : { 'http:': 80, 'https:': 443 }));
  const port = url.port === '' ? usual.get(url.protocol) : Number(url.port);
  if (!usual.has(url.protocol) || port === undefined) return 'link_invalid';
  if (url.username !== '' || url.password !== '' || !(here || ports.includes(port))) return 'link_invalid';
  const { hostname } = urlToHttpOptions(url);
  return isIP(hostname ?? '') !== 0 && isForbidden(hostname ?? '', loopback) ? 'address_forbidden' : url;
}

function isForbidden(address: string, loopback: boolean): boolean {
  if (loopback && loopbackAddresses.includes(address)) return false;
  if (isIP(address) === 0 || ipaddr.parse(address).range() !== 'unicast') return true;
  return isIPv6(address) && neverPublic.check(address, 'ipv6');
}

/** Failures of Node's own have a code; the agent's refusals, and ours above, have none. */
function reasonOf(error: Error): Unreached['reason'] {
  return 'code' in error ? 'unreachable' : 'address_forbidden';
}

const isSuccess = (status: number) => status >= 200 && status < 300;

function failed(reason: Unreached['reason'], status?: number): Unreached {
  return status === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, status };
}
