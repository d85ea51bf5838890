import { fileURLToPath } from 'node:url';
import { SQSClient } from '@aws-sdk/client-sqs';
import { openEngine } from '../../engine/engine.ts';
import { log } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';
import { type Asking, askProvider } from '../../shared/lifecycle/ask.ts';
import { openGate } from '../../shared/lifecycle/gate.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { builtinProvider } from '../../shared/providers/builtin/provider.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { connectJudging } from '../../shared/stores/judging.ts';
import { limits } from '../../shared/stores/limits.ts';
import { providerQueues, readWork, sqsSend } from '../../shared/stores/queues.ts';
import { environment } from './environment.ts';

const settings = environment.parse(process.env);
const now = () => new Date();
// Models load while the container starts, so loading does not delay the first verdict.
const modelsDirectory = fileURLToPath(new URL(`${settings.MODELS}/`, import.meta.url));
const engine = openEngine({ modelsDirectory, now: () => performance.now() });
engine.catch(() => undefined); // each message that awaits it fails with the reason

const connect = (): Asking => ({
  ...connectJudging(settings, now),
  captures: connectCaptures(settings),
  provider: builtin,
  open: async () => builtinProvider(() => engine),
  gate: () => openGate,
  reference: () => Promise.reject(new Error('The built-in engine sends no webhooks')),
  send: sqsSend(new SQSClient(limits), providerQueues.parse(settings.PROVIDER_QUEUES)),
  now,
  random: Math.random,
  log,
});

// Frozen after the answer, decoders that are starting would hold up the next verification.
const prepared = () => engine.then((opened) => opened.prepared()).catch(() => undefined);
export const handler = queue(connect, (body, work) => askProvider(readWork(body), work).finally(prepared));
