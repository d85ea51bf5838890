import type { SenderMessage } from '../domain/ports.ts';
import { type Delivering, deliverResult } from './deliver.ts';
import { goOnWithReplay, type Replaying } from './replay.ts';
import { type SendingWebhook, sendWebhook } from './send-webhook.ts';

export type CarryingOut = Delivering & SendingWebhook & Replaying;

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
      return goOnWithReplay(message.replay, dependencies);
    case 'replay_later':
      return dependencies.webhooks.goOn(message.replay);
  }
}
