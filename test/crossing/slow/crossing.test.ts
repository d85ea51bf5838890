import { createHash, randomBytes } from 'node:crypto';
import { type AttributeValue, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { uploadsView } from '../../../shared/api/verifications.ts';
import { endpoint } from '../../../shared/domain/endpoint.ts';
import { defaultPolicy, type Policy, policy } from '../../../shared/domain/policy.ts';
import { type Verification, verification } from '../../../shared/domain/verification.ts';
import { verificationIdOf } from '../../../shared/domain/verification-id.ts';
import { rowOf } from '../../../shared/stores/verifications.ts';
import { portrait } from '../../../tools/samples.ts';
import { anEndpoint } from '../../builders/endpoint.ts';
import { put } from '../../journeys/client.ts';
import type { RunningStack } from '../../journeys/local-stack.ts';
import { recordOfEachState } from '../records.ts';
import { releases, type Version } from '../releases.ts';
import { invented, inventedIn, placesIn, withFields, withWord } from '../words.ts';

/*
 * The last release and this version, each deployed in the place of the other on the same tables, queues and bucket: every
 * word of ours in every place of what they store, and one that no version knows, for those that read what later ones wrote.
 */

const crossed = releases();
const versions: readonly Version[] = ['last', 'current'];
const other = (version: Version): Version => (version === 'last' ? 'current' : 'last');

/** One stored record, with one word or with fields that another version may have written. */
interface Variant {
  readonly sourceId: string;
  readonly record: Verification;
  readonly what: string;
  readonly word: string;
  /** A word that decides, and that no version knows: it is shown, and no version acts on it. */
  readonly isUndecidable: boolean;
  readonly isInvented: boolean;
  /** A word that the last release does not have. */
  readonly isNew: boolean;
}
const variants: Variant[] = [];
/** By tenant: its key, and what its policy or its endpoint says. */
const tenants: {
  readonly id: string;
  readonly key: string;
  readonly what: string;
  readonly isInvented: boolean;
  readonly begins: boolean;
}[] = [];

/** The schema of the last release's records: which words it knows. */
let theirs: z.ZodType;
/** What runs now. */
let running: RunningStack;
let owner: { readonly apiKey: string; readonly tenant: string };

async function deploy(version: Version): Promise<RunningStack> {
  running = await crossed.deploy(version);
  return running;
}

const call = async (
  { url }: RunningStack,
  key: string,
  path: string,
  body?: unknown,
  method = body ? 'POST' : 'GET',
) => {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
};

beforeAll(async () => {
  const schemas: unknown = await import(/* @vite-ignore */ `${crossed.last.directory}/shared/domain/verification.ts`);
  theirs = z.object({ verification: z.instanceof(z.ZodType) }).parse(schemas).verification;
  const stack = await deploy('last');
  owner = { apiKey: stack.apiKey, tenant: stack.tenant };
  const { IdKeySecret: SecretId } = stack.stack.outputs;
  const { SecretString = '' } = await new SecretsManagerClient(connectionOf(stack, 'SECRETS_MANAGER')).send(
    new GetSecretValueCommand({ SecretId }),
  );
  const idOf = (sourceId: string) => verificationIdOf(SecretString, owner.tenant, sourceId);
  const records = await recordOfEachState({
    ...{ tenant: owner.tenant, idOf, sourceIdOf: (state) => `crossing-${state}` },
    now: new Date(),
  });
  for (const record of records) for (const one of variantsOf(record, idOf)) await store(one);
  for (const one of policies()) await makeTenant(one, {});
  for (const one of endpoints()) await makeTenant({ ...one, policy: defaultPolicy }, one.endpoint);
  // Its events are kept from now on.
  await call(stack, owner.apiKey, '/events');
  console.log(`${variants.length} records and ${tenants.length} tenants, crossed with ${crossed.last.commit}`);
});
afterAll(() => crossed.end());

function* variantsOf(record: Verification, idOf: (sourceId: string) => string): Generator<Variant> {
  const texts = /^(history|attempts|verdict|fault)/;
  const named = (changed: Verification, what: string, word: string, isUndecidable: boolean, isNew = true): Variant => {
    const sourceId = `crossing-${variants.length + 1}`;
    const own = 'sourceId' in changed ? { ...changed, sourceId } : changed;
    const isInvented = word === invented;
    return {
      sourceId,
      what,
      word,
      isUndecidable,
      isInvented,
      isNew,
      record: { ...own, verificationId: idOf(sourceId) },
    };
  };
  const known = new Map(placesIn(theirs, record).map(({ path, words }) => [path.join('.'), words]));
  for (const place of placesIn(verification, record)) {
    const path = place.path.join('.');
    for (const word of [...place.words, invented]) {
      const changed = withWord(record, place.path, word);
      yield named(
        changed,
        `${record.state} ${path} ${word}`,
        word,
        word === invented && !texts.test(path),
        !known.get(path)?.includes(word),
      );
    }
  }
  yield named(withWord(record, ['state'], invented), `${record.state} state ${invented}`, invented, true);
  yield named(withFields(record), `${record.state} with fields`, invented, false);
}

async function store(variant: Variant): Promise<void> {
  variants.push(variant);
  const Item = marshall(rowOf(variant.record), { removeUndefinedValues: true });
  await write('VerificationsTable', Item);
}

/** What a version may be asked: what it may not know is for those that read what later ones wrote. */
const asked = (version: Version): Variant[] => variants.filter(({ isNew }) => !isNew || crossed.isTolerant(version));

async function rowIn({ record }: Variant): Promise<Record<string, unknown>> {
  const Key = marshall({ verificationId: record.verificationId });
  const TableName = running.stack.outputs.VerificationsTable;
  const { Item } = await tables().send(new GetItemCommand({ TableName, Key }));
  return unmarshall(Item ?? {});
}

/** Every record is read by its source_id, with its history, and is in a list; its word is passed on as it is. */
async function refusedBy(version: Version): Promise<string[]> {
  const stack = await deploy(version);
  const refused: string[] = [];
  await each(asked(version), async ({ sourceId, what, word, isInvented }) => {
    const whole = await call(stack, owner.apiKey, `/verifications/${sourceId}`);
    const history = what.includes('history')
      ? await call(stack, owner.apiKey, `/verifications/${sourceId}/history`)
      : { status: 200, text: '' };
    if (whole.status !== 200 || history.status !== 200) refused.push(`${what}: ${whole.status} ${history.status}`);
    const isShown = /(verdict|fault|attempts|history)/.test(what) && !what.startsWith('erased');
    if (isInvented && isShown && !`${whole.text}${history.text}`.includes(word)) refused.push(`${what}: not passed on`);
  });
  if (!crossed.isTolerant(version)) return refused; // rows with invented words are among those of a list
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await call(stack, owner.apiKey, `/verifications?state=all&limit=100${cursor && `&cursor=${cursor}`}`);
    if (page.status !== 200) return [...refused, `list: ${page.status} ${page.text}`];
    cursor = z.object({ next_cursor: z.string().nullable() }).parse(JSON.parse(page.text)).next_cursor;
  }
  return refused;
}

