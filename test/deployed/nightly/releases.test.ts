import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import { portrait } from '../../../tools/samples.ts';
import { resourcesOf, synthesize } from '../../infra/stack.ts';
import { type Client, clientOf, newSourceId, put } from '../../journeys/client.ts';
import { aws, liveCode, messagesIn, ringing } from '../account.ts';
import { makeCheckout, makeNextVersion } from '../checkout.ts';
import { type Deployed, deploy, outputsIn } from '../deployment.ts';
import { captureRule, landingOf, queueIn } from '../landing.ts';
import { commandsUnder, openTerminal } from '../page.ts';
import { expectDecidedOnce, underTraffic } from '../traffic.ts';

/* Releases that do harm, and what keeps it small: under traffic, nothing is lost, decided or told of twice. */

const terminal = openTerminal({ CHOICES: `-c architecture=${process.arch} --require-approval never` });
const first = makeCheckout('releases');
let deployed: Deployed;

beforeAll(async () => {
  await terminal.run(first, commandsUnder('Choose'));
  await terminal.run(first, commandsUnder('Bootstrap'));
  deployed = await deploy(terminal, first);
}, 3_600_000);

describe('a canary', () => {
  it('that fails one message in three is seen by the alarm of rollout=canary and taken back, and nothing is lost', async () => {
    const name = await functionNamed('noticecapture');
    const alarm = await watch('rolloutfailures');
    const before = await liveVersionOf(name);
    const broken = await publish(name, breakOneInThree());
    const client = clientOf(deployed);
    const again = await sendAgain(client);
    let steps = '';
    const { sourceIds, repeated } = await underTraffic(client, async () => {
      await sleep(10_000);
      await expect.poll(() => ringing(alarm), untilQuiet).toEqual([]);
      for (const weight of [0.1, 1]) {
        await moveTo(name, before, { [broken]: weight });
        const seconds = await untilAlarm(alarm, weight === 1 ? 600 : 60, again.send);
        steps += ` ${weight * 100} %: ${seconds === undefined ? 'no alarm' : `alarm after ${Math.round(seconds)} s`};`;
        if (seconds !== undefined) break;
      }
      await moveTo(name, before, {});
    });
    expect(steps).toContain('alarm after');
    expect(await liveVersionOf(name)).toBe(before);
    await expect.poll(() => ringing(alarm), untilQuiet).toEqual([]);
    await expectDecidedOnce(client, [again.sourceId, ...sourceIds], deployed.events);
    expect(await messagesIn('undeliverable')).toBe(0);
    const failed = (await deployed.written()).split(/"error":"Broken(?:Before|After)"/).length - 1;
    expect(failed).toBeGreaterThanOrEqual(5);
    console.log(
      `${sourceIds.length} verifications and ${again.sent()} events that came again while a release failed one message in ` +
        `three (${failed} times):${steps} taken back; ${repeated} requests repeated, all decided once, 0 lost`,
    );
  }, 3_600_000);
});

describe('an update', () => {
  it('that fails is rolled back under traffic: the code from before is live, and nothing is lost', async () => {
    const failing = makeFailingVersion();
    const before = await liveCode();
    let failed: unknown;
    const { sourceIds, repeated } = await underTraffic(clientOf(deployed), async () => {
      const deploying = terminal.run(failing, commandsUnder('Deploy a new version'));
      failed = await deploying.catch((error: unknown) => error);
    });
    expect(String(failed)).toMatch(/already exists/);
    const query = 'Stacks[?StackName==`bonafide`].StackStatus';
    expect(await aws('cloudformation', 'describe-stacks', '--query', query)).toEqual(['UPDATE_ROLLBACK_COMPLETE']);
    expect(await liveCode()).toEqual(before);
    expect(outputsIn(first)).toEqual(deployed.outputs);
    await expectDecidedOnce(clientOf(deployed), sourceIds, deployed.events);
    expect(await messagesIn('undeliverable')).toBe(0);
    console.log(
      `${sourceIds.length} verifications while an update failed and was rolled back, ${repeated} requests repeated`,
    );
  }, 3_600_000);
});

/** A checkout in which every third message of a queue fails: in turn before anything is done for it, and after all of it is. */
function breakOneInThree(): string {
  const checkout = makeCheckout('broken');
  const file = `${checkout}/shared/lambda/queue.ts`;
  const source = readFileSync(file, 'utf8');
  const broken = source
    .replace(
      'await act(body, dependencies);',
      `const number = ++messages;
          if (number % 6 === 3) throw Object.assign(new Error('broken'), { name: 'BrokenBefore' });
          await act(body, dependencies);
          if (number % 6 === 0) throw Object.assign(new Error('broken'), { name: 'BrokenAfter' });`,
    )
    .replace('let dependencies:', 'let messages = 0;\n  let dependencies:');
  if (broken.split('messages').length !== 3) throw new Error('shared/lambda/queue.ts calls its act in another way now');
  writeFileSync(file, broken);
  return checkout;
}

