import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSEvent } from 'aws-lambda';
import { consumeQueue } from '../local/event-sources/queue-source.ts';
import { startSqs } from '../local/sqs/sqs.ts';
import { verdictText } from '../shared/api/verifications.ts';
import { type Endpoint, lanesPerEndpoint } from '../shared/domain/endpoint.ts';
import type { Endpoints, Log, Verifications } from '../shared/domain/ports.ts';
import { fetcher } from '../shared/fetching.ts';
import { queue } from '../shared/lambda/queue.ts';
import { type Announcing, announceChanges, type Change } from '../shared/lifecycle/announce.ts';
import { sendWebhook } from '../shared/lifecycle/send-webhook.ts';
import { dynamoDeliveries } from '../shared/stores/deliveries.ts';
import { dynamoKeptEvents } from '../shared/stores/kept-events.ts';
import { dynamoOutcomes } from '../shared/stores/outcomes.ts';
import { dynamoEndpoints } from '../shared/stores/tenants/endpoints.ts';
import { dynamoVerifications } from '../shared/stores/verifications.ts';
import { readSenderMessage, sqsWebhooks } from '../shared/stores/webhook-queue.ts';
import { bodyOf } from '../shared/webhooks/body.ts';
import { nextTryAfter } from '../shared/webhooks/schedule.ts';
import { signedSender, webhookSigner } from '../shared/webhooks/sign.ts';
import { aSealedEndpoint, seals } from '../test/builders/sealed.ts';
import { anAwaitingVerification, landedFor } from '../test/builders/verification.ts';
import { startTables } from '../test/stores/table.ts';
import { commandLine } from '../tools/command-line.ts';
import { percentile, perRun } from './requests.ts';

const tenants = 10;
const endpointsPerTenant = 5;
/** `webhookConcurrency` as it is deployed without a setting. */
const concurrency = 20;
/** Of the table's stream. */
const changesPerBatch = 100;
/**
 * Deliveries under way at a time: half of what the sender takes at once. A deployment that is always full loses the share
 * of a dead endpoint's lanes for as long as they wait, 4 of 20, whatever the rest does.
 */
const outstanding = concurrency / 2;
/** Of a run that only warms what is measured. */
const warmDeliveries = 200;
/** How long a receiver thinks. */
const answerMilliseconds = 20;

interface Size {
  readonly deliveries: number;
  /** Pairs of runs, one without a dead endpoint and one with it. */
  readonly pairs: number;
}
const whole: Size = { deliveries: 10_000, pairs: 3 };
const quick: Size = { deliveries: 1000, pairs: 1 };

/**
 * What webhooks cost, and what an endpoint that never answers costs the others: the real announcing and sending acts, the
 * embedded DynamoDB and SQS, the local event source. The time from a move's commit to an endpoint's first call has in it
 * all but the stream's own delay.
 */
export async function benchWebhooks(isQuick: boolean) {
  const { deliveries, pairs } = isQuick ? quick : whole;
  const runs: { without: Run; withDead: Run }[] = [];
  await run(warmDeliveries, false);
  for (let pair = 0; pair < pairs; pair += 1) {
    const deadFirst = pair % 2 === 1; // alternating: a machine that slows down meets both alike
    const first = await run(deliveries, deadFirst);
    const second = await run(deliveries, !deadFirst);
    runs.push(deadFirst ? { without: second, withDead: first } : { without: first, withDead: second });
  }
  const p99 = (of: keyof (typeof runs)[number]) => median(runs.map((pair) => pair[of].p99));
  return {
    deliveries,
    endpoints: tenants * endpointsPerTenant,
    commit_to_first_attempt_ms: {
      p50: median(runs.map(({ without }) => without.p50)),
      p99: p99('without'),
      p99_beside_a_dead_endpoint: p99('withDead'),
      times: Number((p99('withDead') / p99('without')).toFixed(2)),
      bound: 1.2,
      runs: runs.map(({ without, withDead }) => [without.p99, withDead.p99]),
    },
    open_calls_of_the_dead_endpoint: {
      most: Math.max(...runs.map(({ withDead }) => withDead.mostOpen)),
      bound: lanesPerEndpoint,
    },
    requests: runs[0]?.without.requests,
  };
}

interface Run {
  readonly p50: number;
  readonly p99: number;
  /** Calls that the endpoint which never answers had open at a time, as it counts. */
  readonly mostOpen: number;
  readonly requests: Awaited<ReturnType<typeof perUnit>>;
}

