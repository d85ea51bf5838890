import { paginateScan } from '@aws-sdk/client-dynamodb';
import { verdictText } from '../../shared/api/verifications.ts';
import { announceAgain, type Span } from '../../shared/lifecycle/announce.ts';
import { eventBus } from '../../shared/stores/event-bus.ts';
import { dynamoKeptEvents } from '../../shared/stores/kept-events.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { recordOf } from '../../shared/stores/verifications.ts';
import { sqsWebhooks } from '../../shared/stores/webhook-queue.ts';
import { type Commands, timeIn } from './command.ts';
import type { Operations } from './operations.ts';

/** Records announced at the same time: the bus takes ten events in a request. */
const atOnce = 8;

export const eventsCommands: Commands = {
  'events replay': {
    words: 0,
    run: async (_, { connect, since, until = new Date().toISOString() }) => {
      if (since === undefined) throw new Error('Say since when: --since 2030-01-31T09:00:00Z');
      const span = { since: timeIn(since).toISOString(), until: timeIn(until).toISOString() };
      if (span.since >= span.until) throw new Error(`--since ${since} is not before --until ${until}`);
      const { announced, records, unnamed } = await replay((await connect()).operations(), span);
      console.log(`${announced} events of ${records} verifications, announced again under the ids they had.`);
      if (unnamed > 0) console.log(`${unnamed} erasures are not told: nothing is left that names what was erased.`);
    },
  },
};

/** Reads the whole table once: records keep what became of them, and no index has when they moved. */
async function replay(operations: Operations, span: Span) {
  const { dynamodb: client, tables } = operations;
  const announcing = announcingOf(operations);
  const tally = { announced: 0, records: 0, unnamed: 0 };
  const moved = {
    TableName: tables.verifications,
    FilterExpression: 'updatedAt >= :since',
    ExpressionAttributeValues: { ':since': { S: span.since } },
    ConsistentRead: true,
  };
  for await (const { Items = [] } of paginateScan({ client }, moved)) {
    for (let start = 0; start < Items.length; start += atOnce) {
      const records = Items.slice(start, start + atOnce).map((item) => recordOf(item));
      const told = await Promise.all(records.map((record) => announceAgain(record, span, announcing)));
      for (const { announced, unnamed } of told) {
        tally.announced += announced;
        tally.records += announced > 0 ? 1 : 0;
        tally.unnamed += unnamed;
      }
    }
  }
  return tally;
}

function announcingOf({ dynamodb: client, sqs, eventBridge, queues, tables, bus }: Operations) {
  const now = () => new Date();
  const url = (name: string): string => {
    const queue = queues.get(name)?.queue;
    if (!queue) throw new Error(`The stack tells no queue ${name}`);
    return queue;
  };
  return {
    put: eventBus(eventBridge, bus),
    endpoints: dynamoEndpoints({ client, table: tables.tenants, now }),
    keptEvents: dynamoKeptEvents(client, tables.events, now),
    webhooks: sqsWebhooks(sqs, { webhooks: url('webhooks'), deliveries: url('results') }),
    verdictText,
    now,
    log: { error: (_: string, error: unknown) => console.error(error instanceof Error ? error.name : error) },
  };
}
