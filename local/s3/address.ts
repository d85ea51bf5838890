import { lookup } from 'node:dns/promises';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';

/** From here on up systems take the ports of outgoing connections, so one of these may be taken at the next start. */
const firstPassingPort = 32_768;
const lowestPort = 20_000;

export const portFile = (dataDirectory: string) => path.join(dataDirectory, 's3-port');

/**
 * The port S3 listens on: the one that was asked for, else that of the last start, because upload URLs name it. A
 * taken one is refused and not replaced. At the first start it is the one after the API's, or another free one.
 */
export async function portOf(dataDirectory: string, apiPort: number, asked: number | undefined): Promise<number> {
  const file = portFile(dataDirectory);
  const kept = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
  if (asked !== undefined) {
    if (await isFree(asked)) return asked;
    throw new Error(`S3_PORT ${asked} is taken: stop what uses it, or set S3_PORT to another one.`);
  }
  if (kept !== undefined) {
    if (await isFree(kept)) return kept;
    throw new Error(
      `Port ${kept}, which upload URLs of this data folder name (${file}), is taken: stop what uses it, or set S3_PORT to another one. URLs that were given out before will then lead nowhere.`,
    );
  }
  const next = apiPort + 1;
  if (apiPort > 0 && next < firstPassingPort && (await isFree(next))) return next;
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * (firstPassingPort - lowestPort));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve, reject) => {
    server.once('listening', () => resolve(true));
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(port, '127.0.0.1');
  });
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** The origin that callers are given for S3: `192.168.1.5`, `phone.test:80` or `https://tunnel.example`. */
export function publicOrigin(host: string, port: number): string {
  const named = /^https?:/.test(host) ? host : `http://${/:\d+$/.test(host) ? host : `${host}:${port}`}`;
  const url = URL.parse(named);
  if (url?.href !== `${url?.origin}/`) {
    throw new Error(`S3_PUBLIC_HOST must be a host, a host and port, or an origin, not ${host}`);
  }
  return url.origin;
}

/** Those addresses of this machine that a host is: naming one asks S3 to listen there too. */
export async function ownAddresses(origin: string): Promise<string[]> {
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  const found = await lookup(host, { all: true }).catch(() => []);
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal }) => !internal).map(({ address }) => address),
  );
  return found.map(({ address }) => address).filter((address) => own.includes(address));
}
