import { fileURLToPath } from 'node:url';
import { SQSClient } from '@aws-sdk/client-sqs';
import { openEngine, warmUp } from '../../engine/engine.ts';
import { openedInInit } from '../../shared/lambda/init.ts';
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
const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** Lambda takes no notice of it: for the bench, which measures the first capture of a process. */
export const engine = openEngine({ modelsDirectory: beside(`${settings.MODELS}/`) });
await openedInInit(engine.then((opened) => warmUp(opened, beside('warm-up.jpg'))));

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
