import {
  type AttributeValue,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { UploadsView } from '../../shared/api/verifications.ts';
import { capturesPrefix } from '../../shared/domain/captures.ts';
import { epochSeconds } from '../../shared/domain/times.ts';
import { verificationIdOf } from '../../shared/domain/verification-id.ts';
import { dynamoVerifications, shardOf } from '../../shared/stores/verifications.ts';
import { portrait } from '../../tools/samples.ts';
import { anAwaitingVerification } from '../builders/verification.ts';
import { clientOf, newSourceId } from '../journeys/client.ts';
import type { Inside } from '../journeys/inside.ts';
import { aws } from './account.ts';

/** As many as a sweep before took two minutes for: a hundred of each state. */
const backlog = 200;
/** A tenant that there is not: nothing of it is told or listed. */
const nobody = 'backlog';

const sweepDone = z.object({ event: z.literal('sweep.done'), swept: z.number(), failed: z.number() });

/** Events of the bucket that do not come, come late or are forged; and a sweep that has much to do. */
export function lostCaptureJourneys(inside: () => Inside, idKey: () => Promise<string>): void {
  const idOf = async (sourceId: string, tenant = inside().tenant) => verificationIdOf(await idKey(), tenant, sourceId);
  const table = () => inside().outputs.VerificationsTable;

  async function landedRule(): Promise<string> {
    const names = await aws<string[]>('events', 'list-rules', '--query', 'Rules[].Name');
    return names.find((name) => /captureintakelanded/i.test(name)) ?? 'none';
  }

  async function capturesQueue(): Promise<string> {
    const urls = await aws<string[]>('sqs', 'list-queues', '--query', 'QueueUrls');
    return urls.find((url) => /captureintakecapturesqueue/i.test(url)) ?? 'none';
  }

  async function versionsOf(id: string): Promise<{ key: string; versionId: string; size: number; etag: string }[]> {
    const { s3, outputs } = inside();
    const { Versions = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: outputs.CapturesBucket, Prefix: capturesPrefix(id) }),
    );
    return Versions.map(({ Key = '', VersionId = '', Size = 0, ETag = '' }) => {
      return { key: Key, versionId: VersionId, size: Size, etag: ETag.replaceAll('"', '') };
    });
  }

  /** S3's event of a version, or what another account would have us believe. */
  async function tell(
    { key, versionId, size, etag }: Awaited<ReturnType<typeof versionsOf>>[number],
    { account = '000000000000', bucket = inside().outputs.CapturesBucket } = {},
  ): Promise<void> {
    const body = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      account,
      time: '2026-01-01T00:00:00Z',
      detail: {
        reason: 'PutObject',
        bucket: { name: bucket },
        object: { key, size, etag, 'version-id': versionId },
      },
    };
    const message = JSON.stringify(body);
    await aws('sqs', 'send-message', '--queue-url', await capturesQueue(), '--message-body', message);
  }

  /** The time for its captures is over now. */
  async function makeDue(id: string): Promise<void> {
    await inside().dynamodb.send(
      new UpdateItemCommand({
        TableName: table(),
        Key: marshall({ verificationId: id }),
        UpdateExpression: 'SET dueAt = :now',
        ConditionExpression: 'attribute_exists(dueShard)',
        ExpressionAttributeValues: marshall({ ':now': epochSeconds(new Date()) }),
      }),
    );
  }

  async function upload({ uploads }: UploadsView, face: Uint8Array): Promise<void> {
    for (const { put } of [uploads.selfie, uploads.id_card].flatMap((one) => one ?? [])) {
      const answer = await fetch(put.url, { method: 'PUT', headers: put.headers, body: Buffer.from(face) });
      expect(answer.status).toBe(200);
    }
  }

  describe('captures whose events are lost, and a backlog', () => {
    const sourceIds = Array.from({ length: 4 }, newSourceId).concat(`${newSourceId()}.sandbox-passed`);

    it('five uploads with the bucket’s rule disabled, one with a card, become five verdicts, with 200 others overdue', async () => {
      const client = clientOf(inside());
      const face = await portrait();
      const rule = await landedRule();
      await aws('events', 'disable-rule', '--name', rule);
      try {
        for (const sourceId of sourceIds) {
          const image = { content_type: 'image/jpeg' };
          const asked = sourceId.includes('sandbox')
            ? { check: 'photo_verify', provider: 'sandbox', captures: { selfie: image, id_card: image } }
            : {};
          await upload(await client.request(sourceId, asked), face);
        }
      } finally {
        await aws('events', 'enable-rule', '--name', rule);
      }
      const ids = await Promise.all(sourceIds.map((sourceId) => idOf(sourceId)));
      const stored = (await Promise.all(ids.map(versionsOf))).flat();
      expect(stored).toHaveLength(6);
      for (const sourceId of sourceIds) expect((await client.read(sourceId)).state).toBe('awaiting_captures');

      const before = (await sweeps()).length;
      const made = await makeBacklog();
      const poisoned = await poison();
      for (const id of ids) await makeDue(id);
      for (const sourceId of sourceIds) expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
      await expect.poll(() => statesOf(made), { timeout: 150_000, interval: 3000 }).toEqual(['expired']);
      const since = (await sweeps()).slice(before);
      console.log(`Sweeps of ${backlog + sourceIds.length} overdue: ${since.map(({ swept }) => swept).join(', ')}`);
      expect(Math.max(...since.map(({ swept }) => swept))).toBeGreaterThan(100);
      expect(since.at(-1)?.failed).toBe(1);
      await inside().dynamodb.send(new DeleteItemCommand({ TableName: table(), Key: poisoned }));

      // Late events of the same change nothing.
      const histories = await Promise.all(sourceIds.map((sourceId) => client.history(sourceId)));
      for (const one of stored) await tell(one);
      await expect.poll(waiting).toEqual([0, 0]);
      expect(await Promise.all(sourceIds.map((sourceId) => client.history(sourceId)))).toEqual(histories);
    });

    it('an event of another account or bucket is counted, and moves nothing', async () => {
      const client = clientOf(inside());
      const sourceId = newSourceId();
      const { uploads } = await client.request(sourceId);
      const key = uploads.selfie?.post.fields.key ?? '';
      const forged = { key, versionId: 'forged', size: 9, etag: 'e' };
      await tell(forged, { account: '999999999999' });
      await tell(forged, { bucket: 'somebody-elses' });
      await expect.poll(waiting).toEqual([0, 0]);
      await expect.poll(() => inside().written()).toContain('capture.foreign');
      expect(await client.read(sourceId)).toMatchObject({ state: 'awaiting_captures', sequence: 1 });
      expect(await client.history(sourceId)).toHaveLength(1);
    });
  });

  /** Messages of the captures queue that wait, and those that are worked on. */
  async function waiting(): Promise<number[]> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
    const queue = await capturesQueue();
    const answer = await aws<{ Attributes: Record<string, string> }>(
      ...['sqs', 'get-queue-attributes', '--queue-url', queue, '--attribute-names', ...names],
    );
    return names.map((name) => Number(answer.Attributes[name]));
  }

  /** What each sweep said of itself, the earliest first. */
  async function sweeps(): Promise<z.infer<typeof sweepDone>[]> {
    const lines = (await inside().written()).matchAll(/\{[^\n{}]*"event":"sweep\.done"[^\n{}]*\}/g);
    return [...lines].map(([line]) => sweepDone.parse(JSON.parse(line)));
  }

  async function makeBacklog(): Promise<string[]> {
    const now = () => new Date();
    const store = dynamoVerifications({ client: inside().dynamodb, table: table(), now });
    const createdAt = now().toISOString();
    const purgeAt = epochSeconds(now()) + 86_400;
    const made = Array.from({ length: backlog }, () =>
      anAwaitingVerification({
        ...{ tenant: nobody, sourceId: newSourceId(), createdAt, updatedAt: createdAt, purgeAt },
        dueAt: epochSeconds(now()) - 60,
      }),
    );
    for (let from = 0; from < made.length; from += 10)
      await Promise.all(made.slice(from, from + 10).map((record) => store.create(record)));
    return made.map(({ verificationId }) => verificationId);
  }

  async function statesOf(ids: readonly string[]): Promise<string[]> {
    const { dynamodb } = inside();
    const states = new Set<string>();
    for (let from = 0; from < ids.length; from += 20) {
      const read = ids.slice(from, from + 20).map(async (id) => {
        const { Item } = await dynamodb.send(
          new GetItemCommand({ TableName: table(), Key: marshall({ verificationId: id }) }),
        );
        states.add(Item?.state?.S ?? 'none');
      });
      await Promise.all(read);
    }
    return [...states];
  }

  /** A row that is no record, and the longest overdue of its partition. */
  async function poison(): Promise<Record<string, AttributeValue>> {
    const verificationId = await idOf('poisoned', nobody);
    const state = 'awaiting_captures';
    const row = { verificationId, state, dueShard: `${state}#${shardOf(verificationId)}`, dueAt: 1 };
    await inside().dynamodb.send(new PutItemCommand({ TableName: table(), Item: marshall(row) }));
    return marshall({ verificationId });
  }
}
