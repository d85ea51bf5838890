import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type LookupFunction, Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Unreached } from '../../shared/domain/ports.ts';
import { fetcher } from '../../shared/fetching.ts';

/** Passes for public and is routed nowhere: of the 6bone, given back in 2006. */
const nowhere = '3ffe::1';
const limits = { maximumBytes: 1000, timeoutSeconds: 60 };

/** A resolver that answers as the names below say, one answer after the other, the last for ever. */
function resolver(): LookupFunction {
  const asked = new Map<string, number>();
  const names = new Map<string, string[][]>([
    ['loopback.example', [['127.0.0.1']]],
    ['loopback6.example', [['::1']]],
    ['mapped.example', [['::ffff:127.0.0.1']]],
    ['unspecified.example', [['0.0.0.0']]],
    ['compatible.example', [['::127.0.0.1']]],
    ['metadata.example', [['169.254.169.254']]],
    ['private.example', [['10.0.0.5']]],
    ['compatible-second.example', [[nowhere, '::127.0.0.1']]],
    ['zoned.example', [['fe80::1%lo']]],
    ['none.example', [[]]],
    ['garbage.example', [['no address']]],
    ['public-first.example', [[nowhere, '127.0.0.1']]],
    ['private-first.example', [['127.0.0.1', nowhere]]],
    ['alternating.example', [[nowhere], ['127.0.0.1']]],
  ]);
  return (name, options, callback) => {
    const answers = names.get(name);
    const turn = asked.get(name) ?? 0;
    asked.set(name, turn + 1);
    const addresses: LookupAddress[] | undefined = (
      name === 'localhost' ? ['127.0.0.1'] : answers?.[Math.min(turn, answers.length - 1)]
    )?.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => {
      if (!addresses) callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), '');
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

let connections = 0;
let handle: (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((request, response) => handle(request, response));
  server.on('connection', () => (connections += 1));
  server.listen(0, '::');
  // Without IPv6 the IPv4 links are tried all the same.
  await once(server, 'listening').catch(() => once(server.listen(0, '0.0.0.0'), 'listening'));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  connections = 0;
  handle = (_, response) => response.end('reached');
});
afterEach(() => void vi.restoreAllMocks());

/** Links that lead to this computer on Linux, when nothing is in between; `PORT` is the listener's. */
const links = {
  toTheListener: [
    'http://127.0.0.1:PORT/', // as it is
    'http://localhost:PORT/',
    'http://LOCALHOST:PORT/x?y#z',
    'http://2130706433:PORT/', // decimal
    'http://017700000001:PORT/', // octal
    'http://0177.0.0.1:PORT/',
    'http://0x7f000001:PORT/', // hex
    'http://0x7f.0x0.0x0.0x1:PORT/',
    'http://127.1:PORT/', // short
    'http://127.0.1:PORT/',
    'http://127.0.0.1.:PORT/', // with the root's dot
    'http://127.8.9.10:PORT/',
    'http://１２７.０.０.１:PORT/', // full-width digits
    'http://①②⑦.⓪.⓪.①:PORT/',
    'http://127。0。0。1:PORT/',
    'http://0:PORT/', // unspecified
    'http://0.0.0.0:PORT/',
    'http:127.0.0.1:PORT/',
    'http:\\\\127.0.0.1:PORT\\',
    'http://loopback.example:PORT/', // by name
    'http://unspecified.example:PORT/',
    'http://public-first.example:PORT/', // a name with two addresses
    'http://private-first.example:PORT/',
  ],
  toTheListenerOverIpv6: [
    'http://[::1]:PORT/',
    'http://[0:0:0:0:0:0:0:1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/', // mapped
    'http://[::ffff:7f00:1]:PORT/',
    'http://loopback6.example:PORT/',
    'http://mapped.example:PORT/',
  ],
  elsewhere: [
    'http://[::127.0.0.1]:PORT/', // IPv4-compatible
    'http://[::7f00:1]:PORT/',
    'http://[::ffff:0:127.0.0.1]:PORT/', // translated, RFC 2765
    'http://[64:ff9b::7f00:1]:PORT/', // NAT64
    'http://[64:ff9b:1::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/', // 6to4
    'http://[2001:0:7f00:1::80ff:fffe]:PORT/', // Teredo
    'http://169.254.169.254/latest/meta-data/', // metadata
    'http://0xa9fea9fe/',
    'http://[fd00:ec2::254]/',
    'http://[::ffff:169.254.169.254]/',
    'http://169.254.170.2/v2/credentials',
    'http://169.254.1.1/', // link-local
    'http://[fe80::1]/',
    'http://[fec0::1]/', // site-local
    'http://[fc00::1]/', // unique local
    'http://[fdff::1]/',
    'http://10.0.0.5/', // private
    'http://172.31.255.254/',
    'http://192.168.1.1/',
    'http://100.64.0.1/', // carrier-grade NAT
    'http://198.18.0.1/', // benchmarking
    'http://224.0.0.1/', // multicast
    'http://[ff02::1]/',
    'http://255.255.255.255/', // broadcast
    'http://metadata.example/',
    'http://private.example/',
    'http://compatible.example/',
    'http://compatible-second.example/',
    'http://zoned.example/',
    'http://none.example/',
    'http://garbage.example/',
  ],
  /** Refused by their text; the first of them lead to the listener. */
  unwanted: [
    'http://user:password@127.0.0.1:PORT/', // userinfo
    'http://user@127.0.0.1:PORT/',
    'http://public.example@127.0.0.1:PORT/',
    'http://public.example:22/', // ports
    'http://public.example:8080/',
    'https://public.example:9001/',
    'file:///etc/passwd', // schemes
    'data:text/plain,x',
    'ftp://127.0.0.1:PORT/',
    'gopher://127.0.0.1:PORT/_x',
    'ws://127.0.0.1:PORT/',
    'javascript:0',
    'blob:http://127.0.0.1:PORT/x',
    '//127.0.0.1:PORT/',
    '127.0.0.1:PORT',
    '/etc/passwd',
    'http://[fe80::1%25lo]:PORT/',
    'http://256.0.0.1:PORT/',
    'http://',
    '',
    `http://127.0.0.1:PORT/${'x'.repeat(4096)}`,
  ],
};
const at = (link: string) => link.replaceAll('PORT', String(port));

