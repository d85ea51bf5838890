import { pathToFileURL } from 'node:url';
import { vi } from 'vitest';

/** `web/captures.js` of docs/integrate.md. */
export interface Captures {
  readonly begin: (headers?: Record<string, string>) => Promise<Begun>;
  readonly declare: (verification: Begun, files: ReadonlyMap<string, File>) => Promise<Required<Begun>>;
  readonly upload: Send;
  readonly uploadAsForm: Send;
  readonly waitForOutcome: (verification: Begun, seconds?: number) => Promise<Outcome>;
}
type Send = (target: unknown, file: File, onProgress: (share: number) => void) => Promise<void>;

export interface Begun {
  readonly source_id: string;
  readonly state: string;
  readonly round: number;
  readonly client_token?: string;
  readonly uploads?: Readonly<Record<string, unknown>>;
}

export interface Outcome {
  readonly state: string;
  readonly outcome: string | null;
  readonly reasons: readonly string[];
}

export interface Page {
  readonly captures: Captures;
  /** Every body that the page was sent, and every header it sent. */
  readonly traffic: () => string;
}

const networkFetch = globalThis.fetch;

/** Loads the page's calls in Node, with a browser's globals: relative addresses and cookies are those of `backend`. */
export async function openPage(file: string, backend: string, cookie = ''): Promise<Page> {
  const traffic: string[] = [];
  const browsing = async (address: string, options: RequestInit = {}) => {
    const url = new URL(address, backend);
    const ours = url.origin === new URL(backend).origin;
    const headers = { ...Object.fromEntries(new Headers(options.headers)), ...(ours && cookie ? { cookie } : {}) };
    const answer = await networkFetch(url, { ...options, headers });
    traffic.push(JSON.stringify(headers), await answer.clone().text());
    return answer;
  };
  vi.stubGlobal('fetch', browsing);
  vi.stubGlobal('XMLHttpRequest', requestOver(browsing));
  // A fresh module for each page.
  const captures: Captures = await import(/* @vite-ignore */ `${pathToFileURL(file)}?${Math.random()}`);
  return { captures, traffic: () => traffic.join('\n') };
}

/** As much of XMLHttpRequest as an upload needs, with a browser's refusal to set the length by hand. */
function requestOver(browsing: (address: string, options: RequestInit) => Promise<Response>) {
  return class {
    status = 0;
    onload = () => {};
    onerror = () => {};
    readonly upload = { onprogress: (_progress: { loaded: number; total: number }) => {} };
    readonly #headers = new Headers();
    #method = '';
    #url = '';

    open(method: string, url: string) {
      this.#method = method;
      this.#url = url;
    }

    setRequestHeader(name: string, value: string) {
      if (name.toLowerCase() === 'content-length') throw new Error('Browsers refuse to set content-length.');
      this.#headers.set(name, value);
    }

    send(body: File | FormData) {
      browsing(this.#url, { method: this.#method, headers: this.#headers, body }).then(
        ({ status }) => {
          this.status = status;
          this.upload.onprogress({ loaded: 1, total: 1 });
          this.onload();
        },
        () => this.onerror(),
      );
    }
  };
}

/** What the page does with one photo, from the first call to the outcome. */
export async function bringToOutcome({ captures }: Page, photo: File, headers: Record<string, string> = {}) {
  const begun = await captures.begin(headers);
  const declared = await captures.declare(begun, new Map([['selfie', photo]]));
  const shares: number[] = [];
  await captures.upload(declared.uploads.selfie, photo, (share) => shares.push(share));
  return { begun, declared, shares, ...(await captures.waitForOutcome(declared)) };
}

export const photoOf = (bytes: Uint8Array, type = 'image/jpeg') =>
  new File([Buffer.from(bytes)], 'photo.jpg', { type });
