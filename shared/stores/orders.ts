import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { Orders, ResultMessage } from '../domain/ports.ts';
import { verificationId } from '../domain/verification.ts';

/** The body of a message that has an image fetched. */
const fetchMessage = z.object({ verification_id: verificationId });
/** The body of a message that has a result posted. */
const deliveryMessage = z.object({ verification_id: verificationId, failed_posts: z.int().nonnegative() });

/** Of which order to fetch the image. A foreign message is a bug of ours: it ends in the DLQ. */
export const readFetch = (body: string): string => fetchMessage.parse(JSON.parse(body)).verification_id;

export function readDelivery(body: string): ResultMessage {
  const { verification_id, failed_posts } = deliveryMessage.parse(JSON.parse(body));
  return { verificationId: verification_id, failedPosts: failed_posts };
}

/** URLs of the queues that a function sends to. */
export interface OrderQueues {
  readonly fetches?: string;
  readonly deliveries?: string;
  /** Of deliveries. */
  readonly undeliverable?: string;
}

export function sqsOrders(client: SQSClient, { fetches, deliveries, undeliverable }: OrderQueues): Orders {
  async function send(QueueUrl: string | undefined, body: object, DelaySeconds = 0): Promise<void> {
    if (!QueueUrl) throw new Error('The queue is not among those that this function was given');
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body), DelaySeconds }));
  }
  const written = ({ verificationId, failedPosts }: ResultMessage): z.input<typeof deliveryMessage> => ({
    verification_id: verificationId,
    failed_posts: failedPosts,
  });
  return {
    fetch: (verificationId) => send(fetches, { verification_id: verificationId }),
    deliver: (delivery, delaySeconds) => send(deliveries, written(delivery), delaySeconds),
    giveUp: (delivery) => send(undeliverable, written(delivery)),
  };
}
