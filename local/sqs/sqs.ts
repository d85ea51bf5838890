import { buildApp } from 'fauxqs';

// fauxqs's own `startFauxqs` listens on every interface and leaves what was in flight at a kill invisible for its whole
// visibility timeout. Its parts below are not exported by name, so they are loaded by path; the version is pinned.

/** What the template says about a queue; attributes as CreateQueue takes them. */
export interface Queue {
  name: string;
  attributes: Record<string, string>;
}

export interface Sqs {
  endpoint: string;
  urlOf: (name: string) => string;
  stop: () => Promise<void>;
}

interface StoredMessage {
  approximateReceiveCount: number;
  messageGroupId?: string;
}

interface StoredQueue {
  name: string;
  url: string;
  messages: StoredMessage[];
  inflightMessages: Map<string, { message: StoredMessage }>;
  /** Of a FIFO queue: messages by group, and how many of each group are in flight. */
  fifoMessages: Map<string, StoredMessage[]>;
  fifoLockedGroups: Map<string, number>;
  persistence?: Persistence;
  setAttributes(attributes: Record<string, string>): void;
  dequeue(...parameters: unknown[]): unknown[];
}

interface SqsStore {
  queues: Map<string, StoredQueue>;
  persistence?: Persistence;
  getQueueByName(name: string): StoredQueue | undefined;
  createQueue(name: string, url: string, arn: string, attributes: Record<string, string>): StoredQueue;
}

interface Persistence {
  db: { exec(sql: string): void; prepare(sql: string): { run(...values: string[]): unknown } };
  loadSqsQueues(store: SqsStore): void;
  transaction(work: () => void): void;
  updateMessageReady(messageId: string): void;
  close(): void;
}

type Parts = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>;

export const accountId = '000000000000';

/** fauxqs's SQS on loopback, with its queues kept in a directory across restarts and kills. */
export async function startSqs(options: { directory: string; queues: Queue[]; region: string }): Promise<Sqs> {
  const { SqsStore } = (await part('sqs/sqsStore.js')) as { SqsStore: new () => SqsStore };
  const { PersistenceManager } = (await part('persistence.js')) as {
    PersistenceManager: new (directory: string) => Persistence;
  };
  const store = new SqsStore();
  const persistence = new PersistenceManager(options.directory);
  // Without syncing every commit: what has to be survived is a killed process, not a power cut.
  persistence.db.exec('PRAGMA synchronous = OFF');
  // As shipped this writes NULL over the receive count, which the schema refuses: the message would be lost.
  const makeReady = persistence.db.prepare(
    'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?',
  );
  persistence.updateMessageReady = (messageId) => void makeReady.run(messageId);

  // Loaded before persistence is attached: writing a queue again would cascade into deleting its messages.
  persistence.loadSqsQueues(store);
  store.persistence = persistence;

  // Only the SQS part of fauxqs is used, and buildApp brings its own idle rest.
  const app = buildApp({ logger: false, stores: { sqsStore: store } as unknown as Parts });
  app.addHook('preClose', (done) => {
    persistence.close();
    done();
  });
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  const urlOf = (name: string) => `${endpoint}/${accountId}/${name}`;

  for (const { name, attributes } of options.queues) {
    const known = store.getQueueByName(name);
    if (known) {
      store.queues.delete(known.url);
      known.url = urlOf(name);
      store.queues.set(known.url, known);
      known.persistence = persistence;
      known.setAttributes(attributes);
      returnInFlight(known);
    } else store.createQueue(name, urlOf(name), `arn:aws:sqs:${options.region}:${accountId}:${name}`, attributes);
  }
  for (const queue of store.queues.values()) receiveInOneTransaction(queue, persistence);

  return {
    endpoint,
    urlOf,
    stop: () => app.close(),
  };
}

/**
 * The consumers that had received these died with the process that is being restarted: no need to wait for a visibility
 * timeout, and the receive is taken back: a developer's kills must not send messages to the dead letters.
 */
function returnInFlight(queue: StoredQueue): void {
  for (const { message } of queue.inflightMessages.values()) {
    message.approximateReceiveCount = Math.max(0, message.approximateReceiveCount - 1);
    const group = message.messageGroupId;
    if (group === undefined) queue.messages.push(message);
    else queue.fifoMessages.set(group, [message, ...(queue.fifoMessages.get(group) ?? [])]); // it was the first
  }
  queue.inflightMessages.clear();
  queue.fifoLockedGroups.clear();
}

/** A move to the dead letters is a delete and an insert; a kill between them would lose the message. */
function receiveInOneTransaction(queue: StoredQueue, persistence: Persistence): void {
  const dequeue = queue.dequeue.bind(queue);
  queue.dequeue = (...parameters) => {
    if (queue.messages.length === 0 && queue.fifoMessages.size === 0) return dequeue(...parameters);
    let received: unknown[] = [];
    persistence.transaction(() => {
      received = dequeue(...parameters);
    });
    return received;
  };
}

function part(file: string): Promise<unknown> {
  return import(new URL(file, import.meta.resolve('fauxqs')).href);
}
