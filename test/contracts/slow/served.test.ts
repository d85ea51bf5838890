import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Check, capturesOf } from '../../../shared/domain/captures.ts';
import { Fault } from '../../../shared/domain/fault.ts';
import { sourceIdHeader } from '../../../shared/lambda/http.ts';
import { connectors } from '../../../shared/providers/connect.ts';
import { deliveries } from '../../../shared/providers/deliveries.ts';
import type { Delivery, Provider } from '../../../shared/providers/provider.ts';
import { registry } from '../../../shared/providers/registry.ts';
import { faceOnScreen, landscape, portrait } from '../../../tools/samples.ts';
import { idCard, selfieOfPair } from '../../engine/people.ts';
import { said, video } from '../../engine/videos.ts';
import { clientOf } from '../../journeys/client.ts';
import { declared } from '../../journeys/declared.ts';
import { type RunningStack, remove, startLocalStack } from '../../journeys/local-stack.ts';
import { clients } from '../../local/fixtures/clients.ts';
import { credentialsOf } from '../credentials.ts';
import { type Expected, expectedOf, type Face } from '../participants.ts';
import { type Bytes, startOurSide, submissionOf } from '../submission.ts';

/* Each vendor's adapter against the API of that vendor that we serve, over HTTP: what it is told is what it expects of the vendor. */

let running: RunningStack;
let stranger: string;
let card: Uint8Array;
/** Every source_id that an answer named. */
const told: string[] = [];
/** Serves the selfie by link and takes the results of Identify. */
let ours: Awaited<ReturnType<typeof startOurSide>>;

beforeAll(async () => {
  running = await startLocalStack();
  card = await idCard();
  [stranger = ''] = /bf_\S+/.exec(await admin('tenant', 'create', 'acme')) ?? [];
  ours = await startOurSide();
  await admin('served-webhook', 'set', 'demo', 'contract', `${ours.url}/webhooks/contract`);
});
afterAll(async () => {
  await ours.stop();
  await running.stop();
  remove(running.dataDirectory);
});

async function admin(...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['tools/admin.ts', ...words], {
    env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
  });
  return stdout;
}

/** Where each vendor's API is served, below the host. */
const paths: Readonly<Record<string, string>> = { spoofsense: '/prod', onesmartlab: '/v1.1', identify: '' };
const served = [...registry.values()].filter(({ name }) => paths[name] !== undefined);

interface Answered {
  readonly status: number;
  readonly sourceId: string;
}

/** The vendor's adapter, connected to us, and what it was answered over HTTP. */
function connect(name: string, key: string): { provider: Provider; answers: Answered[] } {
  const answers: Answered[] = [];
  const connector = connectors.get(name);
  if (!connector) throw new Error(`Nothing connects ${name}`);
  const provider = connector.connect(
    { settings: { baseUrl: `${running.url}${paths[name]}` }, credentials: credentialsOf(name, key) },
    {
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        const text = await answer.clone().text();
        declared('POST', new URL(url).pathname, { status: answer.status, body: JSON.parse(text) });
        answers.push({ status: answer.status, sourceId: answer.headers.get(sourceIdHeader) ?? '' });
        return answer;
      },
      sleep: async () => undefined,
    },
  );
  return { provider, answers };
}

/** The person's own capture, by what it shows. */
const photographs: Readonly<Record<Face, () => Promise<Uint8Array>>> = {
  genuine: selfieOfPair,
  spoof: faceOnScreen,
  no_face: landscape,
  face_too_small: () => portrait(512),
};
const videos: Readonly<Partial<Record<Face, () => Promise<Uint8Array>>>> = {
  genuine: () => video(),
  spoof: async () => video({ people: [await selfieOfPair()], shown: 'photo' }),
};

/** What is posted to our webhook of one request, as the adapter reads it. */
async function resultOf(name: string, reference: string): Promise<Delivery['answer']> {
  const find = () =>
    ours.posts.map(({ text }) => deliveries.get(name)?.(text)).find((posted) => posted?.reference === reference);
  await expect.poll(find, { interval: 100 }).toBeDefined();
  const delivery = find();
  if (!delivery) throw new Error('It was there');
  return delivery.answer;
}

/** Asked again where a busy machine had not judged it in time (504): how long it may take is the bench's business. */
async function outcomeOf(
  { provider, answers }: ReturnType<typeof connect>,
  check: Check,
  bytes: Bytes,
): Promise<Expected> {
  const outcome = await outcomeOfOne(provider, check, bytes);
  return answers.at(-1)?.status === 504 ? outcomeOf({ provider, answers }, check, bytes) : outcome;
}

