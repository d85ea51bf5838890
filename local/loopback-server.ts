import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that only this machine can reach. */
export interface LoopbackServer {
  url: string;
  port: number;
  stop: () => Promise<void>;
}

export type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Listens on 127.0.0.1: the embedded parts hold captures and accept dummy credentials.
 * @param also further addresses of this machine, on the same port
 */
export async function listenOnLoopback(handle: Handle, port = 0, also: string[] = []): Promise<LoopbackServer> {
  const first = await listen(handle, port, '127.0.0.1');
  const servers = [first];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    for (const address of also) servers.push(await listen(handle, first.port, address));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${first.port}`, port: first.port, stop };
}

async function listen(handle: Handle, port: number, address: string) {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return; // the caller hung up while sending
      console.error(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Thrown by `readBody` when the caller sends more than it may. */
export class BodyTooLarge extends Error {}

/** The first bytes of a body, at most so many; what comes after them is drained. */
export async function readBodyUpTo(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let left = limitBytes;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Reads a whole body, or throws `BodyTooLarge` after draining what was too much. */
export async function readBody(request: IncomingMessage, limitBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limitBytes) chunks.push(chunk);
  }
  if (size > limitBytes) throw new BodyTooLarge();
  return Buffer.concat(chunks);
}

export function sendJson(response: ServerResponse, status: number, body: unknown, contentType: string): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