describe.each(versions)('what either version stored, read by the %s one', (version) => {
  it('is refused nowhere', async () => {
    expect(await refusedBy(version)).toEqual([]);
  });

  it('is reviewed, retried and handed off without losing a word or a field; what decides and is unknown is left alone', async () => {
    const stack = await deploy(version);
    const wrong: string[] = [];
    await each(asked(version), async (variant, index) => {
      const { sourceId, record, what, isUndecidable } = variant;
      if (record.state !== 'decided' || (index % 2 === 0) !== (version === 'last')) return;
      const before = await rowIn(variant);
      const review = { sequence: record.sequence, outcome: 'passed', reason: 'looked', reviewer: 'crossing' };
      const { status } = await call(stack, owner.apiKey, `/verifications/${sourceId}/review`, review);
      const after = await rowIn(variant);
      if (status !== (isUndecidable ? 503 : 200)) wrong.push(`${what}: ${status}`);
      if (inventedIn(after) !== inventedIn(before)) wrong.push(`${what}: lost`);
      const lines = z.array(z.unknown());
      const kept = lines.parse(after.history).slice(0, lines.parse(before.history).length);
      if (JSON.stringify(kept) !== JSON.stringify(before.history)) wrong.push(`${what}: history`);
      if (isUndecidable) expect(after, what).toEqual(before);
    });
    expect(wrong).toEqual([]);
  });

  it('is read by the other one afterwards, and its events are', async () => {
    expect(await refusedBy(other(version))).toEqual([]);
    const stack = await deploy(other(version));
    const events = await call(stack, owner.apiKey, '/events?types=verification.superseded');
    expect(events.status).toBe(200);
    expect(events.text).toContain('verification.superseded');
  });

  it('is erased, and nothing of it is left', async () => {
    const stack = await deploy(version);
    const left: string[] = [];
    const some = asked(version).filter((_, index) => index % 20 === (version === 'last' ? 0 : 10));
    await each(some, async (variant) => {
      const { sourceId, what, isUndecidable } = variant;
      const { status } = await call(stack, owner.apiKey, `/verifications/${sourceId}`, undefined, 'DELETE');
      const erases = !what.includes(`state ${invented}`) && !what.includes(`credit ${invented}`);
      if (status !== (erases ? 200 : 503)) left.push(`${what}: ${status}`);
      if (erases && !isUndecidable && inventedIn(await rowIn(variant)) > 0 && !what.startsWith('erased'))
        left.push(`${what}: left`);
    });
    expect(left).toEqual([]);
    expect((await refusedBy(other(version))).filter((one) => !one.includes('not passed on'))).toEqual([]);
  });
});

