import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyLimits, limits } from '../../shared/stores/limits.ts';

/**
 * Takes every request and says nothing; of an object that is called half, the headers and half of the body; of one that is
 * called dribbling, a byte of a header now and then, for ever.
 */
let silent: Server;
let endpoint: string;
beforeAll(async () => {
  silent = createServer(({ url = '', socket }, response) => {
    if (url.includes('dribbling')) {
      socket.write('HTTP/1.1 200 OK\r\nx-more: ');
      const dribbling = setInterval(() => socket.write('.'), 30);
      socket.on('close', () => clearInterval(dribbling));
    }
    if (!url.includes('half')) return;
    response.writeHead(200, { 'content-length': '10' });
    response.write('12345');
  }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(() => {
  silent.closeAllConnections();
  silent.close();
});

/** The same kind of limits in a tenth of the time, and one try: what is looked at is that they end the call at all. */
function connection<Limits extends typeof limits | typeof bodyLimits>({ requestHandler }: Limits) {
  const quick = Object.entries(requestHandler).map(([name, limit]) => [name, limit === true ? limit : limit / 10]);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return {
    ...{ endpoint, credentials, region: 'us-east-1', maxAttempts: 1 },
    requestHandler: Object.fromEntries(quick),
  };
}

describe('a server that never answers', () => {
  const s3 = () => new S3Client({ ...connection(bodyLimits), forcePathStyle: true });
  const bucket = { Bucket: 'captures' };
  const event = { Source: 'bonafide', DetailType: 'verification.decided', Detail: '{}' };
  it.each<[string, () => Promise<unknown>]>([
    [
      'DynamoDB',
      () =>
        new DynamoDBClient(connection(limits)).send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } })),
    ],
    [
      'SQS',
      () => new SQSClient(connection(limits)).send(new SendMessageCommand({ QueueUrl: endpoint, MessageBody: '{}' })),
    ],
    [
      'Secrets Manager',
      () => new SecretsManagerClient(connection(limits)).send(new GetSecretValueCommand({ SecretId: 's' })),
    ],
    ['EventBridge', () => new EventBridgeClient(connection(limits)).send(new PutEventsCommand({ Entries: [event] }))],
    ['S3, read', () => s3().send(new GetObjectCommand({ ...bucket, Key: 'none' }))],
    ['S3, by dribs and drabs', () => s3().send(new GetObjectCommand({ ...bucket, Key: 'dribbling' }))],
    ['S3, written', () => s3().send(new PutObjectCommand({ ...bucket, Key: 'none', Body: new Uint8Array(100_000) }))],
  ])('is given up: %s', async (_, call) => {
    await expect(call()).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('is given up in the middle of a body', async () => {
    const { Body } = await s3().send(new GetObjectCommand({ ...bucket, Key: 'half' }));
    await expect(Body?.transformToByteArray()).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

it('the limits are those of AWS calls within a function’s ten seconds; bodies have longer', () => {
  expect(limits.requestHandler).toMatchObject({ connectionTimeout: 1000, requestTimeout: 3000 });
  expect(bodyLimits.requestHandler.requestTimeout).toBeGreaterThan(limits.requestHandler.requestTimeout);
});
