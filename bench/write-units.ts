import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Fingerprint } from '../shared/domain/fingerprint.ts';
import { defaultPolicy, planFor } from '../shared/domain/policy.ts';
import { epochSeconds } from '../shared/domain/times.ts';
import { recaptureReasons } from '../shared/domain/verdict.ts';
import type { InState } from '../shared/domain/verification.ts';
import { decide } from '../shared/lifecycle/decide.ts';
import { dynamoLooks } from '../shared/stores/looks.ts';
import { dynamoOutcomes } from '../shared/stores/outcomes.ts';
import { dynamoSightings } from '../shared/stores/sightings.ts';
import { dynamoVerifications } from '../shared/stores/verifications.ts';
import { fingerprintKey } from '../test/builders/deployment.ts';
import { anAwaitingVerification, landedFor } from '../test/builders/verification.ts';
import { startTables } from '../test/stores/table.ts';

type Item = Record<string, AttributeValue>;

/** Requests by kind, and units as DynamoDB counts them; of the tables alone, as their indexes are written alike. */
interface Cost {
  readonly requests: Readonly<Record<string, number>>;
  readonly write_units: number;
  readonly read_units: number;
}

/**
 * What one decision of a selfie costs: not looked for among captures judged before, looked for and written down, and
 * recognised; and what is written beside it: its outcome for the console's charts, and an operator's look at a capture.
 */
export async function benchWriteUnits(): Promise<
  Record<'not_looked_for' | 'first' | 'repeated' | 'outcome' | 'look', Cost>
> {
  const tables = await startTables();
  const { client } = tables;
  const now = () => new Date();
  let ids = 0;
  const newId = () => `id-${++ids}`;
  const verifications = dynamoVerifications({
    client,
    table: 'verifications',
    sightingsTable: 'sightings',
    now,
    newId,
  });
  const recognising = {
    sightings: dynamoSightings(client, 'sightings', now),
    fingerprintKey: async () => fingerprintKey,
  };

  async function dispatched(seenBefore: 'note' | 'off'): Promise<InState<'dispatched'>> {
    const plan = planFor(
      { ...defaultPolicy, seenBefore: { ...defaultPolicy.seenBefore, selfie: seenBefore } },
      'spoof_detect',
    );
    const purgeAt = Math.floor(Date.now() / 1000) + 86_400;
    const record = anAwaitingVerification({ sourceId: newId(), plan, purgeAt });
    await verifications.create(record);
    const landed = landedFor('spoof_detect');
    const queued = await verifications.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 });
    if (queued.kind !== 'moved') throw new Error('queued');
    const claim = { landed, provider: 'builtin', attempt: 1, waitingFor: 'answer', dueAt: 2 } as const;
    const moved = await verifications.move(queued.verification, 'dispatched', claim);
    if (moved.kind !== 'moved') throw new Error('dispatched');
    return moved.verification;
  }

  async function costOf(seenBefore: 'note' | 'off', selfie: Fingerprint): Promise<Cost> {
    const record = await dispatched(seenBefore);
    const requests: Record<string, number> = {};
    const read = async (place: Item, table: string): Promise<number> => {
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: place, ConsistentRead: true }));
      return unitsOf(Item ?? {});
    };
    let written: TransactWriteItem[] = [];
    let reads = 0;
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          if (commandName === 'GetItemCommand') return next(args);
          requests[commandName] = (requests[commandName] ?? 0) + 1;
          const input = args.input as {
            TransactItems?: TransactWriteItem[];
            RequestItems?: Record<string, { Keys: Item[] }>;
          };
          written = input.TransactItems ?? written;
          reads += Object.values(input.RequestItems ?? {}).flatMap(({ Keys }) => Keys).length;
          return next(args);
        },
      { step: 'initialize', name: 'counting' },
    );
    try {
      const finding = { outcome: 'passed', confidence: 0.97, reasons: [], scores: { live: 0.97 } } as const;
      await decide(
        record,
        { attempt: 1, provider: 'builtin', round: 1, finding: { ...finding, reasons: [] }, fingerprints: { selfie } },
        { verifications, captures: { removeVersion: async () => undefined }, now, recognising },
      );
    } finally {
      client.middlewareStack.remove('counting');
    }
    const ofRecord = await read(marshall({ verificationId: record.verificationId }), 'verifications');
    const places = written.flatMap(({ Put }) => (Put?.Item ? [unitsOf(Put.Item)] : []));
    const inTransaction = places.length > 0 ? 2 : 1; // a transaction prepares, then commits
    const write_units = inTransaction * [ofRecord, ...places].reduce((sum, units) => sum + units, 0);
    return { requests, write_units, read_units: reads };
  }

  const photo = (name: string): Fingerprint => ({
    sha256: name,
    picture: [0, 1, 2, 3].map((band) => `${name}${band}`),
    face: [0, 1, 2, 3].map((band) => `${name}${band}`),
  });
  try {
    const not_looked_for = await costOf('off', photo('a'));
    const first = await costOf('note', photo('b'));
    await costOf('note', photo('b')); // takes the places that are left
    const repeated = await costOf('note', photo('b'));
    return { not_looked_for, first, repeated, ...(await beside(client)) };
  } finally {
    await tables.stop();
  }
}

/** One row for each, without an index: the largest that the service writes of a selfie. */
async function beside(client: DynamoDBClient): Promise<Record<'outcome' | 'look', Cost>> {
  const at = new Date();
  async function costOf(table: string, write: () => Promise<void>): Promise<Cost> {
    await write();
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    const write_units = Items.reduce((sum, item) => sum + unitsOf(item), 0);
    return { requests: { PutItemCommand: Items.length }, write_units, read_units: 0 };
  }
  const common = { tenant: 'acme', id: 'o'.repeat(22), at: at.toISOString(), check: 'spoof_detect' as const };
  const outcomes = dynamoOutcomes(client, 'outcomes', () => at);
  const looked = { verificationId: 'v'.repeat(26), at: at.toISOString(), operatorId: `o_${'0'.repeat(12)}` };
  return {
    outcome: await costOf('outcomes', () =>
      outcomes.keep({
        ...common,
        outcome: 'recapture',
        reasons: [...recaptureReasons],
        provider: 'builtin',
        seconds: 12.3,
      }),
    ),
    look: await costOf('looks', () =>
      dynamoLooks(client, 'looks').write({ ...looked, capture: 'selfie', round: 3, purgeAt: epochSeconds(at) }),
    ),
  };
}

/** Of writing an item: each kilobyte that is begun. */
export function unitsOf(item: Item): number {
  return Math.max(1, Math.ceil(sizeOf(item) / 1024));
}

export function sizeOf(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + bytesOf(value), 0);
}

/** As DynamoDB documents the size of an attribute. */
function bytesOf({ S, B, N, SS, L, M }: AttributeValue): number {
  if (B !== undefined) return B.length;
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.length / 2) + 1;
  if (SS) return SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (L) return L.reduce((sum, value) => sum + 1 + bytesOf(value), 3);
  if (M) return Object.entries(M).reduce((sum, [name, value]) => sum + 1 + Buffer.byteLength(name) + bytesOf(value), 3);
  return 1;
}
