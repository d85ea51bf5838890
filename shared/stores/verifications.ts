import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { captureName } from '../domain/captures.ts';
import { type Created, dueShards, type Moved, type Sighting, type Verifications } from '../domain/ports.ts';
import {
  type HistoryEntry,
  type InState,
  maximumNotes,
  moved,
  notedEntry,
  overNotes,
  type State,
  type Unerased,
  type Verification,
  verification,
  withNothingDue,
  withOrderClosed,
  withOrderGivenUp,
  withRefund,
} from '../domain/verification.ts';
import { isUnmet, transact, unlessInTransaction, updateExpression } from './conditional.ts';
import { listPage } from './lists.ts';
import { takePlace } from './sightings.ts';
import { giveCredit, takeCredit } from './tenants/credits.ts';

export interface Dependencies {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly now: () => Date;
  /** For `moveId`: a test gives its own. */
  readonly newId?: () => string;
  /** Of places that a decision takes; absent where none is made of fingerprints. */
  readonly sightingsTable?: string;
  /** Of credits; absent where none is taken or given back. */
  readonly tenantsTable?: string;
}

/** `accept` changes what a claim waits for without a move: a takeover or a failover read before it must not undo it. */
export function fencesWaiting(to: State): boolean {
  return to === 'dispatched' || to === 'queued' || to === 'errored';
}

/** A landing changes what is missing without a move: a move read before it must not forget the capture. */
export function fencesMissing(to: State): boolean {
  return to === 'awaiting_captures' || to === 'queued' || to === 'expired';
}

/** Of two writers that read the same record, one wins: a zombie, a repeat or a twin moves nothing. */
const notMovedMeanwhile = '#sequence = :readSequence AND #state = :readState AND #round = :readRound';
/** Both captures of a check may land at once, and one may land while the record expires. */
const noneLandedMeanwhile = '#missing = :readMissing';
/** A takeover or a failover that read the lease before `accepted` replaced it by the webhook's deadline. */
const notAcceptedMeanwhile = '#waitingFor = :readWaitingFor';
/** Two callers may find the digits of a round dead at once: both are told the ones that were written first. */
const notRenewedMeanwhile = '#challengeIssuedAt = :readChallengeIssuedAt';

/** Of two steps of a hand-off one wins: its number and state say which step was read. */
const notHandedOffMeanwhile = '#handOff.#number = :readHandOffNumber AND #handOff.#state = :readHandOffState';
const notHandedOffYet = 'attribute_not_exists(#handOff)';

/** Of two that give a credit back, and of a refund and an erasure, one wins. */
const notRefundedMeanwhile = '#credit = :readCredit';
const refundStillDue = '#refundDue = :readRefundDue';
const nothingFoundMeanwhile = '#erasure.#step = :readStep';
/** The same of a tombstone that a version before wrote. */
const nothingFoundYet = 'attribute_not_exists(#erasure)';
/** Notes are counted up to twenty, and no line is without one or a move. */
const notNotedMeanwhile = '#notes = :readNotes';
const notPostedMeanwhile = '#failedPosts = :readFailedPosts';

/** New digits in a round: of two writers that found the old ones dead, the second must not replace what the first told. */
export function renewsChallenge(from: Verification, to: Verification): from is InState<'awaiting_captures'> {
  if (from.state !== 'awaiting_captures' || to.state !== 'awaiting_captures') return false;
  return from.challengeIssuedAt !== to.challengeIssuedAt;
}

/** A step of a hand-off, which is no move. */
export function stepsHandOff(from: Verification, to: Verification): boolean {
  if (from.state === 'erased' || to.state === 'erased') return false;
  return from.handOff?.number !== to.handOff?.number || from.handOff?.state !== to.handOff?.state;
}

/** A refund marks the record without a move: an erasure read before it would have the credit given back again. */
export function fencesRefund(from: Verification, to: Verification): boolean {
  return 'credit' in from && from.credit === 'taken' && (to.state === 'erased' || to.credit !== 'taken');
}

