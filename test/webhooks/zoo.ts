import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { selfSigned } from './certificate.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const answers =
  (status: number, headers: Record<string, string> = {}): Handle =>
  (_, response) =>
    response.writeHead(status, headers).end('thank you');

const byteByByte = (response: ServerResponse, write: () => void) => {
  const timer = setInterval(write, 50);
  response.on('close', () => clearInterval(timer));
};

const largeBytes = 50 * 1024 * 1024;
const metadataService = '169.254.169.254';

/** Receivers of every kind on this machine, by what each does: the rows of docs/webhooks.md. `now` is what dates go by. */
export async function openZoo(now: () => Date) {
  const leadsTo = createHttpServer((_, response) => {
    counts.followed += 1;
    response.end();
  });
  const counts = { followed: 0, requests: 0, writtenBytes: 0, lookups: new Map<string, number>() };
  await listening(leadsTo);
  const inTenMinutes = () => new Date(now().getTime() + 600_000).toUTCString();

  const kinds: Readonly<Record<string, Handle>> = {
    'answers 200': answers(200),
    'answers 201': answers(201),
    'answers 204': (_, response) => void response.writeHead(204).end(),
    'answers 301 to an address of its own network': answers(301, { location: `http://127.0.0.1:${portOf(leadsTo)}/` }),
    'answers 400': answers(400),
    'answers 410': answers(410),
    'answers 429 with `Retry-After: 120`': answers(429, { 'retry-after': '120' }),
    'answers 429 with a date in ten minutes': (...call) => answers(429, { 'retry-after': inTenMinutes() })(...call),
    'answers 429 with `Retry-After: 1`': answers(429, { 'retry-after': '1' }),
    'answers 503 with `Retry-After: 1000000`': answers(503, { 'retry-after': '1000000' }),
    'answers 503 with a date in ten minutes': (...call) => answers(503, { 'retry-after': inTenMinutes() })(...call),
    'answers 500': answers(500),
    'answers 200, then a byte a second': (_, response) => {
      response.writeHead(200).write('x');
      byteByByte(response, () => response.write('x'));
    },
    'sends its head a byte a second': (_, response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\nx: ');
      byteByByte(response, () => response.socket?.write('x'));
    },
    'answers 200 and resets in the middle': (_, response) => {
      response.writeHead(200, { 'content-length': '900' }).write('half');
      setImmediate(() => response.destroy());
    },
    'resets before a status': ({ socket }) => void socket.destroy(),
    'answers 200 and 50 MB': (_, response) => {
      const { socket } = response;
      response.on('close', () => (counts.writtenBytes = socket?.bytesWritten ?? 0));
      response.writeHead(200, { 'content-type': 'text/plain' });
      let left = largeBytes;
      const more = () => {
        left -= 65_536;
        if (left > 0 && !response.destroyed) response.write(Buffer.alloc(65_536), more);
        else response.end();
      };
      more();
    },
    'never answers': () => undefined,
    'has a name that leads elsewhere when asked again': answers(200),
  };

  const trusted = selfSigned('*.zoo.example');
  setDefaultCACertificates([...getCACertificates('default'), trusted.cert]);
  const names = new Map(Object.keys(kinds).map((kind, index) => [`animal-${index}.zoo.example`, kind]));
  const server = await serve(trusted, (request, response) => {
    counts.requests += 1;
    const [name = ''] = (request.headers.host ?? '').split(':');
    request.resume().on('end', () => kinds[names.get(name) ?? '']?.(request, response));
  });
  const untrusted = await serve(selfSigned('*.zoo.example'), answers(200));
  const misnamed = await serve(trusted, answers(200));
  const [again = ''] = [...names].find(([, kind]) => kind === 'has a name that leads elsewhere when asked again') ?? [];

  const lookup: LookupFunction = (name, _, callback) => {
    const times = (counts.lookups.get(name) ?? 0) + 1;
    counts.lookups.set(name, times);
    const isForbidden = name === 'metadata.zoo.example' || (name === again && times > 1);
    callback(null, [{ address: isForbidden ? metadataService : '127.0.0.1', family: 4 }]);
  };

  return {
    /** Its URL, by what the receiver does. */
    urls: new Map([
      ...[...names].map(([name, kind]) => [kind, `https://${name}:${portOf(server)}/hook`] as const),
      ['shows a certificate that no authority signed', `https://untrusted.zoo.example:${portOf(untrusted)}/hook`],
      ['shows a certificate of another name', `https://a.misnamed.example:${portOf(misnamed)}/hook`],
      ['has a name that leads to 169.254.169.254', `https://metadata.zoo.example:${portOf(server)}/hook`],
    ]),
    /** What a fetcher needs to find them. */
    fetcherSettings: {
      loopback: true,
      ports: [server, untrusted, misnamed].map(portOf),
      lookup,
    },
    counts,
    close: () => {
      for (const one of [leadsTo, server, untrusted, misnamed]) {
        one.closeAllConnections();
        one.close();
      }
    },
  };
}

type Listener = Server | ReturnType<typeof createHttpServer>;

const portOf = (server: Listener) => (server.address() as AddressInfo).port;

async function serve(certificate: { cert: string; key: string }, handle: Handle): Promise<Server> {
  const server = createServer(certificate, handle);
  await listening(server);
  return server;
}

const listening = (server: Listener) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