/** What Node does with the link when nothing is in between: true if the listener answered. */
async function reachesUnfiltered(link: string): Promise<boolean> {
  const before = connections;
  await new Promise<void>((end) => {
    const asked = request(new URL(at(link)), { lookup: resolver() as never, agent: false, timeout: 60_000 }, (answer) =>
      answer.resume().on('end', end),
    );
    asked.on('error', () => end()).end();
  });
  return connections > before;
}

describe('a link of a stranger', () => {
  it(`reaches nothing of ours: ${Object.values(links).flat().length} links, no connection`, async () => {
    const door = fetcher({ ports: [80, 443, port], lookup: resolver() });
    const found: [string, string][] = [];
    for (const [group, each] of Object.entries(links)) {
      for (const link of each) {
        const expected = group === 'unwanted' ? 'link_invalid' : 'address_forbidden';
        const got = await door.get(at(link), limits);
        const posted = await door.post(at(link), { body: '{}', headers: {} }, limits);
        for (const { kind, reason } of [got, posted] as Unreached[]) {
          if (kind !== 'failed' || reason !== expected) found.push([link, reason ?? kind]);
        }
      }
    }
    expect(found).toEqual([]);
    expect(connections).toBe(0);
  });

  it('is refused before any call for what its text tells, in the same words, and no name is looked up', async () => {
    const door = fetcher({ ports: [80, 443, port], lookup: resolver() });
    for (const link of Object.values(links).flat()) {
      const told = door.refusalOf(at(link), {});
      const named = /\.example|localhost/i.test(link) && !links.unwanted.includes(link);
      const refused = await door.get(at(link), limits);
      expect([link, told]).toEqual([link, named ? undefined : (refused as Unreached).reason]);
    }
    expect(door.refusalOf('http://hooks.example/', { httpsOnly: true })).toBe('link_invalid');
    expect(door.refusalOf('https://hooks.example/a?b=c', { httpsOnly: true })).toBeUndefined();
    expect(fetcher({ loopback: true }).refusalOf('http://127.0.0.1:9000/', { httpsOnly: true })).toBeUndefined();
  });

  it('would reach the listener with the filter removed', async () => {
    const overIpv6 = server.listening && (server.address() as AddressInfo).family === 'IPv6';
    const leading = [
      ...links.toTheListener,
      ...(overIpv6 ? links.toTheListenerOverIpv6 : []),
      ...links.unwanted.slice(0, 3),
    ];
    const missed: string[] = [];
    for (const link of leading) if (!(await reachesUnfiltered(link))) missed.push(link);
    expect(missed).toEqual([]);
    expect(connections).toBe(leading.length);
  });

  it('is looked up once, by the socket itself: a name that leads elsewhere the second time is not asked again', async () => {
    const lookup = vi.fn(resolver());
    const door = fetcher({ ports: [port], lookup });
    const link = at('http://alternating.example:PORT/');
    expect(await door.get(link, { ...limits, timeoutSeconds: 1 })).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^(unreachable|timed_out)$/),
    });
    expect([lookup.mock.calls.length, connections]).toEqual([1, 0]);
    expect(await door.get(link, limits)).toEqual({ kind: 'failed', reason: 'address_forbidden' });

    // A check before the request lets it through: its lookup gets the public address, the request's the other one.
    const naive = resolver();
    const checked = await new Promise((end) => naive('alternating.example', {}, (_, address) => end(address)));
    expect(checked).toBe(nowhere);
    await new Promise((end) =>
      request(link, { lookup: naive as never, agent: false }, (answer) => answer.resume().on('end', end)).end(),
    );
    expect(connections).toBe(1);
  });

  it('may lead to a public address: what is held back is not everything', async () => {
    const tried: unknown[] = [];
    // No packet leaves: the socket is ended where it would connect.
    vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...[first]: unknown[]) {
      tried.push([first as { host: string }].flat()[0]?.host);
      setImmediate(() => this.destroy(Object.assign(new Error('not sent'), { code: 'ENOTSENT' })));
      return this;
    });
    const open = ['1.1.1.1', '9.255.255.255', '11.0.0.0', '172.32.0.1', '100.128.0.1', '198.20.0.1', '223.255.255.255'];
    const open6 = ['2600::1', '2a00:1450::1', '2001:4860:4860::8888', '2606:4700::1111', nowhere];
    const door = fetcher();
    for (const host of [...open, ...open6.map((address) => `[${address}]`), 'public.example']) {
      for (const scheme of ['http', 'https']) {
        expect(await door.get(`${scheme}://${host}/`, limits)).toEqual({ kind: 'failed', reason: 'unreachable' });
      }
    }
    expect(new Set(tried)).toEqual(new Set([...open, ...open6, 'public.example']));
  });

  it('goes nowhere in a special-purpose range of IANA, nor outside 2000::/3', async () => {
    const connect = vi.spyOn(Socket.prototype, 'connect');
    const ranges = [
      ...[
        '0.0.0.0 0.255.255.255',
        '10.0.0.0 10.255.255.255',
        '100.64.0.0 100.127.255.255',
        '127.0.0.0 127.255.255.255',
      ],
      ...['169.254.0.0 169.254.255.255', '172.16.0.0 172.31.255.255', '192.0.0.0 192.0.0.255', '192.0.2.0 192.0.2.255'],
      ...['192.31.196.0 192.31.196.255', '192.52.193.0 192.52.193.255', '192.88.99.0 192.88.99.255'],
      ...['192.168.0.0 192.168.255.255', '192.175.48.0 192.175.48.255', '198.18.0.0 198.19.255.255'],
      ...['198.51.100.0 198.51.100.255', '203.0.113.0 203.0.113.255', '224.0.0.0 255.255.255.255'],
      ...[':: 1fff:ffff::', '::1.1.1.1 ::ffff:1.1.1.1', '64:ff9b::101:101 64:ff9b:1:ffff::', '100:: 100::ffff'],
      ...[
        '2001:: 2001:1ff:ffff::',
        '2001:db8:: 2001:db8:ffff::',
        '2002:: 2002:ffff:ffff::',
        '2620:4f:8000:: 2620:4f:8000::1',
      ],
      ...['3fff:: 3fff:fff:ffff::', '4000:: 7fff:ffff::', '5f00:: 5f00::1', '8000:: ffff:ffff::', 'fc00:: fdff:ffff::'],
    ];
    const door = fetcher();
    for (const address of ranges.flatMap((range) => range.split(' '))) {
      const host = address.includes(':') ? `[${address}]` : address;
      const answers = [await door.get(`http://${host}/`, limits), await door.get(`https://${host}/`, limits)];
      for (const answer of answers)
        expect([address, answer]).toEqual([address, { kind: 'failed', reason: 'address_forbidden' }]);
    }
    expect(connect).not.toHaveBeenCalled();
  });

  it('may have to be https, but to this computer', async () => {
    const door = fetcher({ loopback: true, ports: [80, 443, port] });
    for (const link of ['http://hooks.example/', 'http://localhost.example:PORT/', 'http://127.0.0.2:PORT/'])
      expect(await door.get(at(link), { ...limits, httpsOnly: true })).toEqual({
        kind: 'failed',
        reason: 'link_invalid',
      });
    expect(connections).toBe(0);
    expect(await door.get(at('http://127.0.0.1:PORT/'), { ...limits, httpsOnly: true })).toMatchObject({
      kind: 'fetched',
    });
    expect(await fetcher().get(at('http://127.0.0.1/'), { ...limits, httpsOnly: true })).toMatchObject({
      reason: 'link_invalid',
    });
    const forbidden = await fetcher().get('https://127.0.0.1/', { ...limits, httpsOnly: true });
    expect(forbidden).toEqual({ kind: 'failed', reason: 'address_forbidden' });
  });

  it('that is anything at all is answered, never thrown, and reaches nothing', async () => {
    const door = fetcher({ ports: [80, 443, port], lookup: resolver() });
    const host = fc.constantFrom(
      '127.1',
      '[::1]',
      'loopback.example',
      'none.example',
      '0',
      '\u{1F600}',
      'a b',
      '%00',
      '..',
    );
    const link = fc.oneof(
      fc.string(),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc
        .tuple(fc.constantFrom('http', 'HTTPS', 'file'), host, fc.string({ unit: 'binary' }))
        .map(([scheme, name, path]) => `${scheme}://${name}/${path}`),
    );
    await fc.assert(
      fc.asyncProperty(link, async (text) => (await door.get(text, limits)).kind === 'failed'),
      { numRuns: 300 },
    );
    expect(connections).toBe(0);
  });
});

