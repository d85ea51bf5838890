import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as z from 'zod';
import { portrait } from '../../../tools/samples.ts';
import { aws, everythingWritten } from '../../deployed/account.ts';
import { openTerminal } from '../../deployed/page.ts';
import { clientOf, newSourceId, put } from '../../journeys/client.ts';
import type { Point } from '../alarm-reader.ts';

/*
 * Records what the metrics of a deployment say while it is broken on purpose, for test/infra/alarms.test.ts:
 *
 *   npm run emulator -- -- node test/infra/series/record.ts
 *
 * Deploys to the emulator, sends traffic for 20 minutes, and breaks it in minute 2 and again in minute 13 (`breakages`).
 * What the emulator writes as metrics is read from it (AWS/Lambda), and so are the functions' own lines. What it has no
 * metric for is counted here in CloudWatch's words, from what the emulator did: each row of `derived` says how.
 */

const minutes = 20;
const firstBreak = 2;
const secondBreak = 13;
const terminal = openTerminal({ CHOICES: `-c architecture=${process.arch} --require-approval never` });
const inCheckout = (commands: string) => terminal.run(process.cwd(), commands);
const files = mkdtempSync(join(tmpdir(), 'bonafide-record-'));

await inCheckout('npx cdk bootstrap "aws://000000000000/$AWS_REGION"');
await inCheckout('npm run deploy -- $CHOICES');
const url = (await inCheckout(`node -p "Object.values(require('./cdk-outputs.json'))[0].ApiUrl"`)).trim();
const functions = await aws<string[]>('lambda', 'list-functions', '--query', 'Functions[].FunctionName');
const queues = await aws<string[]>('sqs', 'list-queues', '--query', 'QueueUrls');
const rules = await aws<string[]>('events', 'list-rules', '--query', 'Rules[].Name');
const one = (names: readonly string[], part: RegExp): string => {
  const found = names.find((name) => part.test(name));
  if (!found) throw new Error(`Nothing is named ${part} among ${names.join(', ')}`);
  return found;
};

const apiKeys = await Promise.all(
  ['first', 'second', 'third'].map(async (tenant) => {
    const printed = await execute('node', 'tools/admin.ts', 'tenant', 'create', tenant, '--aws');
    return { tenant, apiKey: /api key (\S+)/.exec(printed)?.[1] ?? '' };
  }),
);
const [first] = apiKeys;
if (!first) throw new Error('No tenant');
const credentials = join(files, 'onesmartlab.json');
writeFileSync(credentials, JSON.stringify({ settings: {}, credentials: { apiKey: 'a-key-of-nothing' } }));
await execute('node', 'tools/admin.ts', 'credentials', 'set', 'onesmartlab', 'first', credentials, '--aws');

/** Points by minute, of a metric in CloudWatch's words. */
const recorded = new Map<string, Point[]>();
const began = Date.now();
const minuteNow = () => Math.floor((Date.now() - began) / 60_000);
function add(metric: string, value: number, minute = minuteNow()): void {
  const points = recorded.get(metric) ?? Array.from<Point>({ length: minutes });
  const { sum = 0, samples = 0, maximum = Number.NEGATIVE_INFINITY } = points[minute] ?? {};
  if (minute >= 0 && minute < minutes) {
    points[minute] = { sum: sum + value, samples: samples + 1, maximum: Math.max(maximum, value) };
  }
  recorded.set(metric, points);
}

/** What is done to the deployment, and when. */
const roleOf = (name: string) =>
  aws<string>('lambda', 'get-function', '--function-name', name, '--query', 'Configuration.Role');
