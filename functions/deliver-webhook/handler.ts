import { randomBytes } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { fetcher } from '../../shared/fetching.ts';
import { log } from '../../shared/lambda/log.ts';
import { measure } from '../../shared/lambda/metrics.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { carryOut } from '../../shared/lifecycle/carry-out.ts';
import { writeResult } from '../../shared/providers/identify/speech.ts';
import { limits } from '../../shared/stores/limits.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';
import { connectSender } from '../../shared/stores/sending.ts';
import { readSenderMessage } from '../../shared/stores/webhook-queue.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { delayAfter, nextTryAfter } from '../../shared/webhooks/schedule.ts';
import { sealsUnder } from '../../shared/webhooks/seal.ts';
import { webhookSender } from '../../shared/webhooks/send.ts';
import { signedSender, webhookSigner } from '../../shared/webhooks/sign.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const key = signingSecret(settings.ENDPOINT_KEY_SECRET, new SecretsManagerClient(limits), now);
  const stranger = fetcher({ loopback: settings.LOOPBACK === 'true' });
  const sign = webhookSigner(sealsUnder(key, randomBytes));
  return {
    ...connectSender(settings, now),
    ...{ post: webhookSender(stranger), postSigned: signedSender(stranger, sign, now) },
    ...{ bodyOf, nextTryAfter, writeResult, delayAfter, random: Math.random, now, log, measure },
  };
}

export const handler = queue(connect, (body, dependencies) => carryOut(readSenderMessage(body), dependencies));
