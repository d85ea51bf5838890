import type { SenderMessage } from '../domain/ports.ts';
import { type Delivering, deliverResult } from './deliver.ts';
import { type SendingWebhook, sendWebhook } from './send-webhook.ts';

export type CarryingOut = Delivering & SendingWebhook;

/** Does what a message asks of the sender. */
export async function carryOut(message: SenderMessage, dependencies: CarryingOut): Promise<void> {
  switch (message.kind) {
    case 'result':
      return deliverResult(message.result, dependencies);
    case 'webhook':
      return sendWebhook(message.webhook, dependencies);
    case 'later':
      return dependencies.webhooks.send([message.webhook]);
    case 'replay':
      throw new Error('No replay is begun by this version');
  }
}
