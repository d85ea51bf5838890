import * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import { webhookSeconds } from '../../domain/times.ts';
import { baseUrl, callVendor, readAnswer, secret } from '../http.ts';
import type { Answer, Fetch, Provider, Submission } from '../provider.ts';
import { refusalIn } from '../refusals.ts';
import { exactly } from '../settings.ts';
import { identify as capabilities } from './capabilities.ts';
import { type Request, received, refused, service } from './wire.ts';

/**
 * The document gives neither an address nor how the token is sent: both are settings. The vendor's own introduction says
 * `x-api-key`.
 */
export const settings = exactly({
  baseUrl,
  path: z
    .string()
    .regex(/^\/[A-Za-z0-9/._~-]*$/)
    .default('/identify'),
  headerName: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/)
    .default('x-api-key'),
  /** Before the token: nothing, or `Bearer ` where the header is `authorization`. */
  headerPrefix: z
    .string()
    .regex(/^[\x20-\x7e]{0,32}$/)
    .optional(),
  timeoutSeconds: z.number().positive().max(capabilities.timeoutSeconds.spoof_detect).optional(),
});
export type Settings = z.infer<typeof settings>;

/** `webhookName` is the name under which our webhook URL was registered with Identify. */
export const credentials = exactly({ token: secret, webhookName: z.string().min(1).max(256) });
export type Credentials = z.infer<typeof credentials>;

export interface Connection {
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly fetch: Fetch;
}

/** Where requests are sent, each with a link to the selfie. */
export function address({ baseUrl, path }: Settings): string {
  return `${baseUrl}${path}`;
}

/** As long as its webhook is waited for: Identify may fetch the selfie just before it answers. */
const linkSeconds = webhookSeconds;

/** Identify: hands over a link, and the verdict comes by webhook (`delivery.ts`). */
export function identify({ settings, credentials, fetch }: Connection): Provider {
  const connection = { settings, credentials, fetch };
  return {
    ...capabilities,
    submit: (submission) => submit(submission, connection),
    probe: {
      costs: 'It is sent a request without an image link, which costs no credit.',
      run: () => probe(connection),
    },
  };
}

async function submit(submission: Submission, connection: Connection): Promise<Answer> {
  const { name } = capabilities;
  if (submission.check !== 'spoof_detect')
    throw new Fault('provider_refused', `${name} cannot do ${submission.check}.`);
  const request: Request = {
    service,
    payload: {
      image_link: await submission.linkCapture('selfie', linkSeconds),
      webhook_name: connection.credentials.webhookName,
      source_id: await submission.reference(),
    },
  };
  const answered = await post(request, connection);
  if (answered.status === 422) throw refusal(answered.text, name);
  const { remaining_credits: credits } = readAnswer(received, answered.text, name);
  return { kind: 'accepted', measurements: typeof credits === 'number' ? { remaining_credits: credits } : {} };
}

function prefixOf({ headerName, headerPrefix }: Settings): string {
  return headerPrefix ?? (headerName.toLowerCase() === 'authorization' ? 'Bearer ' : '');
}

/** "Invalid payload" is said to a token that is taken and has credits left. */
async function probe(connection: Connection): Promise<void> {
  const { webhookName: webhook_name } = connection.credentials;
  const { status, text } = await post(
    { service, payload: { webhook_name, source_id: 'credentials-check' } },
    connection,
  );
  if (status !== 422) {
    readAnswer(received, text, capabilities.name);
    return;
  }
  const fault = refusal(text, capabilities.name);
  if (fault.code !== 'provider_refused') throw fault;
}

function post(request: object, { settings, credentials, fetch }: Connection) {
  return callVendor({
    provider: capabilities.name,
    url: address(settings),
    headers: {
      'content-type': 'application/json',
      [settings.headerName]: `${prefixOf(settings)}${credentials.token}`,
    },
    body: JSON.stringify(request),
    timeoutSeconds: settings.timeoutSeconds ?? capabilities.timeoutSeconds.spoof_detect,
    fetch,
    readStatuses: [422],
  });
}

/** Invalid service, not enough credits and invalid payload are all 422: only the words tell them apart. */
function refusal(text: string, name: string): Fault {
  const { message } = readAnswer(refused, text, name);
  const code = refusalIn(message);
  if (code) return new Fault(code, `${name} answered 422, and not because of the request.`);
  const what = /\bservice\b/i.test(message) ? 'service' : 'payload';
  return new Fault('provider_refused', `${name} answered 422: it does not take the ${what}.`);
}
