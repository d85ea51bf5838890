import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findRoute } from '../../local/http-api.ts';
import { rateMs, startSchedules } from '../../local/schedules.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { isRunning } from './fixtures/is-running.ts';
import { queueTemplate } from './fixtures/queue-template.ts';
import { writeTemplate } from './fixtures/template-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { thingsTable } from './fixtures/things-table.ts';

type Resources = Parameters<typeof writeTemplate>[1];

async function start(resources: Resources, outputs = {}) {
  const directory = temporaryDirectory();
  const template = writeTemplate(path.join(directory, 'template'), resources, outputs);
  const dataDirectory = path.join(directory, 'data');
  const stack = await startStack({ template, dataDirectory, port: 0 });
  onTestFinished(stack.stop);
  return { stack, dataDirectory };
}

function clients({ environment }: Pick<Stack, 'environment'>) {
  const of = (name: string) => ({
    endpoint: environment[`AWS_ENDPOINT_URL_${name}`],
    region: environment.AWS_REGION,
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
    },
  });
  return {
    dynamoDb: new DynamoDBClient(of('DYNAMODB')),
    s3: new S3Client({ ...of('S3'), forcePathStyle: true }),
    sqs: new SQSClient(of('SQS')),
    eventBridge: new EventBridgeClient(of('EVENTBRIDGE')),
  };
}

const linesOf = (file: string): string[][] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