describe('on this computer, where it is allowed', () => {
  const door = fetcher({ loopback: true, lookup: resolver() });
  const here = () => at('http://127.0.0.1:PORT/image.jpg?v=1');
  const get = (overrides: Partial<typeof limits> = {}) => door.get(here(), { ...limits, ...overrides });
  /** Short enough to wait for; what is tested is that there is an answer at all. */
  const soon = { timeoutSeconds: 0.5 };

  it('a picture is fetched as it is, with a plain request', async () => {
    const picture = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    const seen: (string | undefined)[] = [];
    handle = ({ method, url, headers }, response) => {
      seen.push(method, url, headers['accept-encoding'], headers.connection, headers['user-agent']);
      response.end(picture);
    };
    for (const name of ['127.0.0.1', 'localhost']) {
      expect(await door.get(at(`http://${name}:PORT/image.jpg?v=1#x`), limits)).toEqual({
        kind: 'fetched',
        bytes: picture,
      });
    }
    expect(seen.slice(0, 5)).toEqual(['GET', '/image.jpg?v=1', 'identity', 'close', 'Bonafide']);
    expect(connections).toBe(2);
  });

  it('nothing else of a private network is reached', async () => {
    for (const link of [
      'http://127.0.0.2:PORT/',
      'http://0.0.0.0:PORT/',
      'http://[::ffff:127.0.0.1]/',
      'http://10.0.0.5/',
    ]) {
      expect(await door.get(at(link), limits)).toMatchObject({
        reason: expect.stringMatching(/^(address_forbidden|link_invalid)$/),
      });
    }
    expect(connections).toBe(0);
  });

  it.each([301, 302, 307, 308])('a redirect (%i) to this computer is not followed', async (status) => {
    let followed = 0;
    handle = ({ url }, response) => {
      if (url === '/inner') followed += 1;
      response.writeHead(status, { location: at('http://127.0.0.1:PORT/inner') }).end();
    };
    expect(await get()).toEqual({ kind: 'failed', reason: 'status_unexpected', status });
    const message = { body: '{}', headers: {} };
    expect(await door.post(here(), message, limits)).toEqual({ kind: 'answered', status });
    expect(followed).toBe(0);
    await fetch(here()).catch(() => undefined); // follows until it has had enough
    expect(followed).toBeGreaterThan(0);
  });

  it.each([204, 400, 404, 429, 500, 503])('the status %i is told', async (status) => {
    handle = (_, response) => response.writeHead(status).end();
    expect(await get()).toEqual(
      status < 300
        ? { kind: 'fetched', bytes: Buffer.alloc(0) }
        : { kind: 'failed', reason: 'status_unexpected', status },
    );
  });

  it('more bytes than allowed are not read, declared or not', async () => {
    const declared = (_: unknown, response: ServerResponse) =>
      void response.writeHead(200, { 'content-length': '1001' }).write('the rest never comes');
    const endless = (_: unknown, response: ServerResponse) => {
      const more = () => void (response.destroyed || response.write(Buffer.alloc(500), more));
      more();
    };
    for (handle of [declared, endless]) {
      expect(await get()).toEqual({ kind: 'failed', reason: 'answer_too_large' });
    }
    handle = (_, response) => response.end(Buffer.alloc(1000));
    expect(await get()).toMatchObject({ kind: 'fetched' });
  });

  it('a body that is cut is no picture', async () => {
    handle = (_, response) => {
      response.writeHead(200, { 'content-length': '900' }).write('half');
      setImmediate(() => response.destroy());
    };
    expect(await get()).toEqual({ kind: 'failed', reason: 'unreachable' });
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['never answers', () => undefined],
    ['never ends its head', (_, { socket }) => void socket?.write('HTTP/1.1 200 OK\r\nx: ')],
    ['never ends its body', (_, response) => void response.writeHead(200).write('x')],
    [
      'sends a byte now and then',
      (_, response) => {
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      },
    ],
    [
      'asks to wait for ever',
      (_, response) => {
        const timer = setInterval(() => response.writeProcessing(), 20);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('a server that %s is left', async (_, badly) => {
    handle = badly;
    expect(await get(soon)).toEqual({ kind: 'failed', reason: 'timed_out' });
  });

  it.each<[string, string]>([
    ['speaks another protocol', 'SSH-2.0-x\r\n'],
    ['sends a huge head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
    ['declares two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx'],
    ['says nothing', ''],
  ])('a server that %s is unreachable', async (_, text) => {
    handle = (_request, { socket }) => void socket?.end(text);
    expect(await get()).toEqual({ kind: 'failed', reason: 'unreachable' });
  });

  it('an address that takes no connection is left after five seconds, whatever time the answer has', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const silent = fetcher({ lookup: () => undefined });
      let answer: unknown;
      void silent.get('http://silent.example/', limits).then((told) => (answer = told));
      await vi.advanceTimersByTimeAsync(4999);
      expect(answer).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      expect(answer).toEqual({ kind: 'failed', reason: 'timed_out' });

      // A connected server may think longer.
      let asked: () => void;
      const asking = new Promise<void>((resolve) => (asked = resolve));
      handle = () => asked();
      const slow = get();
      await asking;
      await vi.advanceTimersByTimeAsync(59_000);
      expect(await Promise.race([slow, 'waiting'])).toBe('waiting');
      await vi.advanceTimersByTimeAsync(1000);
      expect(await slow).toEqual({ kind: 'failed', reason: 'timed_out' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('nothing listens, or there is no such name', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: free } = closed.address() as AddressInfo;
    await new Promise((end) => closed.close(end));
    for (const link of [`http://127.0.0.1:${free}/`, 'http://unknown.example/', `https://127.0.0.1:${port}/`]) {
      expect(await door.get(link, limits)).toEqual({ kind: 'failed', reason: 'unreachable' });
    }
  });

  it('a webhook gets its body byte for byte, and its answer is thrown away', async () => {
    const body = '{"probability": .91, "name": "Zoë"}\n';
    const seen: unknown[] = [];
    handle = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(request.method, request.headers['content-type'], request.headers['content-length']);
        seen.push(Buffer.concat(chunks).toString());
        response.writeHead(202).end('thank you');
      });
    };
    const message = { body, headers: { 'content-type': 'application/json' } };
    expect(await door.post(here(), message, limits)).toEqual({ kind: 'answered', status: 202 });
    expect(seen).toEqual(['POST', 'application/json', String(Buffer.byteLength(body)), body]);
  });

  it('a webhook is told to be asked later, in no more than 64 characters', async () => {
    const message = { body: '{}', headers: {} };
    handle = (_, response) => void response.writeHead(429, { 'retry-after': '120' }).end();
    expect(await door.post(here(), message, limits)).toEqual({ kind: 'answered', status: 429, retryAfter: '120' });
    handle = (_, response) => void response.writeHead(503, { 'retry-after': '9'.repeat(1000) }).end();
    expect(await door.post(here(), message, limits)).toMatchObject({ status: 503, retryAfter: '9'.repeat(64) });
  });

  it('a webhook that answered is answered, however much follows, and however slowly', async () => {
    const message = { body: '{}', headers: {} };
    handle = (_, response) => void response.writeHead(200).write('x');
    expect(await door.post(here(), message, { timeoutSeconds: 0.5 })).toEqual({ kind: 'answered', status: 200 });
    handle = (_, response) => void response.writeHead(500).end(Buffer.alloc(10_000_000));
    expect(await door.post(here(), message, limits)).toEqual({ kind: 'answered', status: 500 });
    handle = () => undefined;
    expect(await door.post(here(), message, soon)).toEqual({ kind: 'failed', reason: 'timed_out' });
  });
});
