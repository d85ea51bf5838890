import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';

const run = promisify(execFile);

/** The AWS command line, its answer as JSON. */
export async function aws<T>(...parameters: readonly string[]): Promise<T> {
  const { stdout } = await run('aws', [...parameters, '--output', 'json'], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout || 'null') as T;
}

const inventory: readonly (readonly [kind: string, ...command: string[]])[] = [
  ['function', 'lambda', 'list-functions', '--query', 'Functions[].FunctionName'],
  ['event source', 'lambda', 'list-event-source-mappings', '--query', 'EventSourceMappings[].EventSourceArn'],
  ['queue', 'sqs', 'list-queues', '--query', 'QueueUrls'],
  ['table', 'dynamodb', 'list-tables', '--query', 'TableNames'],
  ['bucket', 's3api', 'list-buckets', '--query', 'Buckets[].Name'],
  ['bus', 'events', 'list-event-buses', '--query', 'EventBuses[].Name'],
  ['rule', 'events', 'list-rules', '--query', 'Rules[].Name'],
  ['API', 'apigatewayv2', 'get-apis', '--query', 'Items[].Name'],
  ['log group', 'logs', 'describe-log-groups', '--query', 'logGroups[].logGroupName'],
  ['secret', 'secretsmanager', 'list-secrets', '--query', 'SecretList[].Name'],
  ['alarm', 'cloudwatch', 'describe-alarms', '--query', 'MetricAlarms[].AlarmName'],
  ['dashboard', 'cloudwatch', 'list-dashboards', '--query', 'DashboardEntries[].DashboardName'],
  ['role', 'iam', 'list-roles', '--query', 'Roles[].RoleName'],
  ['stack', 'cloudformation', 'list-stacks', '--query', 'StackSummaries[?StackStatus!=`DELETE_COMPLETE`].StackName'],
];

/** Everything in the account that a deployment of ours could have made: `table bonafide-recordstenants…`. */
export async function everythingThere(): Promise<string[]> {
  const kinds = await Promise.all(
    inventory.map(async ([kind, ...command]) => {
      const names = await aws<string[] | null>(...command);
      return (names ?? []).map((name) => `${kind} ${name}`);
    }),
  );
  return kinds.flat().sort();
}

/** Everything the functions wrote: their log groups, whole. `python` is the emulator's, which has the AWS SDK. */
export async function everythingWritten(): Promise<string> {
  const { stdout } = await run('python', ['test/deployed/written.py'], { maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}

/** By function of the stack `bonafide`, the hash of the code that its alias `live` runs. */
export async function liveCode(): Promise<Record<string, string>> {
  const { stdout } = await run('python', ['test/deployed/live.py']);
  return z.record(z.string(), z.string()).parse(JSON.parse(stdout));
}

/** How many messages lie in all queues whose name has this word. */
export async function messagesIn(word: string): Promise<number> {
  const sqs = new SQSClient();
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand());
  const urls = QueueUrls.filter((url) => url.includes(word));
  if (urls.length === 0) throw new Error(`No queue has ${word} in its name`);
  const counts = urls.map(async (QueueUrl) => {
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...lying] }));
    return lying.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Messages that wait, and those that are worked on. */
const lying = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;

/** Alarms of these names that are in ALARM. The emulator evaluates all of them when a metric is put, and not by a clock. */
export async function ringing(names: RegExp): Promise<string[]> {
  await aws('cloudwatch', 'put-metric-data', '--namespace', 'test', '--metric-name', 'evaluate', '--value', '1');
  const found = await aws<string[]>(
    ...['cloudwatch', 'describe-alarms', '--state-value', 'ALARM', '--query', 'MetricAlarms[].AlarmName'],
  );
  return found.filter((name) => names.test(name));
}

/** Holds the account to so many executions at once while `act` runs. */
export async function withExecutions<Result>(executions: number, act: () => Promise<Result>): Promise<Result> {
  await holdTo(executions);
  try {
    return await act();
  } finally {
    await holdTo();
  }
}

async function holdTo(executions?: number): Promise<void> {
  const url = `${process.env.AWS_ENDPOINT_URL}/_bonafide/executions`;
  const answer = await fetch(url, { method: 'PUT', body: executions === undefined ? '' : String(executions) });
  if (answer.status !== 204) throw new Error(`The emulator takes no limit of executions: ${answer.status}`);
}