describe('the HTTP API', () => {
  const route = (id: string, RouteKey: string): Resources => ({
    [id]: {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: { Ref: 'Api' },
        RouteKey,
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'ToEcho' }]] },
      },
    },
  });
  const api: Resources = {
    Api: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: { CorsConfiguration: { AllowOrigins: ['https://app.example'], AllowMethods: ['GET'], MaxAge: 60 } },
    },
    Echo: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: 'echo.mjs',
        Timeout: 5,
        Environment: {
          // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's, not ours
          Variables: { API: { 'Fn::Sub': 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/x' } },
        },
      },
    },
    ToEcho: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: { Ref: 'Api' },
        IntegrationUri: { 'Fn::GetAtt': ['Echo', 'Arn'] },
        PayloadFormatVersion: '2.0',
      },
    },
    ...route('Things', 'ANY /things/{id}'),
  };

  it('gives a function the event of payload format 2.0 and sends back what it answers', async () => {
    const { stack } = await start(api, { ApiUrl: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } } });
    const { url } = stack;
    expect(stack.outputs.ApiUrl).toBe(url);

    const request = await fetch(`${url}/things/a%3Ab%20c?tag=1&tag=2&x=%2F`, {
      method: 'POST',
      headers: { 'X-Mixed-Case': 'Kept', cookie: 'a=1; b=2', 'content-type': 'application/json' },
      body: '{"é":1}',
    });
    expect(await request.json()).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /things/{id}',
      rawPath: '/things/a%3Ab%20c',
      rawQueryString: 'tag=1&tag=2&x=%2F',
      queryStringParameters: { tag: '1,2', x: '/' },
      pathParameters: { id: 'a:b c' },
      cookies: ['a=1', 'b=2'],
      headers: { 'x-mixed-case': 'Kept' },
      body: '{"é":1}',
      isBase64Encoded: false,
      requestContext: { http: { method: 'POST', sourceIp: '127.0.0.1' }, stage: '$default' },
    });

    const binary = await fetch(`${url}/things/1`, { method: 'PUT', body: new Uint8Array([0, 255]) });
    expect(await binary.json()).toMatchObject({ body: 'AP8=', isBase64Encoded: true });

    const bytes = await fetch(`${url}/things/1?act=bytes`);
    expect([bytes.status, bytes.headers.get('content-type')]).toEqual([201, 'image/png']);
    expect(bytes.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(Buffer.from(await bytes.arrayBuffer())).toEqual(Buffer.from([0, 255]));

    const environment = (await (await fetch(`${url}/things/1?act=environment`)).json()) as Record<string, string>;
    expect(environment.API).toBe(`${url}/x`);
    expect(await stack.invoke('Echo', {})).toMatchObject({ process: expect.any(Number) });
  });

  it('answers itself what no function should see, and tells nothing of what failed', async () => {
    const { stack } = await start(api);
    const say = async (pathname: string, options?: RequestInit) => {
      const response = await fetch(stack.url + pathname, options);
      return [response.status, await response.text()];
    };
    expect(await say('/nowhere')).toEqual([404, '{"message":"Not Found"}']);
    expect(await say('/things/1?act=throw')).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(await say('/things/1', { method: 'POST', body: Buffer.alloc(10_485_761) })).toEqual([
      413,
      '{"message":"Request Entity Too Large"}',
    ]);
    expect((await say('/things/1', { method: 'POST', body: Buffer.alloc(10_485_760) }))[0]).toBe(200);

    const preflight = await fetch(`${stack.url}/things/1`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    const stranger = await fetch(`${stack.url}/things/1`, { headers: { origin: 'https://evil.example' } });
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('listens on this machine only', async () => {
    const { stack } = await start({});
    for (const url of [stack.url, ...Object.values(stack.endpoints)])
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    // The port of every part is closed on other addresses of this machine.
    const other = `http://127.0.0.2:${new URL(stack.endpoints.sqs).port}`;
    await expect(once(get(other), 'response')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each<[string, string, string | undefined]>([
    ['GET', '/things', 'GET /things'],
    ['GET', '/things/new', 'GET /things/new'],
    ['GET', '/things/7', 'GET /things/{id}'],
    ['DELETE', '/things/7', 'ANY /things/{id}'],
    ['GET', '/things/7/parts', 'GET /{rest+}'],
    ['POST', '/things/7/parts', '$default'],
    ['GET', '/things/', 'GET /{rest+}'],
  ])('sends %s %s to %s', (method, pathname, expected) => {
    const keys = ['$default', 'GET /{rest+}', 'ANY /things/{id}', 'GET /things/{id}', 'GET /things/new', 'GET /things'];
    const routes = keys.map((routeKey) => ({ routeKey, timeoutMs: 1, invoke: async () => undefined }));
    expect(findRoute(routes, method, pathname)?.route.routeKey).toBe(expected);
  });
});

describe('a queue with a function', () => {
  it('deletes what succeeded, shows what failed again, and gives up to the dead letters', async () => {
    const directory = temporaryDirectory();
    const notes = path.join(directory, 'notes');
    const template = queueTemplate(path.join(directory, 'template'), notes, 2);
    const stack = await startStack({ template, dataDirectory: path.join(directory, 'data'), port: 0 });
    onTestFinished(stack.stop);
    const { sqs } = clients(stack);
    for (const MessageBody of ['good', 'fail', 'fine']) {
      await sqs.send(new SendMessageCommand({ QueueUrl: stack.resources.Work, MessageBody }));
    }
    const dead = await sqs.send(new ReceiveMessageCommand({ QueueUrl: stack.resources.Dead, WaitTimeSeconds: 20 }));
    expect(dead.Messages?.map(({ Body }) => Body)).toEqual(['fail']);
    const seen = linesOf(notes).flat();
    expect(seen.filter((text) => text !== 'fail').sort()).toEqual(['fine', 'good']);
    expect(seen.filter((text) => text === 'fail')).toHaveLength(2);
  });

  it('is given after a kill -9, at once, what was with the function when it came', async () => {
    const directory = temporaryDirectory();
    const notes = path.join(directory, 'notes');
    const template = queueTemplate(path.join(directory, 'template'), notes, 600);
    const startChild = async (): Promise<[ChildProcess, Pick<Stack, 'environment' | 'resources'>]> => {
      const child = fork(path.join(import.meta.dirname, 'fixtures/running-stack.ts'), [
        template,
        path.join(directory, 'data'),
      ]);
      onTestFinished(() => void child.kill('SIGKILL'));
      const [about] = await once(child, 'message');
      return [child, about];
    };
    const [first, about] = await startChild();
    const { sqs } = clients(about);
    await sqs.send(new SendMessageCommand({ QueueUrl: about.resources.Work, MessageBody: 'hang' }));
    await expect.poll(() => linesOf(notes), { timeout: 10_000 }).toHaveLength(1);
    first.kill('SIGKILL');
    await once(first, 'close');
    const orphan = Number(readFileSync(`${notes}.pid`, 'utf8'));
    await expect.poll(() => isRunning(orphan)).toBe(false);

    await startChild();
    await expect.poll(() => linesOf(notes), { timeout: 10_000 }).toEqual([['hang'], ['hang']]);
  });
});

describe('a table, a bucket and a bus', () => {
  it('reach functions and queues by stream and rules, and the journal has what was put on the bus', async () => {
    const notes = path.join(temporaryDirectory(), 'notes');
    const { stack } = await start({
      Landed: { Type: 'AWS::SQS::Queue' },
      Bucket: {
        Type: 'AWS::S3::Bucket',
        Properties: { NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } } },
      },
      OnLanded: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['aws.s3'], detail: { bucket: { name: [{ Ref: 'Bucket' }] } } },
          Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': ['Landed', 'Arn'] } }],
        },
      },
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'moves' } },
      OnMove: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventBusName: { Ref: 'Bus' },
          EventPattern: { 'detail-type': ['moved'] },
          Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': ['Landed', 'Arn'] }, InputPath: '$.detail' }],
        },
      },
      Things: { Type: 'AWS::DynamoDB::Table', Properties: thingsTable },
      Reader: {
        Type: 'AWS::Lambda::Function',
        Properties: { Code: 'note-records.mjs', Environment: { Variables: { NOTES: notes } } },
      },
      Stream: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': ['Things', 'StreamArn'] },
          FunctionName: { Ref: 'Reader' },
          StartingPosition: 'TRIM_HORIZON',
        },
      },
    });
    const { dynamoDb, eventBridge, s3, sqs } = clients(stack);
    const next = async () => {
      const command = new ReceiveMessageCommand({ QueueUrl: stack.resources.Landed, WaitTimeSeconds: 5 });
      return JSON.parse((await sqs.send(command)).Messages?.[0]?.Body ?? 'null');
    };
    await s3.send(new PutObjectCommand({ Bucket: stack.resources.Bucket, Key: 'a/b', Body: 'x' }));
    expect(await next()).toMatchObject({ 'detail-type': 'Object Created', detail: { object: { key: 'a/b' } } });

    const entry = { Source: 'test', DetailType: 'moved', EventBusName: 'moves' };
    const { Entries, FailedEntryCount } = await eventBridge.send(
      new PutEventsCommand({
        Entries: [
          { ...entry, Detail: '{"to":"there"}' },
          { ...entry, Detail: 'not JSON' },
        ],
      }),
    );
    expect([FailedEntryCount, Entries?.[1]?.ErrorCode]).toEqual([1, 'MalformedDetail']);
    expect(await next()).toEqual({ to: 'there' });
    expect(linesOf(stack.eventJournal)).toMatchObject([{ 'event-bus-name': 'moves', detail: { to: 'there' } }]);

    const Item = { id: { S: 'thing' }, text: { S: 'streamed' } };
    await dynamoDb.send(new PutItemCommand({ TableName: stack.resources.Things, Item }));
    await expect.poll(() => linesOf(notes), { timeout: 5000 }).toEqual([['streamed']]);
  });
});