async function takeGrants(part: RegExp): Promise<void> {
  const role = (await roleOf(one(functions, part))).split('/').at(-1) ?? '';
  const policies = await aws<string[]>('iam', 'list-role-policies', '--role-name', role, '--query', 'PolicyNames');
  for (const policy of policies) await aws('iam', 'delete-role-policy', '--role-name', role, '--policy-name', policy);
}
let deliveryBroken = false;
let announceBrokenAt: number | undefined;
let waitingSince: number | undefined;
const breakages: readonly (readonly [minute: number, what: () => Promise<void>])[] = [
  // A release whose bundle does not load: every message of the sandbox fails. Five failures in a minute, not in half an hour.
  [
    firstBreak,
    async () => {
      const url = one(queues, /providerssandboxqueue/i);
      await aws('sqs', 'set-queue-attributes', '--queue-url', url, '--attributes', 'VisibilityTimeout=5');
      await aws(
        'lambda',
        'update-function-configuration',
        '--function-name',
        one(functions, /dispatchsandbox/i),
        '--handler',
        'index.nothing',
      );
    },
  ],
  // A role that lost its grants: every erasure is answered 500.
  [firstBreak, () => takeGrants(/eraseverification/i)],
  // No execution is left for a function.
  [
    firstBreak,
    async () => {
      const name = one(functions, /retryverification/i);
      await aws('lambda', 'put-function-concurrency', '--function-name', name, '--reserved-concurrent-executions', '0');
    },
  ],
  // Endpoints of three tenants that cannot be reached: the emulator's machine has no way out.
  [
    firstBreak,
    async () => {
      for (const { tenant } of apiKeys) {
        await execute('node', 'tools/admin.ts', 'endpoint', 'create', tenant, 'https://webhooks.example.com/', '--aws');
      }
    },
  ],
  // A queue that no function reads any more.
  [
    firstBreak,
    async () => {
      const mappings = await aws<{ UUID: string; EventSourceArn: string }[]>(
        'lambda',
        'list-event-source-mappings',
        '--query',
        'EventSourceMappings',
      );
      const mapping = mappings.find(({ EventSourceArn }) => /providersspoofsense/i.test(EventSourceArn));
      await aws('lambda', 'update-event-source-mapping', '--uuid', mapping?.UUID ?? '', '--no-enabled');
      await aws('sqs', 'send-message', '--queue-url', one(queues, /providersspoofsensequeue/i), '--message-body', '{}');
      waitingSince = Date.now();
    },
  ],
  // The sweep's rule is switched off.
  [secondBreak, async () => void (await aws('events', 'disable-rule', '--name', one(rules, /everyminute/i)))],
  // The function that announces may not put events any more.
  [
    secondBreak,
    async () => {
      await takeGrants(/announceevent/i);
      announceBrokenAt = Date.now();
    },
  ],
  // The rule of captures points to a queue that is not there.
  [
    secondBreak,
    async () => {
      await aws(
        'events',
        'put-targets',
        '--rule',
        one(rules, /landed/i),
        '--targets',
        'Id=Target0,Arn=arn:aws:sqs:us-east-1:000000000000:gone',
      );
      deliveryBroken = true;
    },
  ],
  // CloudFormation says of the stack that an update was rolled back.
  [
    secondBreak,
    async () => {
      const stack = await aws<string>(
        'cloudformation',
        'describe-stacks',
        '--stack-name',
        'bonafide',
        '--query',
        'Stacks[0].StackId',
      );
      const detail = JSON.stringify({ 'stack-id': stack, 'status-details': { status: 'UPDATE_ROLLBACK_COMPLETE' } });
      const entry = { Source: 'aws.cloudformation', DetailType: 'CloudFormation Stack Status Change', Detail: detail };
      await aws('events', 'put-events', '--entries', JSON.stringify([entry]));
    },
  ],
];

/** Every second or so, until the end; what fails is a part of what is recorded. */
async function keep(seconds: number, doing: () => Promise<void>, from = 0, until = minutes): Promise<void> {
  for (; minuteNow() < until; await sleep(seconds * 1000)) {
    if (minuteNow() < from) continue;
    await doing().catch((error: unknown) => console.log(minuteNow(), String(error).slice(0, 200)));
  }
}

