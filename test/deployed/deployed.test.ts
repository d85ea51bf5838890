import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type AttributeValue, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { uploadsView } from '../../shared/api/verifications.ts';
import { verificationIdOf } from '../../shared/domain/verification-id.ts';
import { presignable } from '../../shared/stores/captures.ts';
import { portrait } from '../../tools/samples.ts';
import { type Client, clientOf, newSourceId, put } from '../journeys/client.ts';
import { type Inside, journeysSeenFromInside } from '../journeys/inside.ts';
import { journeys } from '../journeys/journeys.ts';
import { pageJourneys } from '../journeys/pages.ts';
import { everythingThere, everythingWritten } from './account.ts';
import { alarmsThatRing } from './alarms.ts';
import { makeCheckout, makeNextVersion, nextRelease, nextWord } from './checkout.ts';
import { allowedOrigin, crossOriginJourneys } from './cross-origin.ts';
import { crossing } from './crossing.ts';
import { gaps } from './gaps.ts';
import { lostCaptureJourneys } from './lost-captures.ts';
import { videoJourneys } from './nightly/video.ts';
import { commandsUnder, openTerminal } from './page.ts';
import { runbookSteps } from './runbook.ts';
import { vendorsOnDeployment } from './vendors.ts';

/*
 * A deployment's whole life, with the commands of docs/deploying.md: bootstrap, deploy, the journeys, a new version
 * under traffic, the end. Run by `npm run test:deployed`, which gives it an emulator for an account.
 */

const outputsOf = z.object({
  ApiUrl: z.url(),
  CapturesBucket: z.string(),
  VerificationsTable: z.string(),
  TenantsTable: z.string(),
  EventsTable: z.string(),
  DeliveriesTable: z.string(),
  LooksTable: z.string(),
  IdKeySecret: z.string(),
  EndpointKeySecret: z.string(),
  FingerprintKeySecret: z.string(),
  ClientTokenSecret: z.string(),
  ReferenceSecret: z.string(),
  ReceiptSecret: z.string(),
  EventBusName: z.string(),
  QueueCaptures: z.string(),
});
type Outputs = z.infer<typeof outputsOf>;

const terminal = openTerminal({
  CHOICES: `-c architecture=${process.arch} -c allowedOrigins=${allowedOrigin} --require-approval never`,
});
const first = makeCheckout('first');
/** `npm run admin -- …` on the deployment; answers what it prints. */
const admin = (...words: string[]) => terminal.run(first, `npm run --silent admin -- ${words.join(' ')} --aws`);
let inside: Inside & { readonly outputs: Outputs };
let thereBefore: string[];

beforeAll(async () => {
  await terminal.run(first, commandsUnder('Choose'));
  await terminal.run(first, commandsUnder('Bootstrap'));
  thereBefore = await everythingThere();
  await terminal.run(first, commandsUnder('Deploy'));
  const outputs = outputsIn(first);
  await terminal.run(first, commandsUnder('First tenant'));
  await terminal.run(first, commandsUnder('Hear of verdicts'));
  const queueUrl = (await terminal.run(first, 'echo "$QUEUE_URL"')).trim();
  inside = {
    url: outputs.ApiUrl,
    apiKey: (await terminal.run(first, 'echo "$BONAFIDE_API_KEY"')).trim(),
    tenant: 'acme',
    outputs,
    s3: new S3Client({ ...presignable, forcePathStyle: true }),
    dynamodb: new DynamoDBClient(),
    secretsManager: new SecretsManagerClient(),
    events: listenTo(queueUrl),
    written: everythingWritten,
    secrets: [process.env.AWS_SECRET_ACCESS_KEY ?? ''].filter((secret) => secret.length > 16),
  };
  console.log(`Deployed at ${outputs.ApiUrl}`);
});

afterAll(() => {
  console.log(`What the emulator does otherwise than AWS (${gaps.length}), no journey skipped for it:`);
  console.table(gaps);
});

it('the smoke test of the page passes', async () => {
  expect(await terminal.run(first, commandsUnder('Smoke test'))).toContain('All samples ended as expected.');
});