describe('a stack', () => {
  it('makes a secret once, for its owner only, and gives it to who asks by ARN', async () => {
    const directory = temporaryDirectory();
    const template = writeTemplate(
      path.join(directory, 'template'),
      {
        Secret: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: { GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 64 } },
        },
      },
      { Secret: { Value: { Ref: 'Secret' } } },
    );
    const dataDirectory = path.join(directory, 'data');
    const read = async () => {
      const stack = await startStack({ template, dataDirectory, port: 0 });
      const response = await fetch(stack.endpoints.secretsmanager, {
        method: 'POST',
        headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' },
        body: JSON.stringify({ SecretId: stack.outputs.Secret }),
      });
      await stack.stop();
      return ((await response.json()) as { SecretString: string }).SecretString;
    };
    const secret = await read();
    expect(secret).toMatch(/^[A-Za-z0-9]{64}$/);
    expect(await read()).toBe(secret);
    expect(statSync(path.join(dataDirectory, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('makes a secret that a newer version adds, and keeps the ones it finds', async () => {
    const directory = temporaryDirectory();
    const secret = {
      Type: 'AWS::SecretsManager::Secret',
      Properties: { GenerateSecretString: { PasswordLength: 64 } },
    };
    const dataDirectory = path.join(directory, 'data');
    const startWith = async (version: string, resources: Resources) => {
      const template = writeTemplate(path.join(directory, version), resources);
      await (await startStack({ template, dataDirectory, port: 0 })).stop();
      return JSON.parse(readFileSync(path.join(dataDirectory, 'secrets.json'), 'utf8'));
    };
    const before = await startWith('old', { Token: secret });
    const after = await startWith('new', { Token: secret, IdKey: secret });
    expect(Object.keys(after)).toHaveLength(2);
    expect(after).toMatchObject(before);
  });

  it.each<[string, Resources, string]>([
    ['a type', { Topic: { Type: 'AWS::SNS::Topic' } }, 'AWS::SNS::Topic, the type of Topic'],
    [
      'a schedule',
      {
        Nightly: {
          Type: 'AWS::Events::Rule',
          Properties: { ScheduleExpression: 'cron(0 3 * * ? *)', Targets: [{ Arn: 'x' }] },
        },
      },
      'the schedule cron(0 3 * * ? *), which test-nightly (AWS::Events::Rule) uses',
    ],
    [
      'a function in its values',
      { Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: { 'Fn::FindInMap': ['a', 'b', 'c'] } } } },
      'Queue uses Fn::FindInMap',
    ],
    [
      'notifications',
      { Bucket: { Type: 'AWS::S3::Bucket', Properties: { NotificationConfiguration: { QueueConfigurations: [] } } } },
      'notifications by QueueConfigurations, which test-bucket (AWS::S3::Bucket) uses',
    ],
  ])('that uses %s nobody here knows is refused, by name', async (_, resources, complaint) => {
    const directory = temporaryDirectory();
    const template = writeTemplate(path.join(directory, 'template'), resources);
    const starting = startStack({ template, dataDirectory: path.join(directory, 'data'), port: 0 });
    await expect(starting).rejects.toThrow(complaint);
  });

  it('whose tables are not the ones on disk is refused', async () => {
    const directory = temporaryDirectory();
    const dataDirectory = path.join(directory, 'data');
    const withIndexes = (GlobalSecondaryIndexes: unknown[]) =>
      writeTemplate(path.join(directory, 'template'), {
        Things: { Type: 'AWS::DynamoDB::Table', Properties: { ...thingsTable, GlobalSecondaryIndexes } },
      });
    const template = withIndexes(thingsTable.GlobalSecondaryIndexes);
    for (let times = 0; times < 2; times++) await (await startStack({ template, dataDirectory, port: 0 })).stop();
    withIndexes(thingsTable.GlobalSecondaryIndexes.map((index) => ({ ...index, IndexName: 'renamed' })));
    await expect(startStack({ template, dataDirectory, port: 0 })).rejects.toThrow('has another things');
  });
});

describe('a schedule', () => {
  it('knows rates', () => {
    expect(['rate(1 minute)', 'rate(5 minutes)', 'rate(1 day)', 'cron(* * * * ? *)'].map(rateMs)).toEqual([
      60_000,
      300_000,
      86_400_000,
      undefined,
    ]);
  });

  it('runs again and again, but never twice at the same time', async () => {
    let runs = 0;
    let atOnce = 0;
    let most = 0;
    const run = async () => {
      runs++;
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 30));
      atOnce--;
    };
    const schedules = startSchedules([{ name: 'test', everyMs: 10, run }]);
    await expect.poll(() => runs).toBeGreaterThan(2);
    await schedules.stop();
    const before = runs;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([runs, most]).toEqual([before, 1]);
  });
});
