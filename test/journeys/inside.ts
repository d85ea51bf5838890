import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { askedOf, type UploadsView, uploadsView, verificationRequest } from '../../shared/api/verifications.ts';
import { captureKey, capturesPrefix } from '../../shared/domain/captures.ts';
import { challengeSeconds, epochSeconds } from '../../shared/domain/times.ts';
import { legacyVerificationIdOf, verificationIdOf } from '../../shared/domain/verification-id.ts';
import { dynamoVerifications, recordOf } from '../../shared/stores/verifications.ts';
import { portrait } from '../../tools/samples.ts';
import { anAwaitingVerification } from '../builders/verification.ts';
import { clientOf, newSourceId, post, put, type Target } from './client.ts';

/** A deployment as its operator sees it: its bucket, its table, its bus and what it wrote. */
export interface Inside extends Target {
  readonly tenant: string;
  readonly outputs: {
    readonly CapturesBucket: string;
    readonly VerificationsTable: string;
    readonly IdKeySecret: string;
  };
  /** With the settings uploads are presigned with. */
  readonly s3: S3Client;
  readonly dynamodb: DynamoDBClient;
  readonly secretsManager: SecretsManagerClient;
  /** Every event the bus was given so far, in order. */
  readonly events: () => Promise<Record<string, unknown>[]>;
  /** Everything the functions wrote so far. */
  readonly written: () => Promise<string>;
  /** What must never stand in it. */
  readonly secrets: readonly string[];
}