/** The same of a tombstone. */
export function fencesRefundDue(from: Verification, to: Verification): boolean {
  return from.state === 'erased' && from.refundDue === true && to.state === 'erased' && to.refundDue === undefined;
}

/** Of two workers that post the same result in vain, one counts it. */
export function fencesPosts(from: Verification, to: Verification): boolean {
  return 'order' in to && to.order !== undefined && 'failedPosts' in from && from.failedPosts !== to.failedPosts;
}

/** Of two workers that put on a tombstone what they are about to delete, or that it is all gone, one wins. */
export function fencesErasure(from: Verification, to: Verification): { readonly step: number | undefined } | undefined {
  if (from.state !== 'erased' || to.state !== 'erased' || from.erasure?.step === to.erasure?.step) return undefined;
  return { step: from.erasure?.step };
}

/** A move covers every line before it, and a note is written without one: a note read too late would break the chain. */
export function fencesNotes(from: Verification, to: Verification): boolean {
  return to.sequence > from.sequence;
}

/** `settle` takes the deadline out without a move: a move read before it writes its own, also where it is the one that was read. */
export function alwaysWrites(name: string, from: Verification, to: Verification): boolean {
  return name === 'dueAt' && to.sequence > from.sequence;
}

/** An entry of the index of deadlines. Its id is read as it is: one that is none of ours fails alone, where it is looked up. */
const dueRow = z.object({ verificationId: z.string(), dueAt: z.number() });

/** What the history and the counters are written with; a move must not overwrite a note made meanwhile. */
const appended = ['history', 'notes', 'notesDropped'];

