import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verificationIdOf } from '../../shared/domain/verification-id.ts';
import { portrait } from '../../tools/samples.ts';
import { clientOf, newSourceId, put } from '../journeys/client.ts';
import { journeysSeenFromInside } from '../journeys/inside.ts';
import { journeys } from '../journeys/journeys.ts';
import { pageJourneys } from '../journeys/pages.ts';
import { everythingThere, everythingWritten } from './account.ts';
import { alarmsThatRing } from './alarms.ts';
import { makeCheckout, makeNextVersion, nextRelease, nextWord } from './checkout.ts';
import { allowedOrigin, crossOriginJourneys } from './cross-origin.ts';
import { crossing } from './crossing.ts';
import { type Deployed, deploy, outputsIn } from './deployment.ts';
import { gaps } from './gaps.ts';
import { lostCaptureJourneys } from './lost-captures.ts';
import { videoJourneys } from './nightly/video.ts';
import { commandsUnder, openTerminal } from './page.ts';
import { gapProbes } from './probes.ts';
import { runbookSteps } from './runbook.ts';
import { starvation } from './starvation.ts';
import { expectDecidedOnce, underTraffic } from './traffic.ts';
import { vendorsOnDeployment } from './vendors.ts';

/*
 * A deployment's whole life, with the commands of docs/deploying.md: bootstrap, deploy, the journeys, a new version
 * under traffic, the end. Run by `npm run test:deployed`, which gives it an emulator for an account.
 */

const terminal = openTerminal({
  CHOICES: `-c architecture=${process.arch} -c allowedOrigins=${allowedOrigin} --require-approval never`,
});
const first = makeCheckout('first');
/** `npm run admin -- …` on the deployment; answers what it prints. */
const admin = (...words: string[]) => terminal.run(first, `npm run --silent admin -- ${words.join(' ')} --aws`);
let inside: Deployed;
let thereBefore: string[];

beforeAll(async () => {
  await terminal.run(first, commandsUnder('Choose'));
  await terminal.run(first, commandsUnder('Bootstrap'));
  thereBefore = await everythingThere();
  inside = await deploy(terminal, first);
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

gapProbes(() => inside);

describe('a new account', () => {
  starvation(() => inside);
});

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
  await expect.poll(() => admin('credits', 'show', 'acme'), { interval: 2000 }).toContain('2');
});

crossing(() => inside);

it('a new version is deployed under traffic, and every verification is decided once and told of', async () => {
  const next = makeNextVersion();
  const key = await keyOfIds();
  const client = clientOf(inside);
  const { sourceIds, repeated } = await underTraffic(client, () =>
    terminal.run(next, commandsUnder('Deploy a new version')),
  );
  expect(outputsIn(next)).toEqual(inside.outputs);
  expect(await keyOfIds()).toBe(key);
  const late = newSourceId();
  await put(await client.request(late), await portrait());
  // Its records have a word and a field that the version before does not know, and their histories are whole to both.
  expect((await client.history(late))[0]).toMatchObject({ code: nextWord });
  const deployedAt = Date.now();
  await expectDecidedOnce(client, [...sourceIds, late], inside.events);
  expect((await recordOf(late)).writtenBy).toEqual({ S: nextWord });
  expect(await terminal.run(first, `npm run --silent admin -- audit verify acme --aws`)).toContain(' 0 of them broken');
  const slowestSeconds = Math.round((Date.now() - deployedAt) / 1000);
  await expect.poll(everythingWritten).toContain(nextRelease);
  console.log(
    `${sourceIds.length} verifications during the deployment, ${repeated} requests repeated, none lost; ` +
      `all were decided and told of ${slowestSeconds} s after it`,
  );
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
