import { NetworkFailure, UploadProblem } from './problems.ts';
import type { components } from './schema.ts';
import { deadline, tryUntilDone } from './trying.ts';

/** Where to put one capture, as the API answers it. */
export type UploadTarget = components['schemas']['Upload'];

/** How many bytes of an attempt have moved. A second attempt begins at its own first byte. */
export interface Progress {
  readonly loaded: number;
  readonly total: number;
  readonly attempt: number;
}

export interface UploadOptions {
  /** In browsers, as bytes move; in Node once, at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default 5 */
  readonly attempts?: number | undefined;
  /** An attempt of which no byte moves for so long is given up, and tried again. @default 60 */
  readonly stalledSeconds?: number | undefined;
}

/** `stored`, or `stored_before`: an earlier attempt had landed although its answer was lost. */
export type Stored = 'stored' | 'stored_before';

/**
 * PUTs a file to S3. The URL takes one file and no second one, so repeating it does no harm while the capture is kept. An
 * `upload_expired` needs new URLs: `uploadCaptures` asks for them by itself.
 */
export function upload(target: Pick<UploadTarget, 'put'>, file: Blob, options: UploadOptions = {}): Promise<Stored> {
  const { attempts = 5, signal, stalledSeconds = 60, onProgress } = options;
  return tryUntilDone(
    async (attempt) => {
      const stalled = deadline(stalledSeconds, new NetworkFailure(`No byte moved for ${stalledSeconds} s`), signal);
      try {
        const { status, text } = await send(target.put, file, stalled.signal, (loaded) => {
          stalled.restart();
          if (loaded > 0) onProgress?.({ loaded, total: file.size, attempt });
        });
        return storedBy(status, text);
      } finally {
        stalled.end();
      }
    },
    { attempts, signal },
  );
}

interface Answer {
  readonly status: number;
  readonly text: string;
}
type Put = UploadTarget['put'];
type Send = (put: Put, file: Blob, signal: AbortSignal, onBytes: (loaded: number) => void) => Promise<Answer>;

const send: Send = (...upload) => (xhr() === undefined ? sendByFetch(...upload) : sendByXhr(...upload));

/** As much of XMLHttpRequest as an upload needs: these types are also read where there is no DOM. */
interface Xhr {
  readonly upload: { onprogress: ((event: { readonly loaded: number }) => void) | null };
  readonly status: number;
  readonly responseText: string;
  onload: (() => void) | null;
  onerror: (() => void) | null;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: Blob): void;
  abort(): void;
}
const xhr = () => (globalThis as { XMLHttpRequest?: new () => Xhr }).XMLHttpRequest;

/** Signed, and the browser's to set: it refuses a script that does. */
const signedHeaders = ({ headers }: Put) =>
  Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length');

/** Without a type of its own: a recorder's `video/webm;codecs=vp9` is not what was signed. */
const untyped = (file: Blob) => file.slice();

/** XMLHttpRequest, because fetch tells no progress of an upload. */
const sendByXhr: Send = (put, file, signal, onBytes) =>
  new Promise((resolve, reject) => {
    const Request = xhr();
    if (!Request) throw new Error('There is no XMLHttpRequest here');
    const request = new Request();
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', abort);
      act();
    };
    const abort = () => {
      request.abort();
      settle(() => reject(signal.reason));
    };
    signal.addEventListener('abort', abort);
    request.open('PUT', put.url);
    for (const [name, value] of signedHeaders(put)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onBytes(loaded);
    request.onload = () => settle(() => resolve({ status: request.status, text: request.responseText }));
    request.onerror = () => settle(() => reject(new NetworkFailure('The upload broke off')));
    request.send(untyped(file));
    if (signal.aborted) abort();
  });

const sendByFetch: Send = async (put, file, signal, onBytes) => {
  try {
    const headers = Object.fromEntries(signedHeaders(put));
    const answer = await fetch(put.url, { method: 'PUT', headers, body: untyped(file), signal });
    const text = await answer.text();
    if (answer.ok) onBytes(file.size);
    return { status: answer.status, text };
  } catch (error) {
    throw signal.aborted ? signal.reason : new NetworkFailure('The upload broke off', { cause: error });
  }
};

/** What S3's answer means; its table is in docs/integrate.md. */
function storedBy(status: number, text: string): Stored {
  if (status >= 200 && status < 300) return 'stored';
  if (status === 412) return 'stored_before';
  const [, code = ''] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
  const said = `S3 answered ${status} ${code}`.trim();
  const later = [408, 409, 429].includes(status) || status >= 500 || code === 'RequestTimeout';
  if (later && status !== 501) throw new UploadProblem('upload_busy', said);
  if (status === 403 && code !== 'SignatureDoesNotMatch') throw new UploadProblem('upload_expired', said);
  throw new UploadProblem('upload_refused', said);
}