/** What any deployment must do, as its operator sees it. */
export function journeysSeenFromInside(inside: () => Inside): void {
  let face: Uint8Array;
  beforeAll(async () => {
    face = await portrait();
  });

  async function idKey(): Promise<string> {
    const { secretsManager, outputs } = inside();
    const read = await secretsManager.send(new GetSecretValueCommand({ SecretId: outputs.IdKeySecret }));
    return read.SecretString ?? '';
  }

  /** The id of a verification, as its operator finds it out: with the deployment's key. */
  async function idOf(sourceId: string): Promise<string> {
    return verificationIdOf(await idKey(), inside().tenant, sourceId);
  }

  const versionsOf = async (sourceId: string) => versionsUnder(await idOf(sourceId));

  async function versionsUnder(id: string): Promise<string[]> {
    const { s3, outputs } = inside();
    const { Versions = [], DeleteMarkers = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: outputs.CapturesBucket, Prefix: capturesPrefix(id) }),
    );
    return [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId }) => `${Key} ${VersionId}`);
  }

  describe('seen from inside', () => {
    it('a server’s own upload, by the AWS SDK, starts a verification like any other', async () => {
      const client = clientOf(inside());
      const sourceId = newSourceId();
      await client.request(sourceId);
      const { s3, outputs } = inside();
      const Key = captureKey(await idOf(sourceId), 1, 'selfie');
      await s3.send(
        new PutObjectCommand({ Bucket: outputs.CapturesBucket, Key, Body: face, ContentType: 'image/jpeg' }),
      );
      expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
    });

    it('an upload URL that has expired is refused', async () => {
      const client = clientOf(inside());
      const sourceId = newSourceId();
      const view = await client.request(sourceId);
      const { s3, outputs } = inside();
      const Key = captureKey(await idOf(sourceId), 1, 'selfie');
      const command = new PutObjectCommand({ Bucket: outputs.CapturesBucket, Key, ContentType: 'image/jpeg' });
      const url = await getSignedUrl(s3, command, { expiresIn: 60, signingDate: new Date(Date.now() - 120_000) });
      const { status, text } = await put(view, face, {}, url);
      expect(status).toBe(403);
      expect(text).toContain('expired');
      expect(await client.read(sourceId)).toMatchObject({ state: 'awaiting_captures', sequence: 1 });
      expect(await versionsOf(sourceId)).toEqual([]);
    });

    it('a video stored after its digits had died is a recapture that no provider gave; new digits are judged', async () => {
      const client = clientOf(inside());
      const { dynamodb, outputs } = inside();
      const sourceId = `${newSourceId()}.sandbox-passed`;
      const captures = { video: { content_type: 'video/mp4' }, id_card: { content_type: 'image/jpeg' } };
      const asked = { check: 'video_verify', provider: 'sandbox', captures };
      const upload = async ({ uploads }: UploadsView) => {
        for (const { put } of [uploads.video, uploads.id_card].flatMap((one) => one ?? [])) {
          const { status } = await fetch(put.url, { method: 'PUT', headers: put.headers, body: Buffer.from(face) });
          expect(status).toBe(200);
        }
      };
      /** As if the digits had been issued longer ago than they live. */
      const age = async () =>
        dynamodb.send(
          new UpdateItemCommand({
            TableName: outputs.VerificationsTable,
            Key: marshall({ verificationId: await idOf(sourceId) }),
            UpdateExpression: 'SET challengeIssuedAt = :before',
            ExpressionAttributeValues: marshall({
              ':before': new Date(Date.now() - (challengeSeconds + 5) * 1000).toISOString(),
            }),
          }),
        );
      const view = await client.request(sourceId, asked);
      expect(Date.parse(view.challenge_expires_at ?? '')).toBeGreaterThan(Date.now());
      await age();
      await upload(view);
      expect(await client.verdict(sourceId)).toMatchObject({
        verdict: { outcome: 'recapture', reasons: ['challenge_expired'], provider: 'bonafide' },
        attempts: [],
      });
      const issueAgain = async () =>
        uploadsView.parse((await client.call('POST', `/verifications/${sourceId}/captures`, {})).body);
      const second = await issueAgain();
      await age();
      const anew = await issueAgain();
      expect(anew).toMatchObject({ round: 2, sequence: second.sequence });
      expect(anew.challenge).not.toBe(second.challenge);
      await upload(anew);
      expect((await client.verdict(sourceId)).verdict).toMatchObject({ outcome: 'passed', provider: 'sandbox' });
      await expect.poll(() => versionsOf(sourceId)).toEqual([]);
    });

    it('the code of a hand-off is refused in its eleventh minute, and its hash is gone with erasure', async () => {
      const client = clientOf(inside());
      const { dynamodb, outputs, tenant, written } = inside();
      const sourceId = newSourceId();
      await client.request(sourceId);
      const key = { TableName: outputs.VerificationsTable, Key: marshall({ verificationId: await idOf(sourceId) }) };
      const { body } = await client.call('POST', `/verifications/${sourceId}/hand-off`);
      const code = new URL(body.hand_off_url).hash.slice('#h_'.length);
      const row = async () => JSON.stringify((await dynamodb.send(new GetItemCommand(key))).Item);
      expect(await row()).not.toContain(code);
      expect(await row()).toContain('codeHash');
      const UpdateExpression = 'SET handOff.expiresAt = :now';
      const ExpressionAttributeValues = marshall({ ':now': epochSeconds(new Date()) });
      await dynamodb.send(new UpdateItemCommand({ ...key, UpdateExpression, ExpressionAttributeValues }));
      const claim = { tenant, code };
      const refused = await client.problem('POST', `/verifications/${sourceId}/hand-off/claim`, claim);
      expect(refused).toMatchObject({ status: 410, code: 'hand_off_invalid' });
      await client.call('DELETE', `/verifications/${sourceId}`);
      expect(await row()).not.toMatch(/codeHash|handOff/);
      expect(await written()).not.toContain(code);
    });

    it('no capture outlives its decision, pinned or not', async () => {
      const client = clientOf(inside());
      const sourceId = newSourceId();
      const view = await client.request(sourceId);
      await post(view, face);
      await post(view, face);
      await client.verdict(sourceId);
      await expect.poll(() => versionsOf(sourceId)).toEqual([]);
    });

    it('what lands after an erasure is deleted, and the tombstone knows nothing of it but which version it was', async () => {
      const client = clientOf(inside());
      const sourceId = newSourceId();
      const view = await client.request(sourceId);
      await client.call('DELETE', `/verifications/${sourceId}`);
      expect((await put(view, face)).status).toBe(200);
      await expect.poll(() => versionsOf(sourceId)).toEqual([]);
      const { dynamodb, outputs } = inside();
      const Key = marshall({ verificationId: await idOf(sourceId) });
      const read = () => dynamodb.send(new GetItemCommand({ TableName: outputs.VerificationsTable, Key }));
      await expect.poll(async () => (await read()).Item?.erasure?.M?.finishedAt).toBeDefined();
      const { Item = {} } = await read();
      expect(recordOf(Item)).toMatchObject({
        state: 'erased',
        history: [expect.anything()],
        erasure: { versions: [{ key: '1/selfie', foundAt: expect.any(String) }] },
      });
      expect(JSON.stringify(Item)).not.toContain(sourceId);
      expect(Object.keys(Item)).not.toContain('dueShard');
    });

    it('an errored verification can be retried while its captures are stored, and not after', async () => {
      const client = clientOf(inside());
      const { s3, outputs } = inside();
      // The sandbox faults on demand: two captures, landing together.
      const sourceId = `${newSourceId()}.sandbox-fault-provider_refused`;
      await client.request(sourceId, {
        check: 'photo_verify',
        provider: 'sandbox',
        captures: { selfie: { content_type: 'image/jpeg' }, id_card: { content_type: 'image/jpeg' } },
      });
      const upload = async (name: 'selfie' | 'id_card') => {
        const Key = captureKey(await idOf(sourceId), 1, name);
        await s3.send(
          new PutObjectCommand({ Bucket: outputs.CapturesBucket, Key, Body: face, ContentType: 'image/jpeg' }),
        );
      };
      await Promise.all([upload('selfie'), upload('id_card')]);
      await expect.poll(async () => (await client.read(sourceId)).state).toBe('errored');
      expect(await client.read(sourceId)).toMatchObject({ fault: 'provider_refused', sequence: 4 });

      const retried = await client.call('POST', `/verifications/${sourceId}/retry`);
      expect(retried).toMatchObject({ status: 202, body: { state: 'queued', sequence: 5 } });
      await expect.poll(async () => (await client.read(sourceId)).attempts.length).toBe(2);
      await expect.poll(async () => (await client.read(sourceId)).state).toBe('errored');

      const [stored = ''] = await versionsOf(sourceId);
      const [Key, VersionId] = stored.split(' ');
      await s3.send(new DeleteObjectCommand({ Bucket: outputs.CapturesBucket, Key, VersionId }));
      const refused = await client.problem('POST', `/verifications/${sourceId}/retry`);
      expect(refused).toMatchObject({ status: 409, code: 'captures_gone' });
    });

    describe('from before ids had a key', () => {
      const bodyOf = (source_id: string) => ({
        source_id,
        check: 'spoof_detect',
        captures: { selfie: { content_type: 'image/jpeg' } },
      });

      /** Writes what such a version recorded of that request; its id. */
      async function record(sourceId: string): Promise<string> {
        const { dynamodb, outputs, tenant } = inside();
        const createdAt = new Date();
        const verificationId = legacyVerificationIdOf(tenant, sourceId);
        const store = dynamoVerifications({
          client: dynamodb,
          table: outputs.VerificationsTable,
          now: () => createdAt,
          newId: () => 'planted',
        });
        const planted = anAwaitingVerification({
          verificationId,
          tenant,
          sourceId,
          requestHash: askedOf(verificationRequest.parse(bodyOf(sourceId))).requestHash,
          createdAt: createdAt.toISOString(),
          purgeAt: epochSeconds(createdAt) + 86_400,
          dueAt: epochSeconds(createdAt) + 3600,
        });
        expect((await store.create(planted)).kind).toBe('created');
        return verificationId;
      }

      async function stateUnder(verificationId: string): Promise<string | undefined> {
        const { dynamodb, outputs } = inside();
        const Key = marshall({ verificationId });
        const { Item } = await dynamodb.send(new GetItemCommand({ TableName: outputs.VerificationsTable, Key }));
        return Item && recordOf(Item).state;
      }

      it('a record is repeated, read, listed, decided and erased under its old id, and never made again', async () => {
        const client = clientOf(inside());
        const sourceId = newSourceId();
        const oldId = await record(sourceId);
        const body = bodyOf(sourceId);

        const repeated = await client.call('POST', '/verifications', body);
        expect(repeated).toMatchObject({ status: 200, body: { state: 'awaiting_captures', sequence: 1 } });
        const other = await client.problem('POST', '/verifications', { ...body, metadata: { a: 1 } });
        expect(other).toMatchObject({ status: 409, code: 'source_id_conflict' });
        expect(await client.read(sourceId)).toMatchObject({ source_id: sourceId, state: 'awaiting_captures' });
        const { body: list } = await client.call('GET', '/verifications?state=awaiting_captures&limit=1');
        expect(list.verifications).toMatchObject([{ source_id: sourceId }]);
        const again = await client.call('POST', `/verifications/${sourceId}/captures`);
        expect(again.status).toBe(200);

        expect((await put(uploadsView.parse(again.body), face)).status).toBe(200);
        expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
        expect((await client.history(sourceId)).filter(({ kind }) => kind === 'moved')).toHaveLength(4);
        expect((await client.problem('POST', `/verifications/${sourceId}/retry`)).code).toBe('state_conflict');

        expect(await client.call('DELETE', `/verifications/${sourceId}`)).toMatchObject({ status: 200 });
        expect((await put(uploadsView.parse(again.body), face)).status).toBe(200);
        await expect.poll(() => versionsUnder(oldId)).toEqual([]);
        expect((await client.read(sourceId)).state).toBe('erased');
        expect((await client.problem('POST', '/verifications', body)).code).toBe('source_id_erased');
        expect([await stateUnder(oldId), await stateUnder(await idOf(sourceId))]).toEqual(['erased', undefined]);
      });

      it('a record beside one of this version is erased with it', async () => {
        const client = clientOf(inside());
        const sourceId = newSourceId();
        await client.request(sourceId);
        const oldId = await record(sourceId);
        expect(await client.call('DELETE', `/verifications/${sourceId}`)).toMatchObject({ status: 200 });
        expect([await stateUnder(oldId), await stateUnder(await idOf(sourceId))]).toEqual(['erased', 'erased']);
      });
    });

    it('announces every move once in the chain, thin, and nothing else', async () => {
      const client = clientOf(inside());
      const sourceId = newSourceId();
      await put(await client.request(sourceId, { metadata: { name: 'A. Person' } }), face);
      await client.verdict(sourceId);
      const moves = (await client.history(sourceId)).filter(({ kind }) => kind === 'moved');
      await client.call('DELETE', `/verifications/${sourceId}`);
      const mine = async () => {
        const details = (await inside().events()).map(({ detail }) => detail as Record<string, unknown>);
        const ours = details.filter(({ source_id }) => source_id === sourceId);
        return [...new Map(ours.map((one) => [one.id, one])).values()];
      };
      await expect
        .poll(async () => (await mine()).map(({ type }) => type))
        .toEqual(['verification.queued', 'verification.dispatched', 'verification.decided', 'verification.erased']);
      const events = await mine();
      expect(events.map(({ previous_event_id }) => previous_event_id)).toEqual([
        null,
        ...events.slice(0, 3).map(({ id }) => id),
      ]);
      expect(events.slice(0, 3).map(({ hash }) => hash)).toEqual(moves.slice(1).map(({ hash }) => hash));
      expect(events.map(({ hash }) => hash)).toEqual(Array(4).fill(expect.stringMatching(/^[\w-]{43}$/)));
      expect(JSON.stringify(events)).not.toMatch(/Person|scores|"live"/);
    });

    it('writes no key, token, signature, image byte or word of the person anywhere', async () => {
      const client = clientOf(inside());
      const sourceId = newSourceId();
      const view = await client.request(sourceId, { metadata: { name: 'Secretive Person' } });
      await put(view, face);
      await client.verdict(sourceId);
      await client.call('GET', `/verifications/${sourceId}`, undefined, {
        authorization: `Bearer ${view.client_token}`,
      });
      await client.problem('POST', '/verifications', {
        source_id: sourceId,
        check: 'x',
        metadata: { name: 'Secretive' },
      });
      const { apiKey, secrets, written: everythingWritten } = inside();
      await expect.poll(everythingWritten).toContain(await idOf(sourceId));
      const written = await everythingWritten();
      expect(written).toContain('capture.landed');
      const signature = new URL(view.uploads.selfie?.put.url ?? '').searchParams.get('X-Amz-Signature') ?? 'none';
      const base64 = Buffer.from(face).toString('base64');
      for (const secret of [
        apiKey,
        apiKey.slice(-20),
        view.client_token,
        view.client_token.slice(-20),
        signature,
        'X-Amz-Signature',
        ...secrets,
        await idKey(),
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
}
