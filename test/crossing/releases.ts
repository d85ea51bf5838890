import { existsSync, mkdtempSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningStack, remove, startLocalStack } from '../journeys/local-stack.ts';
import { type LastRelease, lastRelease } from './last-release.ts';

export type Version = 'last' | 'current';

/** Two versions by turns on the same tables, queues and bucket: each is deployed in the place of the other. */
export interface Releases {
  readonly last: LastRelease;
  /** Whether a version reads what a later one wrote. */
  readonly isTolerant: (version: Version) => boolean;
  /** Deploys it, where it does not run already. */
  readonly deploy: (version: Version) => Promise<RunningStack>;
  /** kill -9 of what runs: queues and tables keep what they have. */
  readonly kill: () => Promise<void>;
  readonly end: () => Promise<void>;
}

export function releases(): Releases {
  const last = lastRelease();
  const data = mkdtempSync(join(tmpdir(), 'bonafide-crossing-'));
  const synthesis = join(data, 'cdk.out');
  const kept = (version: Version) => `${synthesis}-${version}`;
  let running: { readonly version: Version; readonly stack: RunningStack } | undefined;

  async function takeDown(how: 'stop' | 'kill'): Promise<void> {
    if (!running) return;
    await running.stack[how]();
    renameSync(synthesis, kept(running.version));
    running = undefined;
  }

  return {
    last,
    isTolerant: (version) => version === 'current' || last.isTolerant,
    async deploy(version) {
      if (running?.version === version) return running.stack;
      await takeDown('stop');
      if (existsSync(kept(version))) renameSync(kept(version), synthesis);
      const stack = await startLocalStack(data, version === 'last' ? { root: last.directory } : {});
      running = { version, stack };
      return stack;
    },
    kill: () => takeDown('kill'),
    async end() {
      await takeDown('stop');
      remove(data);
    },
  };
}
