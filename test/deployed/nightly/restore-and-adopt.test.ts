import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { uploadsView } from '../../../shared/api/verifications.ts';
import { portrait } from '../../../tools/samples.ts';
import { type Client, clientOf, newSourceId, put } from '../../journeys/client.ts';
import { everythingThere } from '../account.ts';
import { makeCheckout } from '../checkout.ts';
import { blocksUnder, commandsUnder, openTerminal } from '../page.ts';

/*
 * Tables go back to a point in time, and a new stack takes over what another one left: the steps of docs/runbook.md, run from
 * the page. Nightly, because it deploys twice.
 */

const terminal = openTerminal({ CHOICES: `-c architecture=${process.arch} --require-approval never` });
const checkout = makeCheckout('adopting');
const run = (commands: string) => terminal.run(checkout, commands);
const admin = (words: string) => run(`npm run --silent admin -- ${words} --aws`);
const step = (heading: `### ${string}`, number = 0) => run(blocksUnder(heading, 'docs/runbook.md')[number] ?? '');
const outputsIn = (file: string) =>
  z.record(z.string(), z.record(z.string(), z.string())).parse(JSON.parse(readFileSync(`${checkout}/${file}`, 'utf8')))
    .bonafide ?? {};

let apiKey: string;
let before: { readonly decided: string; readonly awaiting: string; readonly erased: string; readonly token: string };
let after: string;
let face: Uint8Array;

const client = (): Client => clientOf({ url: outputsIn('cdk-outputs.json').ApiUrl ?? '', apiKey });
const passed = async (sourceId: string) => expect((await client().verdict(sourceId)).verdict?.outcome).toBe('passed');
const decidedOne = async () => {
  const sourceId = newSourceId();
  await put(await client().request(sourceId), face);
  await passed(sourceId);
  return sourceId;
};

beforeAll(async () => {
  face = await portrait();
  await run(commandsUnder('Choose'));
  await run(commandsUnder('Bootstrap'));
  await run(commandsUnder('Deploy'));
  apiKey = /api key (\S+)/.exec(await admin('tenant create kept'))?.[1] ?? '';
  const [decided, erased, awaiting] = [await decidedOne(), await decidedOne(), newSourceId()];
  const { client_token: token } = await client().request(awaiting);
  before = { decided, awaiting, erased, token };
  await sleep(1500);
  await run(`export TIME=${new Date().toISOString()} ENDING=at-noon`);
  await sleep(1500);
  after = await decidedOne();
  await client().call('DELETE', `/verifications/${erased}`);
}, 3_600_000);

it('restores onto new tables, and changes no table that there is', async () => {
  const there = await everythingThere();
  expect(await step('### Going back to a point in time')).toContain('stay erased');
  const made = (await everythingThere()).filter((one) => !there.includes(one));
  expect(made).toHaveLength(5);
  expect(made.every((one) => one.endsWith('-at-noon'))).toBe(true);
  await expect(step('### Going back to a point in time')).rejects.toThrow(/There is a table \S+-at-noon/);
  expect((await client().read(after)).state).toBe('decided');
  expect((await client().read(before.erased)).state).toBe('erased');
}, 3_600_000);

it('adopts nothing that a living stack holds, and nothing foreign', async () => {
  const there = await everythingThere();
  const deploy = (file: string, stackName = 'other') =>
    run(`npm run deploy -- $CHOICES -c stackName=${stackName} -c adopt=${file}`);
  await expect(deploy('cdk-outputs.json')).rejects.toThrow(/Not adopted: \S+ already exists in stack/);
  const outputs = outputsIn('cdk-outputs.json');
  const foreign = { bonafide: { ...outputs, VerificationsTable: outputs.TenantsTable } };
  writeFileSync(`${checkout}/build/foreign.json`, JSON.stringify(foreign));
  await expect(deploy('build/foreign.json')).rejects.toThrow(
    /is no VerificationsTable of a Bonafide: its key is another/,
  );
  await expect(deploy('build/foreign.json', 'bonafide')).rejects.toThrow(/The stack bonafide is there already/);
  await expect(deploy('package.json')).rejects.toThrow(/package.json is no cdk-outputs.json of one stack/);
  expect(await everythingThere()).toEqual(there);
  expect((await client().read(before.decided)).state).toBe('decided');
}, 3_600_000);

it('a new stack over the restored tables, the bucket and the secrets answers as of that time', async () => {
  const { CapturesBucket, IdKeySecret } = outputsIn('cdk-outputs.json');
  await step('### Going back to a point in time', 1);
  const outputs = outputsIn('cdk-outputs.json');
  expect(outputs).toMatchObject({ CapturesBucket, IdKeySecret });
  expect(outputs.VerificationsTable).toMatch(/-at-noon$/);
  expect(await client().read(before.decided)).toMatchObject({ state: 'decided', verdict: { outcome: 'passed' } });
  expect((await client().read(before.erased)).state).toBe('erased');
  expect((await client().problem('GET', `/verifications/${after}`)).code).toBe('verification_unknown');
  const seen = await fetch(`${outputs.ApiUrl}/verifications/${before.awaiting}`, {
    headers: { authorization: `Bearer ${before.token}` },
  });
  expect(seen.status).toBe(200);
  expect(await seen.json()).toMatchObject({ state: 'awaiting_captures', livemode: true });
  const again = {
    source_id: before.awaiting,
    check: 'spoof_detect',
    captures: { selfie: { content_type: 'image/jpeg' } },
  };
  const { status, body } = await client().call('POST', '/verifications', again);
  expect(status).toBe(200);
  await put(uploadsView.parse(body), face);
  await passed(before.awaiting);
  await decidedOne();
  // Adopted again, it has all of it already: nothing is imported, and nothing changes.
  const there = await everythingThere();
  expect(await run('npm run deploy -- $CHOICES -c adopt=build/restored-outputs.json')).not.toContain('has adopted');
  expect(await everythingThere()).toEqual(there);
  await passed(before.awaiting);
}, 3_600_000);
