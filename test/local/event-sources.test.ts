import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';
import { clients } from './fixtures/clients.ts';
import { isRunning } from './fixtures/is-running.ts';
import { queueTemplate } from './fixtures/queue-template.ts';
import { linesOf, start } from './fixtures/start.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { thingsTable } from './fixtures/things-table.ts';

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
    const received = linesOf(notes).flat();
    expect(received.filter((text) => text !== 'fail').sort()).toEqual(['fine', 'good']);
    expect(received.filter((text) => text === 'fail')).toHaveLength(2);
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
    await expect.poll(() => linesOf(notes)).toHaveLength(1);
    first.kill('SIGKILL');
    await once(first, 'close');
    const orphan = Number(readFileSync(`${notes}.pid`, 'utf8'));
    await expect.poll(() => isRunning(orphan)).toBe(false);

    await startChild();
    await expect.poll(() => linesOf(notes)).toEqual([['hang'], ['hang']]);
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
    await expect.poll(() => linesOf(notes)).toEqual([['streamed']]);
  });
});
