/** Trials of robustness in processes of their own: models run on one processor of a process, and there are thousands. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import sharp from 'sharp';
import { openEngine, type Thresholds } from '../../engine/engine.ts';
import { decoders } from './decoders.ts';
import { type Tried, type TryRows, tryTransforms } from './robustness.ts';

interface Share {
  readonly rows: Parameters<TryRows>[0];
  readonly directory: string;
  readonly modelsDirectory: string;
  readonly thresholds: Thresholds;
}

interface Answer {
  readonly tried: (Tried | undefined)[];
  readonly processorSeconds: number;
}

/** `tryTransforms` in a process for each processor. `took` is told the processor seconds of each. */
export const tryInProcesses =
  (work: Omit<Share, 'rows'>, took: (processorSeconds: number) => void): TryRows =>
  async (rows) => {
    // Dealt like cards: neighbours in the list are alike, and take alike.
    const hands = [...Array(Math.min(availableParallelism(), rows.length)).keys()];
    const answers = await Promise.all(
      hands.map((hand) => tryElsewhere({ ...work, rows: rows.filter((_, at) => at % hands.length === hand) })),
    );
    for (const { processorSeconds } of answers) took(processorSeconds);
    return rows.map((_, at) => answers[at % hands.length]?.tried[Math.floor(at / hands.length)]);
  };

async function tryElsewhere(share: Share): Promise<Answer> {
  const child = fork(import.meta.filename, { serialization: 'advanced' });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`A process that tried transforms ended with ${signal ?? code}`);
  });
  child.send(share);
  const [answer] = await Promise.race([once(child, 'message') as Promise<[Answer]>, ended]);
  ended.catch(() => undefined);
  return answer;
}

if (import.meta.main) {
  process.once('message', async ({ rows, modelsDirectory, ...trials }: Share) => {
    sharp.concurrency(1);
    const engine = await openEngine({ modelsDirectory, decoders });
    const tried = await tryTransforms(rows, { ...trials, engine });
    const { user, system } = process.cpuUsage();
    process.send?.({ tried, processorSeconds: (user + system) / 1e6 } satisfies Answer, () => process.exit());
  });
}
