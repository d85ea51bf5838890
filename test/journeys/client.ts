import { setTimeout } from 'node:timers/promises';
import { problemView, type UploadsView, uploadsView } from '../../shared/api/verifications.ts';
import { bonafide, type Verification } from '../../web/client/index.ts';
import { declared } from './declared.ts';

/** Where a deployment is, local or not, and a key for it: all a journey knows. */
export interface Target {
  readonly url: string;
  readonly apiKey: string;
}

let sources = 0;
export const newSourceId = () => `journey-${Date.now()}-${++sources}`;

/** The API as an integrator's server calls it: by the typed client, and with plain HTTP what that one does not let pass. */
export function clientOf({ url, apiKey }: Target) {
  const typed = bonafide({ base: url, key: apiKey, attempts: 1, fetch: fetchDeclared });
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' };
  const call = async (method: string, path: string, body?: unknown, own: Record<string, string> = headers) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: own,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const read = {
      status: answer.status,
      type: answer.headers.get('content-type'),
      body: text ? JSON.parse(text) : undefined,
    };
    declared(method, path, read);
    return read;
  };
  return {
    call,

    async request(sourceId: string, overrides: Record<string, unknown> = {}): Promise<UploadsView> {
      const { status, body } = await call('POST', '/verifications', {
        source_id: sourceId,
        check: 'spoof_detect',
        captures: { selfie: { content_type: 'image/jpeg' } },
        ...overrides,
      });
      if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
      return uploadsView.parse(body);
    },

    /** Waits for a resting state, as long as it takes. */
    async verdict(sourceId: string): Promise<Verification> {
      // The API answers a wait for captures at once, with Retry-After: 1. Here S3's event comes within milliseconds.
      while ((await typed.read(sourceId)).state === 'awaiting_captures') await setTimeout(100);
      return typed.waitForVerdict(sourceId, { attempts: 1 });
    },

    /** The same, as an integrator's server waits. */
    waitForVerdict: (sourceId: string): Promise<Verification> => typed.waitForVerdict(sourceId, { attempts: 1 }),

    read: (sourceId: string): Promise<Verification> => typed.read(sourceId),

    async history(sourceId: string): Promise<Record<string, unknown>[]> {
      const params = { path: { source_id: sourceId } };
      return (await typed.GET('/verifications/{source_id}/history', { params })).history;
    },

    async problem(method: string, path: string, body?: unknown, own?: Record<string, string>) {
      const answer = await call(method, path, body, own);
      return { ...problemView.parse(answer.body), type: answer.type };
    },
  };
}
/** Holds each answer to what its route declares, before the client reads it. */
async function fetchDeclared(request: Request): Promise<Response> {
  const answer = await fetch(request);
  const { pathname, search } = new URL(request.url);
  const body: unknown = await answer.clone().json();
  declared(request.method, pathname + search, { status: answer.status, body });
  return answer;
}

export type Client = ReturnType<typeof clientOf>;

type Upload = NonNullable<UploadsView['uploads']['selfie']>;

function uploadOf({ uploads }: Pick<UploadsView, 'uploads'>): Upload {
  if (!uploads.selfie) throw new Error('no upload for the selfie');
  return uploads.selfie;
}

/** `curl -T photo.jpg -H 'content-type: …' -H 'if-none-match: *' "$url"` */
export async function put(
  view: Pick<UploadsView, 'uploads'>,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
  url?: string,
) {
  const upload = uploadOf(view).put;
  const answer = await fetch(url ?? upload.url, {
    method: 'PUT',
    headers: { ...upload.headers, ...headers },
    body: Buffer.from(bytes),
  });
  return { status: answer.status, text: await answer.text() };
}

/** `curl -F key=… -F policy=… … -F file=@photo.jpg "$url"` */
export async function post(view: UploadsView, bytes: Uint8Array, fields: Record<string, string> = {}) {
  const upload = uploadOf(view).post;
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...upload.fields, ...fields })) form.append(name, value);
  form.append('file', new Blob([Buffer.from(bytes)]), 'photo.jpg');
  const answer = await fetch(upload.url, { method: 'POST', body: form });
  return { status: answer.status, text: await answer.text() };
}