/** Sends so many events, on tables and queues of its own, until every endpoint that answers has been called for each. */
async function run(deliveries: number, withDead: boolean): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-webhooks-'));
  const tables = await startTables();
  const sqs = await startSqs({ directory, region, queues });
  const receivers = await openReceivers();
  try {
    const at = connect(tables.server.endpoint, sqs);
    const made = await makeEndpoints(at.endpoints, receivers.url);
    const [dead] = withDead ? made : [];
    receivers.neverAnswers(dead?.id);
    const events = deliveries / endpointsPerTenant;
    // Tenants take turns, and the dead endpoint is the first tenant's.
    const expectedAfter = (count: number) => count * endpointsPerTenant - (dead ? Math.ceil(count / tenants) : 0);

    const changes: Change[] = [];
    const committed = new Map<string, number>();
    const ended = new AbortController();
    const announcing = announce(changes, at.announcing, ended.signal);
    const consumers = [
      { name: 'webhooks.fifo', concurrency },
      { name: 'deliveries', concurrency: 2 },
    ].map((source) => consumeQueue(at.polling, { ...mapping(sqs.urlOf(source.name), at.handler), ...source }));
    for (let event = 0; event < events; event += 1) {
      // As fast as the machine goes, and no backlog is what is timed.
      while (expectedAfter(event) - receivers.called.size > outstanding) await setTimeout(1);
      const change = await commit(event, at.verifications);
      committed.set(`evt_${change.after?.verificationId}_${change.after?.sequence}`, performance.now());
      changes.push(change);
    }
    while (receivers.called.size < expectedAfter(events)) await setTimeout(20);
    ended.abort();
    await announcing;
    receivers.stop(); // ends the calls of the dead one
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    for (const client of at.clients) client.destroy(); // the queue's server waits for its connections to end

    const milliseconds = [...receivers.called].map(([call, calledAt]) => {
      const [eventId = ''] = call.split(' ');
      return calledAt - (committed.get(eventId) ?? Number.NaN);
    });
    return {
      p50: percentile(milliseconds, 0.5),
      p99: percentile(milliseconds, 0.99),
      mostOpen: receivers.mostOpen(),
      requests: perUnit(at.counts, { events, deliveries }),
    };
  } finally {
    receivers.stop();
    await sqs.stop();
    await tables.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const region = 'us-east-1';
const queues: { name: string; attributes: Record<string, string> }[] = [
  {
    name: 'webhooks.fifo',
    attributes: {
      FifoQueue: 'true',
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
      VisibilityTimeout: '120',
    },
  },
  { name: 'deliveries', attributes: { VisibilityTimeout: '120' } },
];

const mapping = (queueUrl: string, invoke: (event: unknown) => Promise<unknown>) => ({
  ...{ queueUrl, queueArn: '', region, batchSize: 1, windowSeconds: 0, reportsFailures: true, filters: [], invoke },
});

type Counts = Record<string, number>;

/** The functions' parts, each with clients of its own whose requests are counted. */
function connect(tablesEndpoint: string, sqs: { endpoint: string; urlOf: (name: string) => string }) {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const counts = { announcing: {} as Counts, sending: {} as Counts, polling: {} as Counts };
  const clients: { destroy: () => void }[] = [];
  const connected = <Client extends DynamoDBClient | SQSClient>(client: Client, of?: Counts): Client => {
    clients.push(client);
    return counting(client, of);
  };
  const dynamo = (of?: Counts) => connected(new DynamoDBClient({ endpoint: tablesEndpoint, region, credentials }), of);
  const sqsClient = (of: Counts) => connected(new SQSClient({ endpoint: sqs.endpoint, region, credentials }), of);
  const queueUrls = { webhooks: sqs.urlOf('webhooks.fifo'), deliveries: sqs.urlOf('deliveries') };
  const now = () => new Date();
  let ids = 0;
  const stores = (of: Counts) => {
    const client = dynamo(of);
    return {
      endpoints: dynamoEndpoints({ client, table: 'tenants', now }),
      keptEvents: dynamoKeptEvents(client, 'events', now),
      deliveries: dynamoDeliveries(client, 'deliveries', now),
      outcomes: dynamoOutcomes(client, 'outcomes', now),
      webhooks: sqsWebhooks(sqsClient(of), queueUrls),
    };
  };
  const put = async () => [];
  const orders = { deliver: async () => undefined };
  const sending = {
    ...stores(counts.sending),
    ...{ postSigned: signedSender(fetcher({ loopback: true }), webhookSigner(seals), now), bodyOf, nextTryAfter },
    ...{ put, now, log: silent, measure, random: Math.random },
  };
  const handle = queue(
    () => sending,
    async (body, dependencies) => {
      const message = readSenderMessage(body);
      if (message.kind === 'webhook') await sendWebhook(message.webhook, dependencies);
      if (message.kind === 'later') await dependencies.webhooks.send([message.webhook]);
    },
  );
  return {
    counts,
    clients,
    endpoints: dynamoEndpoints({ client: dynamo(), table: 'tenants', now }),
    verifications: dynamoVerifications({ client: dynamo(), table: 'verifications', now, newId: () => `id-${++ids}` }),
    announcing: { ...stores(counts.announcing), put, orders, verdictText, now, log: silent, measure },
    handler: (event: unknown) => handle(event as SQSEvent, {} as Context),
    polling: sqsClient(counts.polling),
  };
}

const silent: Log = { info: () => undefined, warn: () => undefined, error: console.error };
const measure = () => undefined;

/** Counts a client's requests by their names; a receive only where it brought a message. */
function counting<Client extends DynamoDBClient | SQSClient>(client: Client, counts?: Counts): Client {
  (client as SQSClient).middlewareStack.add(
    (next, { commandName = '' }) =>
      async (given) => {
        const answer = await next(given);
        const { Messages } = answer.output as { Messages?: unknown[] };
        const name = commandName.replace('Command', '');
        const isEmpty = name === 'ReceiveMessage' && (Messages ?? []).length === 0;
        if (counts && !isEmpty) counts[name] = (counts[name] ?? 0) + 1;
        return answer;
      },
    { step: 'initialize', name: 'counting' },
  );
  return client;
}

function perUnit(
  counts: Readonly<Record<'announcing' | 'sending' | 'polling', Counts>>,
  of: Record<'events' | 'deliveries', number>,
) {
  return {
    announcing_an_event: perRun(counts.announcing, of.events),
    sending_a_delivery: perRun(counts.sending, of.deliveries),
    event_source_a_delivery: perRun(counts.polling, of.deliveries),
  };
}

async function makeEndpoints(endpoints: Endpoints, url: string): Promise<Endpoint[]> {
  const made: Endpoint[] = [];
  for (let index = 0; index < tenants * endpointsPerTenant; index += 1) {
    const sealed = await aSealedEndpoint({ tenant: tenantOf(index) });
    const endpoint = { ...sealed.endpoint, url: `${url}/${sealed.endpoint.id}` };
    await endpoints.create(endpoint);
    made.push(endpoint);
  }
  return made;
}

const tenantOf = (index: number) => `tenant-${index % tenants}`;

/** A verification that is begun and moved: its change, as the table's stream has it. */
async function commit(index: number, verifications: Verifications): Promise<Change> {
  const before = anAwaitingVerification({ sourceId: `bench-${index}`, tenant: tenantOf(index) });
  await verifications.create(before);
  const landed = landedFor('spoof_detect');
  const moved = await verifications.move(before, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (moved.kind === 'lost') throw new Error('Not moved');
  return { sequenceNumber: String(index), before, after: moved.verification };
}

/** One batch of changes after the other, as the stream of one shard hands them over. */
async function announce(changes: Change[], dependencies: Announcing, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    const batch = changes.splice(0, changesPerBatch);
    if (batch.length === 0) await setTimeout(5);
    else if ((await announceChanges(batch, dependencies)).failed !== undefined) throw new Error('Not announced');
  }
}

/** Fifty receivers on one port, each at a path of its own. */
async function openReceivers() {
  const called = new Map<string, number>();
  let dead: string | undefined;
  let open = 0;
  let mostOpen = 0;
  const server = createServer((request, response) => {
    const calledAt = performance.now();
    if (request.url === `/${dead}`) {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      response.on('close', () => (open -= 1));
      return;
    }
    const call = `${request.headers['webhook-id']} ${request.url}`;
    if (!called.has(call)) called.set(call, calledAt);
    request.resume();
    void setTimeout(answerMilliseconds).then(() => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** When each endpoint that answers was first called for an event. */
    called,
    neverAnswers: (id: string | undefined) => {
      dead = id;
    },
    mostOpen: () => mostOpen,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const median = (values: readonly number[]) => percentile(values, 0.5);

if (import.meta.main) {
  const usage = 'node bench/webhooks.ts [--quick]\n\nWhat webhooks cost, and what a dead endpoint costs the others.';
  const { values } = commandLine(usage, { options: { quick: { type: 'boolean', default: false } } });
  console.dir(await benchWebhooks(values.quick), { depth: null });
  process.exit(0);
}
