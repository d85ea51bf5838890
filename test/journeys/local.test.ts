import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureKey } from '../../shared/domain/captures.ts';
import { verificationIdOf } from '../../shared/domain/verification.ts';
import { presignable } from '../../shared/stores/captures.ts';
import { dynamoVerifications, recordOf } from '../../shared/stores/verifications.ts';
import { portrait } from '../../tools/samples.ts';
import { anAwaitingVerification } from '../builders/verification.ts';
import { clientOf, newSourceId, post, put } from './client.ts';
import { journeys } from './journeys.ts';
import { type RunningStack, remove, startLocalStack } from './local-stack.ts';

let running: RunningStack;
let face: Uint8Array;
beforeAll(async () => {
  running = await startLocalStack();
  face = await portrait();
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

journeys(() => running);

const aws = () => {
  const { environment, outputs } = running.stack;
  const config = {
    region: environment.AWS_REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
  };
  return {
    outputs,
    s3: new S3Client({ ...config, ...presignable, endpoint: environment.AWS_ENDPOINT_URL_S3 }),
    dynamodb: new DynamoDBClient({ ...config, endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB }),
  };
};

async function versionsOf(sourceId: string): Promise<string[]> {
  const { s3, outputs } = aws();
  const prefix = `captures/${verificationIdOf('demo', sourceId)}/`;
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: outputs.CapturesBucket, Prefix: prefix }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId }) => `${Key} ${VersionId}`);
}

