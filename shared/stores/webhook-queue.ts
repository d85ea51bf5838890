import { randomUUID } from 'node:crypto';
import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { endpointId, lanesPerEndpoint } from '../domain/endpoint.ts';
import { tolerant } from '../domain/later.ts';
import type { ReplayMessage, SenderMessage, WebhookMessage, WebhookQueue } from '../domain/ports.ts';
import { tenantId } from '../domain/verification.ts';
import { readDelivery } from './orders.ts';

/* Two queues bring the sender its work: the lanes of endpoints, which keep their order, and one that can delay a message. */

const webhook = tolerant({
  tenant: tenantId,
  event_id: z.string(),
  about: z.string(),
  endpoint_id: endpointId,
  failed: z.int().nonnegative(),
  due: z.int().optional(),
  again: tolerant({ kind: z.enum(['resend', 'replay']), id: z.string() }).optional(),
});

const replay = tolerant({ tenant: tenantId, endpoint_id: endpointId, replay_id: z.string() });

/** The body of a message, of an event or a replay: its turn has come in its lane, or its time has come to be put into one. */
const body = z.union([
  z.object({ webhook }),
  z.object({ later: webhook }),
  z.object({ replay }),
  z.object({ replay_later: replay }),
]);

/** What the sender is to do. A foreign message is a bug of ours: it ends with the dead letters. */
export function readSenderMessage(text: string): SenderMessage {
  const json: unknown = JSON.parse(text);
  if (typeof json === 'object' && json !== null && 'verification_id' in json) {
    return { kind: 'result', result: readDelivery(text) };
  }
  const read = body.parse(json);
  if ('replay' in read) return { kind: 'replay', replay: replayOf(read.replay) };
  if ('replay_later' in read) return { kind: 'replay_later', replay: replayOf(read.replay_later) };
  return 'webhook' in read
    ? { kind: 'webhook', webhook: webhookOf(read.webhook) }
    : { kind: 'later', webhook: webhookOf(read.later) };
}

/** SQS takes no more in one request. */
const perRequest = 10;

/** URLs of the queues: the lanes of endpoints, and where messages wait for their time. */
export interface SenderQueues {
  readonly webhooks: string;
  readonly deliveries: string;
}

export function sqsWebhooks(client: SQSClient, { webhooks, deliveries }: SenderQueues): WebhookQueue {
  async function later(written: z.input<typeof body>, DelaySeconds: number): Promise<void> {
    const MessageBody = JSON.stringify(written);
    await client.send(new SendMessageCommand({ QueueUrl: deliveries, MessageBody, DelaySeconds }));
  }
  return {
    async send(messages) {
      for (let start = 0; start < messages.length; start += perRequest) {
        const Entries = messages.slice(start, start + perRequest).map((message, index) => ({
          Id: String(index),
          MessageBody: JSON.stringify({ webhook: written(message) }),
          MessageGroupId: laneOf(message),
          MessageDeduplicationId: sameAs(message),
        }));
        const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: webhooks, Entries }));
        if (Failed.length > 0) throw new Error(`The queue of webhooks refused ${Failed.length} messages`);
      }
    },
    sendLater: (message, delaySeconds) => later({ later: written(message) }, delaySeconds),
    async goOn({ endpointId: endpoint_id, replayId: replay_id, ...others }, delaySeconds = 0) {
      const replay = { ...others, endpoint_id, replay_id };
      if (delaySeconds > 0) return later({ replay_later: replay }, delaySeconds);
      const lane = { MessageGroupId: replayLaneOf(endpoint_id), MessageDeduplicationId: randomUUID() };
      await client.send(
        new SendMessageCommand({ QueueUrl: webhooks, MessageBody: JSON.stringify({ replay }), ...lane }),
      );
    },
  };
}

/** Messages of one lane come one after the other. Replays have one of their own: they hold up nothing that happens now. */
export function laneOf({ endpointId: id, about, again }: WebhookMessage): string {
  if (again?.kind === 'replay') return replayLaneOf(id);
  return `${id}#${about.charCodeAt(about.length - 1) % lanesPerEndpoint}`;
}

const replayLaneOf = (id: string) => `${id}#replay`;

/** Of two messages that are called the same, SQS takes one within five minutes. */
export function sameAs({ eventId, endpointId: id, failed, due, again }: WebhookMessage): string {
  return [eventId, id, failed, ...(due === undefined ? [] : [due]), ...(again ? [again.id] : [])].join('.');
}

function written(message: WebhookMessage): z.input<typeof webhook> {
  const { eventId: event_id, endpointId: endpoint_id, ...others } = message;
  return { ...others, event_id, endpoint_id };
}

function webhookOf({ event_id: eventId, endpoint_id, ...message }: z.infer<typeof webhook>): WebhookMessage {
  return { ...message, eventId, endpointId: endpoint_id };
}

function replayOf({ endpoint_id, replay_id: replayId, ...message }: z.infer<typeof replay>): ReplayMessage {
  return { ...message, endpointId: endpoint_id, replayId };
}
