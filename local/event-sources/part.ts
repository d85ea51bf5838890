import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDb } from '../dynamodb/dynamodb.ts';
import type { Functions } from '../functions/part.ts';
import { deliver, type Part } from '../part.ts';
import type { Sqs } from '../sqs/sqs.ts';
import { region } from '../template.ts';
import { queueMappingsOf, streamMappingsOf } from './mappings.ts';
import { consumeQueue } from './queue-source.ts';
import { consumeStream } from './stream-source.ts';

interface Needs {
  dynamoDb: DynamoDb;
  functions: Functions;
  sqs: Sqs;
  sqsClient: SQSClient;
}

/** What brings messages of queues and changes of tables to functions. */
export const eventSources: Part<Needs, unknown> = async (setup, { dynamoDb, functions, sqs, sqsClient }) => {
  const queues = queueMappingsOf(setup.template, (arn) => functions.of(arn).concurrency);
  const streams = [];
  for (const { table, readerName, ...source } of streamMappingsOf(setup.template)) {
    streams.push({ ...source, table, reader: await dynamoDb.changes(table, readerName) });
  }

  const consumers: { stop: () => Promise<void> }[] = [];
  for (const { functionArn, queueName, ...source } of queues) {
    const { invoke } = functions.of(functionArn);
    consumers.push(consumeQueue(sqsClient, { ...source, queueUrl: sqs.urlOf(queueName), region, invoke }));
  }
  for (const { table, reader, failureQueueArn, ...source } of streams) {
    const { invoke } = functions.of(source.functionArn);
    const onFailure = failureQueueArn
      ? (description: unknown) => deliver(setup, failureQueueArn, description)
      : undefined;
    const consumer = consumeStream(reader, { ...source, region, invoke, onFailure });
    dynamoDb.onChange((change) => change.table === table && consumer.wake());
    consumers.push(consumer);
  }
  return {
    gives: {},
    async drain() {
      await Promise.all(consumers.map(({ stop }) => stop()));
    },
  };
};
