import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Fault, Vendor } from './behaviour.ts';

export interface ReceivedCapture {
  readonly sha256: string;
  readonly bytes: number;
  readonly contentType?: string;
}

/** One request as a simulated vendor got it. The key is checked, never kept. */
export interface Received {
  readonly vendor: Vendor;
  readonly path: string;
  readonly at: string;
  readonly authentic: boolean;
  readonly contentLength: number | undefined;
  /** Everything but files and keys: `source_id`, `webhook_name`, `audiochallenge`, `languageCode`, `service`. */
  readonly fields: Readonly<Record<string, string>>;
  /** By the vendor's own name of it. What Identify fetched from the link is `image`, added once it has. */
  readonly captures: Record<string, ReceivedCapture>;
  readonly imageLink?: string;
}

/** What a protocol reads in a request; undefined where it cannot be read as that vendor's. */
export interface Parsed {
  readonly key: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly captures: Readonly<Record<string, ReceivedCapture>>;
  readonly imageLink?: string;
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function describeCapture(bytes: Uint8Array, contentType?: string): ReceivedCapture {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { sha256, bytes: bytes.byteLength, ...(contentType ? { contentType } : {}) };
}

/** The fault a magic key asks for: `simulator-key+throttled`. */
export function faultOfKey(key: string | undefined, faults: readonly Fault[]): Fault | undefined {
  const wanted = key?.split('+')[1];
  return faults.find((fault) => fault === wanted);
}
