import { holdBackWrites, type PendingWrites } from './atomic-writes.ts';
import { type Answer, DynamoDbError, type Item, type Request, run, type Store } from './dynalite.ts';

const operationOf: Record<string, string> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  // dynalite has no condition check. A delete evaluates the same condition, and its writes are dropped.
  ConditionCheck: 'DeleteItem',
};

/** Runs every action of a TransactWriteItems and returns what to commit, or throws TransactionCanceledException. */
export async function prepareTransaction(store: Store, request: Request): Promise<PendingWrites> {
  const actions = (request.TransactItems ?? []) as Record<string, Request>[];
  if (actions.length < 1 || actions.length > 100) {
    throw DynamoDbError.of('ValidationException', 'Member must have length between 1 and 100');
  }
  const all: PendingWrites = { store, batch: [], items: new Map() };
  const keys = new Set<string>();
  const reasons: Answer[] = [];

  for (const action of actions) {
    const [kind, parameters] = Object.entries(action)[0] ?? ['', {}];
    const operation = operationOf[kind];
    if (!operation) throw DynamoDbError.of('ValidationException', `Unknown transaction action ${kind}`);
    const held = holdBackWrites(store);
    reasons.push(await reasonOf(held, operation, parameters));
    for (const [key, change] of held.items) {
      if (keys.has(key)) {
        const message = 'Transaction request cannot include multiple operations on one item';
        throw DynamoDbError.of('ValidationException', message);
      }
      keys.add(key);
      if (kind !== 'ConditionCheck') all.items.set(key, change);
    }
    if (kind !== 'ConditionCheck') all.batch.push(...held.batch);
  }

  if (reasons.some(({ Code }) => Code !== 'None')) {
    const codes = reasons.map(({ Code }) => Code).join(', ');
    const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
    throw DynamoDbError.of('TransactionCanceledException', message, { CancellationReasons: reasons });
  }
  return all;
}

async function reasonOf(held: PendingWrites, operation: string, parameters: Request): Promise<Answer> {
  try {
    await run(held.store, operation, parameters);
    return { Code: 'None' };
  } catch (error) {
    if (!(error instanceof DynamoDbError)) throw error;
    if (error.type !== 'ConditionalCheckFailedException') return { Code: 'ValidationError', Message: error.message };
    return { Code: 'ConditionalCheckFailed', Message: error.message, ...oldItem(parameters, held) };
  }
}

/** The item a failed condition saw, where the caller asked for it. */
export function oldItem(request: Request, held: PendingWrites): { Item?: Item } {
  if (request.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD') return {};
  const [change] = held.items.values();
  return change?.before ? { Item: change.before } : {};
}
