import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startStack } from '../../local/stack.ts';
import type { Resources } from './fixtures/start.ts';
import { writeTemplate } from './fixtures/template-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';
import { thingsTable } from './fixtures/things-table.ts';

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
  ])('that uses %s unknown here is refused, by name', async (_, resources, complaint) => {
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