/** The next version, in a template that cannot be deployed: it fails once every function has been updated. */
function makeFailingVersion(): string {
  const checkout = makeNextVersion();
  const file = `${checkout}/infra/verification-stack.ts`;
  const source = readFileSync(file, 'utf8');
  const failing = source
    .replace(
      "new CfnOutput(this, 'ApiUrl'",
      `const { functionName } = api.functions['read-verification'];
    const taken = new CfnAlias(this, 'taken', { name: 'live', functionName, functionVersion: '$LATEST' });
    for (const each of this.node.findAll()) if (each instanceof Alias) taken.node.addDependency(each);
    new CfnOutput(this, 'ApiUrl'`,
    )
    .replace('import { CfnOutput,', "import { Alias, CfnAlias } from 'aws-cdk-lib/aws-lambda';\nimport { CfnOutput,");
  if (failing.split('CfnAlias').length !== 3)
    throw new Error('infra/verification-stack.ts is written in another way now');
  writeFileSync(file, failing);
  return checkout;
}

async function functionNamed(part: string): Promise<string> {
  const names = await aws<string[]>('lambda', 'list-functions', '--query', 'Functions[].FunctionName');
  const found = names.find((name) => name.includes(part));
  if (found === undefined) throw new Error(`No function is called ${part}`);
  return found;
}

/** Publishes the code that a checkout makes of `notice-capture` as a version, which nothing calls yet. */
async function publish(functionName: string, checkout: string): Promise<string> {
  await terminal.run(
    checkout,
    `node -e "import('./infra/bundle.ts').then(({ bundleFunction }) => bundleFunction('notice-capture', 'build/code'))"
python -c "import shutil; shutil.make_archive('build/code', 'zip', 'build/code')"`,
  );
  const code = ['--function-name', functionName, '--zip-file', `fileb://${checkout}/build/code.zip`, '--publish'];
  const { Version } = await aws<{ Version: string }>('lambda', 'update-function-code', ...code);
  return Version;
}

const ofLive = (functionName: string) => ['--function-name', functionName, '--name', 'live'];

async function liveVersionOf(functionName: string): Promise<string> {
  return aws('lambda', 'get-alias', ...ofLive(functionName), '--query', 'FunctionVersion');
}

/** All of what comes to `version`, but for the shares of others. */
async function moveTo(functionName: string, version: string, shares: Readonly<Record<string, number>>): Promise<void> {
  const routing = JSON.stringify({ AdditionalVersionWeights: shares });
  const moved = ['--function-version', version, '--routing-config', routing];
  await aws('lambda', 'update-alias', ...ofLive(functionName), ...moved);
}

/** Makes an alarm of rollout=canary here as it stands in the template. Without CodeDeploy that cannot be deployed here. */
async function watch(name: string): Promise<RegExp> {
  const alarms = resourcesOf(synthesize({ rollout: 'canary' }), 'AWS::CloudWatch::Alarm');
  const [, alarm] = Object.entries(alarms).find(([id]) => id.startsWith(name)) ?? [];
  if (!alarm) throw new Error(`rollout=canary has no alarm ${name}`);
  await aws(
    'cloudwatch',
    'put-metric-alarm',
    '--cli-input-json',
    JSON.stringify({ AlarmName: name, ...alarm.Properties }),
  );
  return new RegExp(`^${name}$`);
}

/** A minute without failures ends the alarm. */
const untilQuiet = { timeout: 300_000, interval: 5000 };

/** After how many seconds it rings, while something goes on; undefined where it does not. */
async function untilAlarm(
  alarm: RegExp,
  seconds: number,
  meanwhile: () => Promise<unknown>,
): Promise<number | undefined> {
  for (const begun = Date.now(); Date.now() - begun < seconds * 1000; await sleep(3000)) {
    await meanwhile();
    if ((await ringing(alarm)).length > 0) return (Date.now() - begun) / 1000;
  }
  return undefined;
}

/**
 * The event of a capture that is decided, sent again ten at a time: the release meets messages enough for the alarm however
 * few verifications this machine decides in a minute, and events that come again move nothing.
 */
async function sendAgain(client: Client) {
  const sourceId = newSourceId();
  const uploads = await client.request(sourceId);
  // A capture is deleted once it is decided: its event is read before it is sent.
  const rule = await captureRule();
  await aws('events', 'disable-rule', '--name', rule);
  await put(uploads, await portrait()).finally(() => aws('events', 'enable-rule', '--name', rule));
  const MessageBody = await landingOf(uploads, deployed);
  const { queue: QueueUrl } = queueIn(deployed.outputs.QueueCaptures);
  const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: String(index), MessageBody }));
  const sqs = new SQSClient();
  let sent = 0;
  const send = async () => {
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    sent += Entries.length;
  };
  await send();
  await client.verdict(sourceId);
  return { sourceId, send, sent: () => sent };
}
