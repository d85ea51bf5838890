import { type DynamoDBClient, ListTablesCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { ListQueuesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';

/** Something that is stored, and where: as a reader of the store sees it. */
export interface Kept {
  readonly where: string;
  readonly bytes: Buffer;
}

/** What leads to all that a deployment keeps. */
export interface Stores {
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  /** The one there is. */
  readonly bucket: string;
  readonly sqs: SQSClient;
  /** Everything that was written to logs, and put on the bus. */
  readonly written: () => string;
}

/** Every row of every table, every message of every queue, every version of every object, and the logs: no list of them is kept here. */
export async function everythingKept({ dynamodb, s3, bucket, sqs, written }: Stores): Promise<Kept[]> {
  const kept: Kept[] = [{ where: 'the logs', bytes: Buffer.from(written()) }];
  const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
  for (const TableName of TableNames) {
    for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName, ConsistentRead: true })) {
      for (const item of Items) kept.push(...partsOf(unmarshall(item), `table ${TableName}`));
    }
  }
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  for (const QueueUrl of QueueUrls) {
    const peek = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 });
    const { Messages = [] } = await sqs.send(peek);
    for (const { Body = '' } of Messages) kept.push({ where: `queue ${QueueUrl}`, bytes: Buffer.from(Body) });
  }
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  for (const { Key, VersionId } of Versions) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, VersionId }));
    kept.push({ where: `object ${Key}`, bytes: Buffer.from((await Body?.transformToByteArray()) ?? []) });
  }
  return [...kept, { where: 'tables there are', bytes: Buffer.from(TableNames.join()) }];
}

/** A row as text, and what it has as bytes apart from that. */
function partsOf(value: unknown, where: string): Kept[] {
  const binaries: Kept[] = [];
  const text = JSON.stringify(value, (_, field: unknown) => {
    if (field instanceof Set) return [...field];
    if (!(field instanceof Uint8Array)) return field;
    binaries.push({ where, bytes: Buffer.from(field) });
    return undefined;
  });
  return [{ where, bytes: Buffer.from(text) }, ...binaries];
}

const runLength = 16;

/**
 * Finds where any of this is kept: a run of a capture, as it is, in hexadecimal digits or in base64, or one of the texts.
 * A capture is looked for by every sixteenth of its runs of 16 characters, anywhere: one of 31 is found for certain.
 */
export function searchFor({
  captures,
  texts,
}: {
  readonly captures: readonly Uint8Array[];
  readonly texts: readonly string[];
}): (kept: readonly Kept[]) => string[] {
  const hasRunOf = finderOf(new Set(captures.flatMap((capture) => spellingsOf(Buffer.from(capture)).flatMap(runsOf))));
  return (kept) =>
    kept.flatMap(({ where, bytes }) => [
      ...texts.filter((text) => bytes.includes(text)).map((text) => `${where}: ${text}`),
      ...(hasRunOf(bytes) ? [`${where}: bytes of a capture`] : []),
    ]);
}

/** Finds any of these runs anywhere. A text is cut out only where a table of their beginnings says that one may begin. */
function finderOf(runs: ReadonlySet<string>): (bytes: Buffer) => boolean {
  const mayBegin = new Uint8Array(1 << beginningBits);
  for (const run of runs) mayBegin[beginningAt(viewOf(Buffer.from(run, 'latin1')), 0)] = 1;
  return (bytes) => {
    const view = viewOf(bytes);
    for (let at = 0; at + runLength <= bytes.length; at += 1) {
      if (mayBegin[beginningAt(view, at)] && runs.has(bytes.toString('latin1', at, at + runLength))) return true;
    }
    return false;
  };
}

const beginningBits = 22;

/** Eight bytes, as a number of that many bits. */
const beginningAt = (view: DataView, at: number): number =>
  (Math.imul(view.getInt32(at), 0x9e3779b1) ^ Math.imul(view.getInt32(at + 4), 0x85ebca6b)) >>> (32 - beginningBits);

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);

/** Base64 begins anew with every third byte. */
function spellingsOf(capture: Buffer): string[] {
  const base64 = [0, 1, 2].map((from) => capture.subarray(from).toString('base64'));
  return [capture.toString('latin1'), capture.toString('hex'), ...base64];
}

/** Every sixteenth run of a text that says something: a padding of one byte, or of few, does not. */
function runsOf(text: string): string[] {
  const count = Math.floor(text.length / runLength);
  return Array.from({ length: count }, (_, index) => text.slice(index * runLength, (index + 1) * runLength)).filter(
    (run) => new Set(run).size > 8,
  );
}
