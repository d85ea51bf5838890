import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

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
