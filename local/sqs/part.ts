import path from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Part } from '../part.ts';
import type { Credentials } from '../s3/signature.ts';
import { region, type Template } from '../template.ts';
import { type Queue, type Sqs, startSqs } from './sqs.ts';

/** The queues, in `sqs/` of the data directory, and a client for them. */
export const sqs: Part<{ credentials: Credentials }, { sqs: Sqs; sqsClient: SQSClient }> = async (
  { template, dataDirectory, targets },
  { credentials },
) => {
  const started = await startSqs({ directory: path.join(dataDirectory, 'sqs'), queues: queuesOf(template), region });
  const client = new SQSClient({ endpoint: started.endpoint, region, credentials });
  for (const queue of template.ofType('AWS::SQS::Queue')) {
    const url = started.urlOf(queue.name);
    template.setReference(queue, url);
    template.setAttribute(queue, 'QueueUrl', url);
    targets.set(queue.arn, async (payload) => {
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(payload) }));
    });
  }
  return { gives: { sqs: started, sqsClient: client }, stop: started.stop };
};

function queuesOf(template: Template): Queue[] {
  const plain = [
    'VisibilityTimeout',
    'DelaySeconds',
    'MaximumMessageSize',
    'MessageRetentionPeriod',
    'ReceiveMessageWaitTimeSeconds',
    'FifoQueue',
    'ContentBasedDeduplication',
  ];
  return template.ofType('AWS::SQS::Queue').map((resource) => {
    const properties = template.properties(resource);
    const given = plain.filter((name) => properties[name] !== undefined);
    const attributes = Object.fromEntries(given.map((name) => [name, String(properties[name])]));
    if (properties.RedrivePolicy) attributes.RedrivePolicy = JSON.stringify(properties.RedrivePolicy);
    return { name: resource.name, attributes };
  });
}