const photo = await portrait();
/** derived: AWS/ApiGateway Count and 5xx are the answers that this script got. */
async function counted<T extends { status: number }>(call: Promise<T>): Promise<T> {
  const answer = await call;
  add('AWS/ApiGateway Count', 1);
  add('AWS/ApiGateway 5xx', answer.status >= 500 ? 1 : 0);
  return answer;
}
const api = (apiKey: string, method: string, path: string, body?: unknown) =>
  counted(
    fetch(`${url}${path}`, {
      method,
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
async function begin(apiKey: string, sourceId: string, provider: string): Promise<void> {
  const captures = { selfie: { content_type: 'image/jpeg' } };
  const answer = await api(apiKey, 'POST', '/verifications', {
    source_id: sourceId,
    check: 'spoof_detect',
    captures,
    provider,
  });
  const view: unknown = await answer.json();
  const { status } = await put(view as Parameters<typeof put>[0], photo);
  // derived: an object that lands while the rule has no target is one delivery that EventBridge gives up.
  if (status === 200 && deliveryBroken) add('AWS/Events FailedInvocations', 1);
}
/** derived: AWS/SQS and IteratorAge are what the queues hold, and for how long what waits has waited. */
async function sample(): Promise<void> {
  const visible = async (queue: RegExp) => {
    const attributes = await aws<Record<string, string>>(
      'sqs',
      'get-queue-attributes',
      '--queue-url',
      one(queues, queue),
      '--attribute-names',
      'ApproximateNumberOfMessages',
      '--query',
      'Attributes',
    );
    return Number(attributes.ApproximateNumberOfMessages);
  };
  add('AWS/SQS ApproximateNumberOfMessagesVisible', await visible(/providerssandboxundeliverable/i));
  add('AWS/SQS ApproximateNumberOfMessagesVisible of rollbacks', await visible(/rolledback/i));
  const waits = (await visible(/providersspoofsensequeue/i)) > 0 && waitingSince !== undefined;
  add('AWS/SQS ApproximateAgeOfOldestMessage', waits ? Math.round((Date.now() - (waitingSince ?? 0)) / 1000) : 0);
  add('AWS/Lambda IteratorAge', announceBrokenAt === undefined ? 0 : Date.now() - announceBrokenAt);
}

let turn = 0;
let waiting = 0;
const idle = newSourceId();
await Promise.all([
  ...breakages.map(async ([minute, what]) => {
    await sleep(minute * 60_000 + 1000);
    await what().catch((error: unknown) => console.log('NOT BROKEN', String(error).slice(0, 500)));
  }),
  keep(3, async () => {
    const { apiKey } = apiKeys[turn++ % apiKeys.length] ?? first;
    await begin(apiKey, `sandbox-passed-${newSourceId()}`, 'sandbox');
  }),
  keep(6, () => begin(first.apiKey, newSourceId(), 'onesmartlab'), firstBreak),
  keep(2, async () => void (await api(first.apiKey, 'DELETE', `/verifications/${newSourceId()}`))),
  keep(2, async () => void (await api(first.apiKey, 'POST', `/verifications/${newSourceId()}/retry`))),
  keep(10, sample),
  // derived: executions in use are the requests of this script that wait, of a new account's limit of ten.
  keep(1, async () => add('AWS/Usage ResourceCount', waiting)),
  begin(first.apiKey, idle, 'sandbox').catch(() => undefined),
  ...Array.from({ length: 9 }, () =>
    keep(
      0.2,
      async () => {
        waiting += 1;
        await clientOf({ url, apiKey: first.apiKey })
          .call('GET', `/verifications/${idle}?wait=10`)
          .finally(() => {
            waiting -= 1;
          });
      },
      5,
      12,
    ),
  ),
]);

/** What the emulator has: one value for each invocation. */
const startTime = new Date(began).toISOString();
for (const name of functions) {
  for (const metric of ['Invocations', 'Errors', 'Throttles']) {
    const points = await aws<{ Timestamp: string; Sum: number; SampleCount: number; Maximum: number }[]>(
      ...['cloudwatch', 'get-metric-statistics', '--namespace', 'AWS/Lambda', '--metric-name', metric],
      ...[
        '--dimensions',
        `Name=FunctionName,Value=${name}`,
        '--start-time',
        startTime,
        '--end-time',
        new Date().toISOString(),
      ],
      ...['--period', '60', '--statistics', 'Sum', 'SampleCount', 'Maximum', '--query', 'Datapoints'],
    );
    for (const { Timestamp, Sum, SampleCount, Maximum } of points) {
      const minute = Math.floor((Date.parse(Timestamp) - began) / 60_000);
      keepPoint(`AWS/Lambda ${metric} of ${name}`, minute, { sum: Sum, samples: SampleCount, maximum: Maximum });
      keepPoint(`AWS/Lambda ${metric} of all`, minute, { sum: Sum, samples: SampleCount, maximum: Maximum });
    }
  }
}
function keepPoint(metric: string, minute: number, point: NonNullable<Point>): void {
  const points = recorded.get(metric) ?? Array.from<Point>({ length: minutes });
  const before = points[Math.max(0, minute)] ?? { sum: 0, samples: 0, maximum: 0 };
  points[Math.max(0, minute)] = {
    sum: before.sum + point.sum,
    samples: before.samples + point.samples,
    maximum: Math.max(before.maximum, point.maximum),
  };
  recorded.set(metric, points);
}

/** What the functions wrote themselves. */
const line = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.tuple([z.looseObject({ Metrics: z.tuple([z.object({ Name: z.string() })]) })]),
  }),
  provider: z.string().optional(),
});
for (const [text] of (await everythingWritten()).matchAll(/^\{"_aws".*$/gm)) {
  const parsed = line.parse(JSON.parse(text));
  const [
    {
      Metrics: [{ Name }],
    },
  ] = parsed._aws.CloudWatchMetrics;
  const of = parsed.provider === undefined ? '' : ` of ${parsed.provider}`;
  add(`Bonafide ${Name}${of}`, z.number().parse(parsed[Name]), Math.floor((parsed._aws.Timestamp - began) / 60_000));
}

const all = Object.fromEntries(
  [...recorded].map(([metric, points]) => [metric, points.map((one) => one && [one.sum, one.samples, one.maximum])]),
);
mkdirSync('build', { recursive: true });
writeFileSync('build/recorded-series.json', JSON.stringify(all));
console.log(
  `${recorded.size} metrics over ${minutes} minutes: build/recorded-series.json. Then: node test/infra/series/fixtures.ts`,
);
process.exit(0);

async function execute(command: string, ...parameters: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, parameters);
  return stdout;
}
