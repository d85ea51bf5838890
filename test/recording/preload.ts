// `node --import …/preload.ts`: every HTTP exchange that a server of this process takes part in becomes one line of
// RECORDING_DIRECTORY/<pid>.ndjson. Written synchronously: a killed process loses nothing that it answered.
import { createHash } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Body, Exchange, Headers } from './exchange.ts';

/** Larger texts, and everything that is not text, are kept as length and hash. */
const largestTextBytes = 256 * 1024;

const directory = process.env.RECORDING_DIRECTORY;
if (directory) {
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    record(request, response, join(directory, `${process.pid}.ndjson`));
  });
}

function record(request: IncomingMessage, response: ServerResponse, file: string): void {
  const [received, sent]: [Buffer[], Buffer[]] = [[], []];
  let head: Headers = {};
  let written = false;
  const keep = (chunks: Buffer[], [chunk, encoding]: readonly unknown[]) => {
    if (typeof chunk === 'string') chunks.push(Buffer.from(chunk, encoding as BufferEncoding | undefined));
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  const write = (complete: boolean) => {
    if (written) return;
    written = true;
    const headers = { ...namedLower(response.getHeaders()), ...head };
    const exchange: Exchange = {
      at: new Date().toISOString(),
      method: request.method ?? '',
      url: request.url ?? '',
      headers: namedLower(request.headers),
      body: bodyOf(Buffer.concat(received), request.headers['content-type']),
      response: complete
        ? { status: response.statusCode, headers, body: bodyOf(Buffer.concat(sent), String(headers['content-type'])) }
        : { hungUpAfter: response.headersSent ? response.statusCode : undefined },
    };
    appendFileSync(file, `${JSON.stringify(exchange)}\n`);
  };

  around(request, 'push', (parameters) => keep(received, parameters));
  around(response, 'write', (parameters) => keep(sent, parameters));
  around(response, 'writeHead', (parameters) => {
    const given = parameters.findLast((parameter) => typeof parameter === 'object' && parameter !== null);
    head = namedLower((given ?? {}) as Record<string, unknown>);
  });
  const end = response.end.bind(response) as (...parameters: unknown[]) => ServerResponse;
  response.end = ((...parameters: unknown[]) => {
    keep(sent, parameters);
    const answer = end(...parameters);
    write(!response.destroyed);
    return answer;
  }) as ServerResponse['end'];
  response.on('close', () => write(false));
}

/** Calls `first` with the parameters of every call of a method, then the method. */
function around<Name extends string>(
  object: Record<Name, (...parameters: never[]) => unknown>,
  name: Name,
  first: (parameters: unknown[]) => void,
): void {
  const method = object[name].bind(object) as (...parameters: unknown[]) => unknown;
  object[name] = (...parameters: unknown[]) => {
    first(parameters);
    return method(...parameters);
  };
}

function namedLower(headers: Record<string, unknown>): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function bodyOf(bytes: Buffer, contentType: string | undefined): Body | undefined {
  if (bytes.length === 0) return undefined;
  const boundary = /^multipart\/.*boundary="?([^";]+)/.exec(contentType ?? '')?.[1];
  if (boundary) return { parts: partsOf(bytes, boundary) };
  return textOf(bytes) ?? described(bytes);
}

/** Field name → its text, or what is known of its bytes. */
function partsOf(bytes: Buffer, boundary: string): Record<string, Body> {
  const parts = bytes.toString('latin1').split(`--${boundary}`).slice(1, -1);
  const fields = parts.map((part): [string, Body] => {
    const end = part.indexOf('\r\n\r\n');
    const head = part.slice(0, end);
    const content = Buffer.from(part.slice(end + 4, -2), 'latin1');
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? '';
    const type = /content-type: *([^\r]+)/i.exec(head)?.[1];
    if (!/filename=/.test(head)) return [name, textOf(content) ?? described(content)];
    return [name, { ...described(content), filename: /filename="([^"]*)"/.exec(head)?.[1], type }];
  });
  return Object.fromEntries(fields);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Buffer): string | undefined {
  if (bytes.length > largestTextBytes || bytes.includes(0)) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function described(bytes: Buffer): { bytes: number; hash: string } {
  return { bytes: bytes.length, hash: createHash('sha256').update(bytes).digest('hex') };
}