it.each(versions)('policies, tenants and endpoints of either version are read by the %s one', async (version) => {
  const stack = await deploy(version);
  const wrong: string[] = [];
  await each(tenants, async ({ id, key, what, isInvented, begins }) => {
    if (isInvented && !crossed.isTolerant(version)) return;
    const listed = await call(stack, key, '/verifications?state=all');
    const endpointsOf = await call(stack, key, '/endpoints');
    if (listed.status !== 200 || endpointsOf.status !== 200)
      wrong.push(`${what}: ${listed.status} ${endpointsOf.status}`);
    const request = {
      source_id: `${id}-${version}`,
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
    };
    const { status } = await call(stack, key, '/verifications', request);
    if (status !== (begins ? 201 : 503)) wrong.push(`${what}: begun with ${status}`);
  });
  expect(wrong).toEqual([]);
});

it.each(versions)(
  'what the %s version was killed over, its messages still queued, the other one decides',
  async (version) => {
    const stack = await deploy(version);
    const sourceId = `killed-${version}`;
    const request = {
      source_id: sourceId,
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
    };
    const begun = await call(stack, owner.apiKey, '/verifications', request);
    await put(uploadsView.parse(JSON.parse(begun.text)), await portrait());
    await crossed.kill();
    const after = await deploy(other(version));
    const state = async () => (await call(after, owner.apiKey, `/verifications/${sourceId}`)).text;
    await expect.poll(state, { timeout: 240_000 }).toContain('"outcome":"passed"');
    const back = await deploy(version);
    expect((await call(back, owner.apiKey, `/verifications/${sourceId}`)).text).toContain('"outcome":"passed"');
  },
);

function* policies() {
  const whole: Policy = policy.parse({
    ...defaultPolicy,
    ...{ barePortraits: true, turn: true, served: { spoofsense: { edition: 'messages' } } },
    page: { returnOrigins: ['https://shop.example'], language: 'de', name: 'Shop', colours: { accent: '#123456' } },
  });
  for (const place of placesIn(policy, whole)) {
    const path = place.path.join('.');
    for (const word of [...place.words, invented]) {
      const decides = !/^(page|served)/.test(path);
      yield {
        policy: withWord(whole, place.path, word),
        what: `policy ${path} ${word}`,
        begins: word !== invented || !decides,
        isInvented: word === invented,
      };
    }
  }
  yield { policy: withFields(whole), what: 'policy with fields', begins: true, isInvented: true };
}

function* endpoints() {
  const replay = {
    id: 'r',
    state: 'done' as const,
    since: '',
    until: '',
    failedOnly: false,
    begunAt: '',
    seen: 0,
    sent: 0,
    cancelled: [],
  };
  const whole = anEndpoint({ state: 'disabled', disabledBecause: 'asked', replay });
  for (const place of placesIn(endpoint, whole)) {
    for (const word of [...place.words, invented]) {
      const one = withWord(whole, place.path, word);
      yield {
        endpoint: one,
        what: `endpoint ${place.path.join('.')} ${word}`,
        begins: true,
        isInvented: word === invented,
      };
    }
  }
  yield { endpoint: withFields(whole), what: 'endpoint with fields', begins: true, isInvented: true };
}

/** A tenant of its own for each: functions remember a tenant's row for a while. */
async function makeTenant(
  one: { readonly policy: Policy; readonly what: string; readonly begins: boolean; readonly isInvented: boolean },
  sends: { readonly id?: string },
): Promise<void> {
  const id = `crossing-${tenants.length + 1}`;
  const key = `bf_${id}_${randomBytes(32).toString('base64url')}`;
  const createdAt = new Date().toISOString();
  const keys = [{ id: 'k_000000000000', sha256: createHash('sha256').update(key).digest('hex'), createdAt }];
  const rows: object[] = [
    { id, createdAt, keys, policy: one.policy, credentials: {}, webhooks: [], servedWebhooks: {} },
  ];
  if (sends.id !== undefined)
    rows.push({ id: `${id}/endpoints`, keeps: true, endpoints: { [sends.id]: { ...sends, tenant: id } } });
  for (const row of rows) {
    const Item = marshall(row, { removeUndefinedValues: true });
    await write('TenantsTable', Item);
  }
  const { what, begins, isInvented } = one;
  tenants.push({ id, key, what, begins, isInvented });
}

const tables = () => new DynamoDBClient(connectionOf(running, 'DYNAMODB'));

async function write(
  table: 'VerificationsTable' | 'TenantsTable',
  Item: Record<string, AttributeValue>,
): Promise<void> {
  await tables().send(new PutItemCommand({ TableName: running.stack.outputs[table], Item }));
}

/** A few at a time: every one that is asked is a process of the local stack's. */
async function each<Item>(items: readonly Item[], act: (item: Item, index: number) => Promise<void>): Promise<void> {
  const atOnce = 8;
  for (let from = 0; from < items.length; from += atOnce) {
    await Promise.all(items.slice(from, from + atOnce).map((item, index) => act(item, from + index)));
  }
}

const connectionOf = ({ stack: { environment } }: RunningStack, part: 'DYNAMODB' | 'SECRETS_MANAGER') => ({
  region: environment.AWS_REGION,
  endpoint: environment[`AWS_ENDPOINT_URL_${part}`],
  credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
});