describe('seen from inside', () => {
  it('a server’s own upload, by the AWS SDK, starts a verification like any other', async () => {
    const client = clientOf(running);
    const sourceId = newSourceId();
    await client.request(sourceId);
    const { s3, outputs } = aws();
    const Key = captureKey(verificationIdOf('demo', sourceId), 1, 'selfie');
    await s3.send(new PutObjectCommand({ Bucket: outputs.CapturesBucket, Key, Body: face, ContentType: 'image/jpeg' }));
    expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
  });

  it('an upload URL that has expired is refused', async () => {
    const client = clientOf(running);
    const sourceId = newSourceId();
    const view = await client.request(sourceId);
    const { s3, outputs } = aws();
    const Key = captureKey(verificationIdOf('demo', sourceId), 1, 'selfie');
    const command = new PutObjectCommand({ Bucket: outputs.CapturesBucket, Key, ContentType: 'image/jpeg' });
    const url = await getSignedUrl(s3, command, { expiresIn: 60, signingDate: new Date(Date.now() - 120_000) });
    const { status, text } = await put(view, face, {}, url);
    expect(status).toBe(403);
    expect(text).toContain('expired');
    expect(await client.read(sourceId)).toMatchObject({ state: 'awaiting_captures', sequence: 1 });
    expect(await versionsOf(sourceId)).toEqual([]);
  });

  it('no capture outlives its decision, pinned or not', async () => {
    const client = clientOf(running);
    const sourceId = newSourceId();
    const view = await client.request(sourceId);
    await post(view, face);
    await post(view, face);
    await client.verdict(sourceId);
    await expect.poll(() => versionsOf(sourceId), { timeout: 20_000 }).toEqual([]);
  });

  it('what lands after an erasure is deleted, and the tombstone knows nothing of it', async () => {
    const client = clientOf(running);
    const sourceId = newSourceId();
    const view = await client.request(sourceId);
    await client.call('DELETE', `/verifications/${sourceId}`);
    expect((await put(view, face)).status).toBe(200);
    await expect.poll(() => versionsOf(sourceId), { timeout: 20_000 }).toEqual([]);
    const { dynamodb, outputs } = aws();
    const { Item = {} } = await dynamodb.send(
      new GetItemCommand({
        TableName: outputs.VerificationsTable,
        Key: marshall({ verificationId: verificationIdOf('demo', sourceId) }),
      }),
    );
    expect(recordOf(Item)).toMatchObject({ state: 'erased', history: [expect.anything()] });
    expect(Object.keys(Item)).not.toContain('dueShard');
  });

  it('an errored verification can be retried while its captures are stored, and not after', async () => {
    const client = clientOf(running);
    const { s3, dynamodb, outputs } = aws();
    const store = dynamoVerifications({
      client: dynamodb,
      table: outputs.VerificationsTable,
      now: () => new Date(),
      newId: () => crypto.randomUUID(),
    });
    // A check the API would refuse to begin, so that its provider faults: two captures, landing together.
    const sourceId = newSourceId();
    const record = anAwaitingVerification({
      tenant: 'demo',
      sourceId,
      check: 'photo_verify',
      dueAt: 2 ** 31,
      purgeAt: 2 ** 31,
    });
    await store.create(record);
    const upload = async (name: 'selfie' | 'id_card') => {
      const Key = captureKey(record.verificationId, 1, name);
      await s3.send(
        new PutObjectCommand({ Bucket: outputs.CapturesBucket, Key, Body: face, ContentType: 'image/jpeg' }),
      );
    };
    await Promise.all([upload('selfie'), upload('id_card')]);
    await expect.poll(async () => (await client.read(sourceId)).state, { timeout: 20_000 }).toBe('errored');
    expect(await client.read(sourceId)).toMatchObject({ fault: 'provider_refused', sequence: 4 });

    const retried = await client.call('POST', `/verifications/${sourceId}/retry`);
    expect(retried).toMatchObject({ status: 202, body: { state: 'queued', sequence: 5 } });
    await expect.poll(async () => (await client.read(sourceId)).attempts.length, { timeout: 20_000 }).toBe(2);
    await expect.poll(async () => (await client.read(sourceId)).state, { timeout: 20_000 }).toBe('errored');

    const [stored = ''] = await versionsOf(sourceId);
    const [Key, VersionId] = stored.split(' ');
    await s3.send(new DeleteObjectCommand({ Bucket: outputs.CapturesBucket, Key, VersionId }));
    const refused = await client.problem('POST', `/verifications/${sourceId}/retry`);
    expect(refused).toMatchObject({ status: 409, code: 'captures_gone' });
  });

  it('announces every move once in the chain, thin, and nothing else', async () => {
    const client = clientOf(running);
    const sourceId = newSourceId();
    await put(await client.request(sourceId, { metadata: { name: 'A. Person' } }), face);
    await client.verdict(sourceId);
    await client.call('DELETE', `/verifications/${sourceId}`);
    const mine = () => {
      const details = running.events().map(({ detail }) => detail as Record<string, unknown>);
      return [
        ...new Map(details.filter(({ source_id }) => source_id === sourceId).map((one) => [one.id, one])).values(),
      ];
    };
    await expect
      .poll(() => mine().map(({ type }) => type), { timeout: 20_000 })
      .toEqual(['verification.queued', 'verification.dispatched', 'verification.decided', 'verification.erased']);
    const events = mine();
    expect(events.map(({ previous_event_id }) => previous_event_id)).toEqual([
      null,
      ...events.slice(0, 3).map(({ id }) => id),
    ]);
    expect(JSON.stringify(events)).not.toMatch(/Person|scores|live/);
  });

  it('writes no key, token, signature, image byte or word of the person anywhere', async () => {
    const client = clientOf(running);
    const sourceId = newSourceId();
    const view = await client.request(sourceId, { metadata: { name: 'Secretive Person' } });
    await put(view, face);
    await client.verdict(sourceId);
    await client.call('GET', `/verifications/${sourceId}`, undefined, { authorization: `Bearer ${view.client_token}` });
    await client.problem('POST', '/verifications', {
      source_id: sourceId,
      check: 'x',
      metadata: { name: 'Secretive' },
    });
    await expect.poll(() => running.written()).toContain('capture.landed');
    const written = running.written();
    const signature = new URL(view.uploads.selfie?.put.url ?? '').searchParams.get('X-Amz-Signature') ?? 'none';
    const base64 = Buffer.from(face).toString('base64');
    for (const secret of [
      running.apiKey,
      running.apiKey.split('_').at(-1) ?? '',
      view.client_token,
      view.client_token.split('_').at(-1) ?? '',
      signature,
      'X-Amz-Signature',
      running.stack.environment.AWS_SECRET_ACCESS_KEY,
      'Secretive',
      base64.slice(0, 24),
      base64.slice(2000, 2024),
      Buffer.from(face.subarray(0, 12)).toString('hex'),
      sourceId,
    ]) {
      expect(written.includes(secret), secret.slice(0, 12)).toBe(false);
    }
    expect(written.length).toBeGreaterThan(1000);
  });
});

describe('a machine that fails', () => {
  it('killed with -9 anywhere on the way, it loses no verification, message, object or event', async () => {
    let stack = await startLocalStack();
    const { dataDirectory } = stack;
    const made: string[] = [];
    for (const pause of [0, 30, 120]) {
      const client = clientOf(stack);
      const sourceId = newSourceId();
      made.push(sourceId);
      await put(await client.request(sourceId), face);
      await new Promise((resolve) => setTimeout(resolve, pause));
      await stack.kill();
      stack = await startLocalStack(dataDirectory);
    }
    const client = clientOf(stack);
    for (const sourceId of made) {
      expect((await client.verdict(sourceId)).verdict?.outcome, sourceId).toBe('passed');
      const history = await client.history(sourceId);
      expect(history.filter(({ state, kind }) => state === 'decided' && kind === 'moved')).toHaveLength(1);
      const moves = history.filter(({ kind, sequence }) => kind === 'moved' && Number(sequence) > 1).length;
      const events = () =>
        new Set(
          stack
            .events()
            .map(({ detail }) => detail as { id: string; source_id: string })
            .filter(({ source_id }) => source_id === sourceId)
            .map(({ id }) => id),
        ).size;
      await expect.poll(events, { timeout: 20_000 }).toBe(moves);
    }
    expect(await stack.stop()).toBe(0);
    remove(dataDirectory);
  }, 180_000);
});