export function dynamoVerifications({
  client,
  table,
  now,
  newId = shortId,
  sightingsTable,
  tenantsTable,
}: Dependencies): Verifications {
  const key = (id: string) => marshall({ verificationId: id });

  /** The conditional update that turns `from` into `to`. */
  function updateOf(from: Verification, to: Verification, entry?: HistoryEntry) {
    const before = rowOf(from);
    const after = rowOf(to);
    const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (name) =>
        (to.state === 'erased' || !appended.includes(name)) &&
        (alwaysWrites(name, from, to) || !isDeepStrictEqual(before[name], after[name])),
    );
    const set = changed.filter((name) => after[name] !== undefined);
    const removed = changed.filter((name) => after[name] === undefined);
    // Seen in no record that was read, so in no difference: a tombstone that an earlier version wrote still has the one,
    // and the other may have come meanwhile.
    if (to.state === 'erased') removed.push(...['sourceId', 'handOff'].filter((name) => !changed.includes(name)));
    const assignments = set.map((name) => `#${name} = :${name}`);
    const values: Record<string, unknown> = Object.fromEntries(set.map((name) => [`:${name}`, after[name]]));
    if (entry && to.state !== 'erased') {
      assignments.push('#history = list_append(#history, :entry)');
      values[':entry'] = [lineRow(entry)];
      changed.push('history');
    }
    const conditions: string[] = [notMovedMeanwhile];
    const fenced = ['sequence', 'state', 'round'];
    Object.assign(values, { ':readSequence': from.sequence, ':readState': from.state, ':readRound': from.round });
    if (from.state === 'awaiting_captures' && fencesMissing(to.state)) {
      conditions.push(noneLandedMeanwhile);
      fenced.push('missing');
      values[':readMissing'] = new Set(from.missing);
    }
    if (renewsChallenge(from, to)) {
      conditions.push(notRenewedMeanwhile);
      fenced.push('challengeIssuedAt');
      values[':readChallengeIssuedAt'] = from.challengeIssuedAt;
    }
    if (from.state !== 'erased' && stepsHandOff(from, to)) {
      const { handOff: read } = from;
      conditions.push(read ? notHandedOffMeanwhile : notHandedOffYet);
      fenced.push('handOff', ...(read ? ['number'] : []));
      if (read) Object.assign(values, { ':readHandOffNumber': read.number, ':readHandOffState': read.state });
    }
    if (from.state === 'dispatched' && fencesWaiting(to.state)) {
      conditions.push(notAcceptedMeanwhile);
      fenced.push('waitingFor');
      values[':readWaitingFor'] = from.waitingFor;
    }
    if (fencesRefund(from, to)) {
      conditions.push(notRefundedMeanwhile);
      fenced.push('credit');
      values[':readCredit'] = 'taken';
    }
    if (fencesRefundDue(from, to)) {
      conditions.push(refundStillDue);
      values[':readRefundDue'] = true;
    }
    if (fencesPosts(from, to) && 'failedPosts' in from) {
      conditions.push(notPostedMeanwhile);
      values[':readFailedPosts'] = from.failedPosts;
    }
    const erasing = fencesErasure(from, to);
    if (erasing) {
      conditions.push(erasing.step === undefined ? nothingFoundYet : nothingFoundMeanwhile);
      fenced.push('erasure', ...(erasing.step === undefined ? [] : ['step']));
      if (erasing.step !== undefined) values[':readStep'] = erasing.step;
    }
    if (fencesNotes(from, to)) {
      conditions.push(notNotedMeanwhile);
      fenced.push('notes');
      values[':readNotes'] = from.notes;
    }
    const named = new Set([...changed, ...removed, ...fenced]);
    return {
      TableName: table,
      Key: key(from.verificationId),
      UpdateExpression: updateExpression(
        assignments,
        removed.map((name) => `#${name}`),
      ),
      ConditionExpression: conditions.join(' AND '),
      ExpressionAttributeNames: Object.fromEntries([...named].map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: marshall(values, { removeUndefinedValues: true }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    } as const;
  }

  /** The loser is told what it lost to. */
  async function change<S extends State>(from: Verification, to: InState<S>, entry?: HistoryEntry): Promise<Moved<S>> {
    try {
      const update = new UpdateItemCommand({ ...updateOf(from, to, entry), ReturnValues: 'ALL_NEW' });
      const { Attributes } = await unlessInTransaction(() => client.send(update));
      return { kind: 'moved', verification: recordOf(Attributes ?? {}) as InState<S> };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return lostTo(error.Item, to, entry);
    }
  }

  /**
   * The move and the places it takes, all or nothing. Where a place was taken meanwhile, or another transaction is at
   * work on one of the items, it is lost to the record as it was read: to be looked at again.
   */
  async function changeWith<S extends State>(
    from: Verification,
    to: InState<S>,
    entry: HistoryEntry | undefined,
    sightings: readonly Sighting[],
  ): Promise<Moved<S>> {
    if (!sightingsTable) throw new Error('Places of fingerprints are taken in a table that was not named');
    const places = sightings.map((sighting) => ({ Put: takePlace(sightingsTable, sighting, now()) }));
    try {
      await client.send(
        new TransactWriteItemsCommand({ TransactItems: [{ Update: updateOf(from, to, entry) }, ...places] }),
      );
      return { kind: 'moved', verification: to };
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const [ofRecord, ...ofPlaces] = error.CancellationReasons ?? [];
      if (ofRecord?.Code === 'ConditionalCheckFailed') return lostTo(ofRecord.Item, to, entry);
      const again = ['ConditionalCheckFailed', 'TransactionConflict'];
      if ([ofRecord, ...ofPlaces].some((reason) => again.includes(reason?.Code ?? '')))
        return { kind: 'lost', current: from };
      throw error;
    }
  }

  /** What a record is made with, unless there is one. */
  const making = (record: Verification) => ({
    TableName: table,
    Item: marshall(rowOf(record), { removeUndefinedValues: true }),
    ConditionExpression: 'attribute_not_exists(verificationId)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  });

  /** The first write may have won, and only its answer been lost. */
  function existing(item: Record<string, AttributeValue>, record: InState<'awaiting_captures'>): Created {
    const existing = recordOf(item);
    return existing.state === 'awaiting_captures' && existing.moveId === record.moveId
      ? { kind: 'created', verification: existing }
      : { kind: 'exists', verification: existing };
  }

  function creditsIn(): string {
    if (!tenantsTable) throw new Error('Credits are kept in a table that was not named');
    return tenantsTable;
  }

  /** The first write may have won and only its answer been lost: then the SDK's own repeat meets our move. */
  function lostTo<S extends State>(
    item: Record<string, AttributeValue> | undefined,
    to: InState<S>,
    entry: HistoryEntry | undefined,
  ): Moved<S> {
    const current = item && recordOf(item);
    if (current && entry && current.moveId === to.moveId) return { kind: 'moved', verification: current as InState<S> };
    return { kind: 'lost', current };
  }

  return {
    async create(record) {
      try {
        await unlessInTransaction(() => client.send(new PutItemCommand(making(record))));
        return { kind: 'created', verification: record };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException) || !error.Item) throw error;
        return existing(error.Item, record);
      }
    },

    async createPaid(record) {
      const credit = { Update: takeCredit(creditsIn(), record.tenant) };
      const unmet = await transact(client, [{ Put: making(record) }, credit]);
      if (!unmet) return { kind: 'created', verification: record };
      const [ofRecord] = unmet;
      if (!isUnmet(ofRecord)) return { kind: 'unpaid' };
      if (!ofRecord?.Item) throw new Error('A record that exists was not answered');
      return existing(ofRecord.Item, record);
    },

    async find(id, { consistent = true } = {}) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: key(id), ConsistentRead: consistent }),
      );
      return Item ? recordOf(Item) : undefined;
    },

    move(from, to, fields, remark = {}, sightings = []) {
      const stamp = { at: now(), moveId: newId() };
      return overNotes<Moved<typeof to>>(from, (read) => {
        const next = moved(read, to, fields, remark, stamp);
        const entry = next.history.at(-1);
        return sightings.length > 0 ? changeWith(read, next, entry, sightings) : change(read, next, entry);
      });
    },

    land: (from, fields) => change(from, { ...from, ...fields }),

    renew: (from, fields) => change(from, { ...from, ...fields }),

    handOff: (from, handOff) => change<Unerased['state']>(from, { ...from, handOff }),

    accept: (from, fields) => change(from, { ...from, ...fields, waitingFor: 'webhook' }),

    async refund(from) {
      const to = withRefund(from);
      const credit = { Update: giveCredit(creditsIn(), from.tenant) };
      const unmet = await transact(client, [{ Update: updateOf(from, to) }, credit]);
      return unmet
        ? { kind: 'lost', current: unmet[0]?.Item && recordOf(unmet[0].Item) }
        : { kind: 'moved', verification: to };
    },

    countPost: (from, fields) => change<'decided' | 'errored' | 'expired'>(from, { ...from, ...fields }),

    giveUpOrder: (from, fields) => change<'decided' | 'errored' | 'expired'>(from, withOrderGivenUp(from, fields)),

    async closeOrder(from, dueAt) {
      await change(from, withOrderClosed(from, dueAt));
    },

    writeDeletions: (from, fields) => change(from, { ...from, ...fields }),

    settle: (from) => change(from, withNothingDue(from, now())),

    async note(from, code, about = {}) {
      if (from.state === 'erased') return;
      const entry = notedEntry(from, code, about, now());
      if (from.notes < maximumNotes && (await append(from.verificationId, entry))) return;
      await update(
        from.verificationId,
        'ADD #notesDropped :one',
        'attribute_exists(verificationId) AND #state <> :erased',
        {
          names: { '#notesDropped': 'notesDropped', '#state': 'state' },
          values: { ':one': 1, ':erased': 'erased' },
        },
      );
    },

    list: (query) => listPage(query, (page) => client.send(new QueryCommand({ TableName: table, ...page }))),

    async failures({ subject, since, limit }) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: 'by_failed_subject',
          KeyConditionExpression: 'failedSubject = :subject AND updatedAt > :since',
          ExpressionAttributeValues: marshall({ ':subject': subject, ':since': since.toISOString() }),
          ScanIndexForward: false,
          Limit: limit,
        }),
      );
      return Items.map((item) => z.string().parse(unmarshall(item).updatedAt));
    },

    async due({ state: wanted, shard, now: at, limit, after }) {
      const dueShard = `${wanted}#${shard}`;
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: 'by_due',
          KeyConditionExpression: 'dueShard = :dueShard AND dueAt <= :now',
          ExpressionAttributeValues: marshall({
            ':dueShard': dueShard,
            ':now': Math.floor(at.getTime() / 1000),
          }),
          Limit: limit,
          ...(after && { ExclusiveStartKey: marshall({ dueShard, ...dueRow.parse(after) }) }),
        }),
      );
      return Items.map((item) => dueRow.parse(unmarshall(item)));
    },
  };

  /** False where the history already holds as many notes as it may, or the record is a tombstone. */
  function append(id: string, entry: HistoryEntry): Promise<boolean> {
    return update(
      id,
      'SET #history = list_append(#history, :entry), #notes = #notes + :one',
      'attribute_exists(verificationId) AND #notes < :maximum AND #state <> :erased',
      {
        names: { '#history': 'history', '#notes': 'notes', '#state': 'state' },
        values: { ':entry': [lineRow(entry)], ':one': 1, ':maximum': maximumNotes, ':erased': 'erased' },
      },
    );
  }

  async function update(
    id: string,
    expression: string,
    condition: string,
    { names, values }: { names: Record<string, string>; values: Record<string, unknown> },
  ): Promise<boolean> {
    try {
      const update = new UpdateItemCommand({
        TableName: table,
        Key: key(id),
        UpdateExpression: expression,
        ConditionExpression: condition,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: marshall(values, { removeUndefinedValues: true }),
      });
      await unlessInTransaction(() => client.send(update));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** The table's row: the record and the keys of its indexes, the sparse ones only where something is due or has failed. */
function rowOf(record: Verification): Record<string, unknown> {
  return {
    ...record,
    history: record.history.map(lineRow),
    ...('missing' in record ? { missing: new Set(record.missing) } : {}),
    tenantState: `${record.tenant}#${record.state}`,
    ...('dueAt' in record && record.dueAt !== undefined
      ? { dueShard: `${record.state}#${shardOf(record.verificationId)}` }
      : {}),
    ...(record.state === 'decided' && record.verdict.outcome === 'failed' ? { failedSubject: record.subject } : {}),
  };
}

/** The record of a row. `missing` is a set in the table, where sets are equal whatever their order. */
export function recordOf(item: Record<string, AttributeValue>): Verification {
  const row = unmarshall(item);
  const history = Array.isArray(row.history) ? row.history.map(lineOf) : row.history;
  if (!(row.missing instanceof Set)) return verification.parse({ ...row, history });
  return verification.parse({ ...row, history, missing: captureName.options.filter((name) => row.missing.has(name)) });
}

/** Names of what a line of history has as bytes in the table: 11 fewer each than as text, which kept the write units. */
const asBytes = ['digest', 'hash'] as const;

function lineRow(line: HistoryEntry): Record<string, unknown> {
  const bytes = asBytes.flatMap((name) => {
    const text = line[name];
    return text === undefined ? [] : [[name, Buffer.from(text, 'base64url')]];
  });
  return { ...line, ...Object.fromEntries(bytes) };
}

/** The table's stream has base64 where the SDK has bytes. */
function lineOf(line: Record<string, unknown>): Record<string, unknown> {
  const texts = asBytes.flatMap((name) => {
    const bytes = line[name];
    if (bytes instanceof Uint8Array) return [[name, Buffer.from(bytes).toString('base64url')]];
    return typeof bytes === 'string' ? [[name, Buffer.from(bytes, 'base64').toString('base64url')]] : [];
  });
  return { ...line, ...Object.fromEntries(texts) };
}

/** 128 bits of chance in 22 characters, of which a record always has one. */
const shortId = () => randomBytes(16).toString('base64url');

/** Which of the index's partitions a record is due in. The id is a hash: its last character spreads evenly. */
export function shardOf(id: string): number {
  return id.charCodeAt(id.length - 1) % dueShards;
}
