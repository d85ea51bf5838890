import type { UploadsView, VerificationView } from '../../shared/api/verifications.ts';
import { problemView, uploadsView, verificationView } from '../../shared/api/verifications.ts';
import { declared } from './declared.ts';

/** Where a deployment is, local or not, and a key for it: all a journey knows. */
export interface Target {
  readonly url: string;
  readonly apiKey: string;
}

let sources = 0;
export const newSourceId = () => `journey-${Date.now()}-${++sources}`;

/** The API as an integrator's server would call it, with plain HTTP. */
export function clientOf({ url, apiKey }: Target) {
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
    async verdict(sourceId: string): Promise<VerificationView> {
      for (;;) {
        const { body } = await call('GET', `/verifications/${sourceId}?wait=20`);
        const view = verificationView.parse(body);
        if (['decided', 'errored', 'expired', 'erased'].includes(view.state)) return view;
      }
    },

    async read(sourceId: string): Promise<VerificationView> {
      return verificationView.parse((await call('GET', `/verifications/${sourceId}`)).body);
    },

    async history(sourceId: string): Promise<Record<string, unknown>[]> {
      return (await call('GET', `/verifications/${sourceId}/history`)).body.history;
    },

    async problem(method: string, path: string, body?: unknown, own?: Record<string, string>) {
      const answer = await call(method, path, body, own);
      return { ...problemView.parse(answer.body), type: answer.type };
    },
  };
}
export type Client = ReturnType<typeof clientOf>;

type Upload = NonNullable<UploadsView['uploads']['selfie']>;

function uploadOf({ uploads }: UploadsView): Upload {
  if (!uploads.selfie) throw new Error('no upload for the selfie');
  return uploads.selfie;
}

/** `curl -T photo.jpg -H 'content-type: …' -H 'if-none-match: *' "$url"` */
export async function put(view: UploadsView, bytes: Uint8Array, headers: Record<string, string> = {}, url?: string) {
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
