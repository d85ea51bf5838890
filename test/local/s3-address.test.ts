import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publicOrigin } from '../../local/s3/address.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';
import { clients } from './fixtures/clients.ts';
import { apiTemplate, type Resources } from './fixtures/start.ts';
import { writeTemplate } from './fixtures/template-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

const resources: Resources = { Bucket: { Type: 'AWS::S3::Bucket' }, ...apiTemplate };

function home() {
  const directory = temporaryDirectory();
  const template = writeTemplate(path.join(directory, 'template'), resources);
  const dataDirectory = path.join(directory, 'data');
  return {
    dataDirectory,
    start: async (more: Partial<StackOptions> = {}) => {
      const stack = await startStack({ template, dataDirectory, port: 0, ...more });
      onTestFinished(stack.stop);
      return stack;
    },
  };
}

const presignPut = (stack: Stack) => {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_REGION } = stack.environment;
  const client = new S3Client({
    endpoint: stack.endpoints.s3,
    region: AWS_REGION,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  return getSignedUrl(client, new PutObjectCommand({ Bucket: stack.resources.Bucket, Key: 'a' }));
};
const put = async (url: string) => (await fetch(url, { method: 'PUT', body: 'photo' })).status;

async function occupy(port: number) {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
}

describe('an upload URL', () => {
  it('works after a restart', async () => {
    const { start, dataDirectory } = home();
    const before = await start();
    const url = await presignPut(before);
    await before.stop();
    expect(statSync(path.join(dataDirectory, 'credentials.json')).mode & 0o777).toBe(0o600);
    const after = await start();
    expect(after.endpoints.s3).toBe(before.endpoints.s3);
    expect(await put(url)).toBe(200);
  });

  it('keeps its port: a taken one is said, with what to do, and not replaced', async () => {
    const { start, dataDirectory } = home();
    const before = await start();
    await before.stop();
    const port = Number(readFileSync(path.join(dataDirectory, 's3-port'), 'utf8'));
    expect(before.endpoints.s3).toBe(`http://127.0.0.1:${port}`);
    await occupy(port);
    await expect(start()).rejects.toThrow(`Port ${port}, which upload URLs of this data folder name`);
    await expect(start({ s3Port: port })).rejects.toThrow(`S3_PORT ${port} is taken`);
    expect(readFileSync(path.join(dataDirectory, 's3-port'), 'utf8')).toBe(String(port));
  });

  it('is on the port that was asked for, from then on', async () => {
    const { start } = home();
    const first = await start();
    await first.stop();
    const other = await home().start();
    const free = new URL(other.endpoints.s3).port;
    await other.stop();
    const asked = await start({ s3Port: Number(free) });
    expect(asked.endpoints.s3).toBe(`http://127.0.0.1:${free}`);
    await asked.stop();
    expect((await start()).endpoints.s3).toBe(`http://127.0.0.1:${free}`);
  });

  it('is on the port after the API’s where that is free', async () => {
    const { start } = home();
    const port = 20_000 + Math.floor(Math.random() * 5000) * 2;
    expect((await start({ port })).endpoints.s3).toBe(`http://127.0.0.1:${port + 1}`);
  });

  it('has the public host in what the API answers, and works there as on the loopback', async () => {
    const { start } = home();
    const stack = await start({ s3PublicHost: 'localhost' });
    const url = await presignPut(stack);
    const answered = await fetch(`${stack.url}/things/1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ put: url }),
    });
    const { body } = (await answered.json()) as { body: string };
    const publicUrl = (JSON.parse(body) as { put: string }).put;
    const { port } = new URL(stack.endpoints.s3);
    expect(publicUrl).toBe(url.replace('127.0.0.1', 'localhost'));
    expect(stack.uploads).toBe(`http://localhost:${port}`);
    expect([await put(publicUrl), await put(url)]).toEqual([200, 200]);
    expect(await put(publicUrl.replace('/a?', '/b?'))).toBe(403);
    // What runs on this machine goes on using the loopback.
    const { s3 } = clients(stack);
    await s3.send(new PutObjectCommand({ Bucket: stack.resources.Bucket, Key: 'c', Body: 'x' }));
  });

  const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all);
  const outside = addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  it.runIf(outside)('is reached from outside this machine only where the public host is an address of it', async () => {
    const reached = async ({ endpoints }: Stack) => {
      const socket = connect(Number(new URL(endpoints.s3).port), outside);
      const result = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      return result;
    };
    expect(await reached(await home().start())).toBe(false);
    expect(await reached(await home().start({ s3PublicHost: 'localhost' }))).toBe(false);
    const open = await home().start({ s3PublicHost: outside });
    expect(await reached(open)).toBe(true);
    const url = (await presignPut(open)).replace('127.0.0.1', String(outside));
    expect(await put(url)).toBe(200);
    expect(await put(url.replace(/X-Amz-Signature=.{4}/, 'X-Amz-Signature=0000'))).toBe(403);
  });
});

describe('a public host', () => {
  it.each([
    ['phone.test', 'http://phone.test:4001'],
    ['192.168.1.5', 'http://192.168.1.5:4001'],
    ['phone.test:80', 'http://phone.test'],
    ['http://phone.test:8080', 'http://phone.test:8080'],
    ['https://tunnel.example', 'https://tunnel.example'],
  ])('is %s: %s', (host, origin) => {
    expect(publicOrigin(host, 4001)).toBe(origin);
  });

  it.each(['https://a.example/path', 'a b', 'http://user@a.example'])('cannot be %s', (host) => {
    expect(() => publicOrigin(host, 4001)).toThrow('S3_PUBLIC_HOST must be');
  });
});