describe('deployed', () => {
  journeys(() => inside);
  pageJourneys(() => inside);
  journeysSeenFromInside(() => inside);
  lostCaptureJourneys(() => inside, keyOfIds);
  crossOriginJourneys(() => inside);
  videoJourneys(() => inside);
});

vendorsOnDeployment(() => ({ ...inside, admin }));

runbookSteps(() => ({ inside, terminal, checkout: first }));

alarmsThatRing(() => inside);

it('a person opens the deployed capture page in a browser, takes a selfie, and passes', async () => {
  const { capture_url, client_token, source_id } = await clientOf(inside).request(newSourceId());
  // API Gateway has no port, and the emulator's names none in its events.
  const link = `${inside.url}${new URL(capture_url).pathname}#${client_token}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['test/pages/open-capture-page.ts', link]);
  expect(stdout.trim()).toBe('passed_title');
  expect((await clientOf(inside).read(source_id)).verdict?.outcome).toBe('passed');
});

it('an order whose link leads inside is accepted, never fetched, and its credit comes back', async () => {
  expect(await admin('credits', 'add', 'acme', '2')).toContain('2');
  await admin('served-webhook', 'set', 'acme', 'ours', 'https://results.example.com/identify');
  const sourceId = newSourceId();
  const payload = { image_link: 'http://169.254.169.254/latest/meta-data/', webhook_name: 'ours', source_id: sourceId };
  const answer = await fetch(`${inside.url}/identify`, {
    method: 'POST',
    headers: { authorization: `Bearer ${inside.apiKey}` },
    body: JSON.stringify({ service: 'identify-anti-spoof', payload }),
  });
  const message = 'identify-anti-spoof request received';
  expect(await answer.json()).toEqual({ message, remaining_credits: 1 });
  expect((await clientOf(inside).verdict(`identify.${sourceId}`)).state).toBe('expired');
  await expect.poll(() => admin('credits', 'show', 'acme'), { timeout: 60_000, interval: 2000 }).toContain('2');
});

crossing(() => inside);

it('a new version is deployed under traffic, and every verification is decided once and told of', async () => {
  const next = makeNextVersion();
  const key = await keyOfIds();
  const client = clientOf(inside);
  const face = await portrait();
  const sourceIds: string[] = [];
  let repeated = 0;
  let deploying = true;
  const traffic = Array.from({ length: 2 }, async () => {
    while (deploying) {
      const sourceId = newSourceId();
      repeated += await sendPatiently(client, sourceId, face);
      sourceIds.push(sourceId);
      await sleep(300);
    }
  });
  await terminal.run(next, commandsUnder('Deploy a new version'));
  deploying = false;
  await Promise.all(traffic);

  expect(outputsIn(next)).toEqual(inside.outputs);
  expect(await keyOfIds()).toBe(key);
  const late = newSourceId();
  await put(await client.request(late), face);
  sourceIds.push(late);
  // Its records have a word and a field that the version before does not know, and their histories are whole to both.
  expect((await client.history(late))[0]).toMatchObject({ code: nextWord });
  const deployedAt = Date.now();
  const decide = async (sourceId: string) => {
    expect((await client.verdict(sourceId)).verdict?.outcome, sourceId).toBe('passed');
    const moves = (await client.history(sourceId)).filter(({ kind }) => kind === 'moved');
    expect(moves.filter(({ state }) => state === 'decided')).toHaveLength(1);
  };
  // A few at a time: every request that waits is a process of the emulator's.
  for (let from = 0; from < sourceIds.length; from += 4) await Promise.all(sourceIds.slice(from, from + 4).map(decide));
  expect((await recordOf(late)).writtenBy).toEqual({ S: nextWord });
  expect(await terminal.run(first, `npm run --silent admin -- audit verify acme --aws`)).toContain(' 0 of them broken');
  const slowestSeconds = Math.round((Date.now() - deployedAt) / 1000);
  const unannounced = async () => {
    const announced = (await inside.events())
      .map(({ detail }) => z.looseObject({ type: z.string(), source_id: z.string() }).parse(detail))
      .filter(({ type }) => type === 'verification.decided')
      .map(({ source_id }) => source_id);
    return sourceIds.filter((sourceId) => !announced.includes(sourceId));
  };
  await expect.poll(unannounced, { timeout: 60_000 }).toEqual([]);
  await expect.poll(everythingWritten, { timeout: 30_000 }).toContain(nextRelease);
  console.log(
    `${sourceIds.length} verifications during the deployment, ${repeated} requests repeated, none lost; ` +
      `the last one decided ${slowestSeconds} s after it`,
  );
  // The emulator kills what runs when its function changes: those come back by lease and sweep, in minutes.
}, 600_000);

describe('torn down', () => {
  it('leaves what is kept on purpose, and nothing else', async () => {
    await terminal.run(first, commandsUnder('Tear down'));
    const left = (await everythingThere()).filter((one) => !thereBefore.includes(one));
    console.log(`Left on purpose:\n  ${left.join('\n  ')}`);
    const { CapturesBucket, ...outputs } = inside.outputs;
    const keys = left.filter((one) => one.startsWith('secret '));
    const { VerificationsTable, TenantsTable, EventsTable, DeliveriesTable, LooksTable } = outputs;
    const tables = [VerificationsTable, TenantsTable, EventsTable, DeliveriesTable, LooksTable];
    const kept = [`bucket ${CapturesBucket}`, ...keys, ...tables.map((table) => `table ${table}`)];
    expect(left).toEqual(kept.toSorted());
    const named = (arn: string) => keys.filter((key) => arn.includes(key.replace('secret ', ':secret:')));
    const secrets = Object.entries(outputs).flatMap(([output, arn]) => (output.endsWith('Secret') ? named(arn) : []));
    expect(secrets.sort()).toEqual(keys.sort());
    expect(keys).toHaveLength(6);
  });

  it('leaves nothing at all once that is deleted too', async () => {
    await terminal.run(first, commandsUnder('Delete what was kept'));
    expect(await everythingThere()).toEqual(thereBefore);
  });
});

/** As integrators do: the same request again, until it is answered. Says how often it was. */
async function sendPatiently(client: Client, sourceId: string, photo: Uint8Array): Promise<number> {
  for (let repeated = 0; ; repeated += 1) {
    try {
      const captures = { selfie: { content_type: 'image/jpeg' } };
      const request = { source_id: sourceId, check: 'spoof_detect', captures };
      const { status, body } = await client.call('POST', '/verifications', request);
      if (status === 200 && body.state !== 'awaiting_captures') return repeated;
      const sent = await put(uploadsView.parse(body), photo);
      if (sent.status === 200 || sent.status === 412) return repeated;
    } catch {
      // cut off or refused, which is what is counted
    }
    await sleep(200);
  }
}

/** The row of a verification of `acme`. */
async function recordOf(sourceId: string): Promise<Record<string, AttributeValue>> {
  const { dynamodb, outputs } = inside;
  const Key = { verificationId: { S: verificationIdOf(await keyOfIds(), 'acme', sourceId) } };
  const { Item = {} } = await dynamodb.send(new GetItemCommand({ TableName: outputs.VerificationsTable, Key }));
  return Item;
}

async function keyOfIds(): Promise<string> {
  const { secretsManager, outputs } = inside;
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: outputs.IdKeySecret }));
  if (!SecretString) throw new Error('The key of ids is not there');
  return SecretString;
}

function outputsIn(checkout: string): Outputs {
  const file: unknown = JSON.parse(readFileSync(`${checkout}/cdk-outputs.json`, 'utf8'));
  return outputsOf.parse(z.object({ bonafide: z.unknown() }).parse(file).bonafide);
}

/** Everything the queue was told so far. A queue keeps no order: by sequence, which is an order within a verification. */
function listenTo(queueUrl: string): () => Promise<Record<string, unknown>[]> {
  const client = new SQSClient();
  const heard: { detail: { sequence: number } }[] = [];
  return async () => {
    for (;;) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return heard.toSorted((a, b) => a.detail.sequence - b.detail.sequence);
      heard.push(
        ...Messages.map(({ Body = '' }) =>
          z.looseObject({ detail: z.looseObject({ sequence: z.number() }) }).parse(JSON.parse(Body)),
        ),
      );
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  };
}