async function outcomeOfOne(provider: Provider, check: Check, bytes: Bytes): Promise<Expected> {
  const spoken = check === 'video_verify' ? { challenge: said, languageCode: 'en-US' } : {};
  const reference = randomUUID();
  const link = { linkCapture: async () => ours.serve(bytes.selfie ?? card), reference: async () => reference };
  try {
    const answer = await provider.submit(submissionOf(check, bytes, { ...spoken, ...link }));
    const decided = answer.kind === 'decided' ? answer : await resultOf(provider.name, reference);
    if (decided.kind === 'fault') return { fault: decided.code };
    const { outcome, reasons } = decided.finding;
    return reasons.length === 0 ? outcome : `${outcome}: ${reasons.join(', ')}`;
  } catch (error) {
    if (error instanceof Fault) return { fault: error.code };
    throw error;
  }
}

const shown = served.flatMap(({ name, checks }) =>
  checks.flatMap((check) => {
    const makers: Partial<Record<Face, () => Promise<Uint8Array>>> = check === 'video_verify' ? videos : photographs;
    return Object.entries(makers).map(([face, make]) => ({ name, check, face: face as Face, make }));
  }),
);

describe('an adapter is told by us what it expects of its vendor', () => {
  it.each(shown)('$name at $check: $face', async ({ name, check, face, make }) => {
    const connected = connect(name, running.apiKey);
    const [own] = capturesOf[check];
    const outcome = await outcomeOf(connected, check, { [own]: await make(), id_card: card });
    expect(outcome).toEqual(expectedOf(name, face));

    const { sourceId = '' } = connected.answers.at(-1) ?? {};
    told.push(sourceId);
    expect(sourceId).toMatch(new RegExp(`^${name}\\.[0-9a-f-]{36}$`)); // a UUID, ours or the reference
    const moves = (await clientOf(running).history(sourceId)).filter(({ kind }) => kind === 'moved');
    expect(moves.map(({ state }) => state)).toEqual(['awaiting_captures', 'queued', 'dispatched', 'decided']);
    const ofStranger = clientOf({ url: running.url, apiKey: stranger });
    expect((await ofStranger.call('GET', `/verifications/${sourceId}`)).status).toBe(404);
    await expect.poll(storedCaptures).toEqual([]);
  });
});

describe.each(served.flatMap(({ name, checks }) => checks.map((check) => ({ name, check }))))(
  '$name at $check',
  ({ name, check }) => {
    it('refuses a key that is not the tenant’s, as the vendor does', async () => {
      const connected = connect(name, 'a-key-that-is-wrong');
      const bytes = { selfie: await portrait(), video: await video(), id_card: card };
      expect(await outcomeOf(connected, check, bytes)).toEqual({ fault: 'provider_unauthorized' });
      expect(connected.answers.map(({ sourceId }) => sourceId)).toEqual(['']);
    });
  },
);

it('tells an oversized body as each vendor does', async () => {
  const post = async (path: string, headers: Record<string, string>, body: Uint8Array) => {
    const answer = await fetch(`${running.url}${path}`, { method: 'POST', headers, body });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };
  const oversized = new Uint8Array(10_485_761);
  const text = { status: 413, type: 'text; charset=utf-8', text: 'HTTP content length exceeded 10485760 bytes.' };
  for (const path of ['/antispoofing', '/prod/antispoofing', '/robust', '/prod/robust']) {
    expect(await post(path, { 'x-api-key': running.apiKey }, oversized)).toEqual(text);
  }
  const form = { 'content-type': 'multipart/form-data; boundary=b' };
  for (const path of ['/v1.1/photoverify', '/v1.1/spoofdetect']) {
    expect(await post(path, form, oversized)).toMatchObject({
      status: 413,
      text: expect.stringMatching(/^{"error":"/),
    });
  }
  const toIdentify = await post('/identify', { 'x-api-key': running.apiKey }, oversized);
  expect(toIdentify).toMatchObject({ status: 413, text: expect.stringMatching(/^{"message":"/) });
  const ofVideo = await post('/v1.1/videoverify', form, new Uint8Array(50 * 1024 * 1024 + 1));
  expect(ofVideo).toMatchObject({ status: 413, text: expect.stringMatching(/^{"error":"/) });
});

it('writes no key, link, source_id or body into a log', () => {
  const written = running.written();
  expect(written).toContain('request.answered');
  const bodies = ['/9j/', 'form-data', 'image_link', 'model_output', 'predictions', ours.url];
  for (const secret of [running.apiKey, stranger, ...told, ...bodies]) expect(written).not.toContain(secret);
});

async function storedCaptures(): Promise<string[]> {
  const { s3 } = clients(running.stack);
  const { CapturesBucket } = running.stack.outputs;
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: CapturesBucket }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key = '' }) => Key);
}
