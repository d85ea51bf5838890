import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What builds and other runs leave here: none of it is copied. */
const leftOut = ['.git', 'node_modules', 'build', 'cdk.out', '.bonafide', 'coverage', 'cdk-outputs.json'];

/**
 * A copy of this checkout to deploy from: what is edited meanwhile stays out of it, and the outputs of a real deployment
 * stay where they are.
 */
export function makeCheckout(name: string): string {
  const directory = resolve('build', 'deployed', name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const part of readdirSync('.').filter((each) => !leftOut.includes(each))) {
    cpSync(part, `${directory}/${part}`, { recursive: true });
  }
  mkdirSync(`${directory}/build`);
  for (const made of ['build/engine', 'build/compressed']) {
    mkdirSync(made, { recursive: true });
    symlinkSync(resolve(made), `${directory}/${made}`);
  }
  symlinkSync(resolve('node_modules'), `${directory}/node_modules`);
  return directory;
}

/** What every line of the next version's logs says. */
export const nextRelease = '"release":"next"';

/** What the next version writes in its records, and no version before knows. */
export const nextWord = 'begun_by_the_next_version';

/** By file: what the next version changes. Its log lines name it, and its records have one more code and one more field. */
const changes: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  'shared/lambda/log.ts': [['JSON.stringify({ timestamp:', "JSON.stringify({ release: 'next', timestamp:"]],
  'shared/domain/verification.ts': [
    ["  'capture_reused',\n]);", `  'capture_reused',\n  '${nextWord}',\n]);`],
    [
      "    state: 'awaiting_captures',\n    round: 1,\n  };",
      `    state: 'awaiting_captures',\n    round: 1,\n    code: '${nextWord}',\n  };`,
    ],
    ['  requestHash: z.string(),\n', `  requestHash: z.string(),\n  writtenBy: z.enum(['${nextWord}']).optional(),\n`],
  ],
  'shared/lifecycle/begin.ts': [
    ['    plan,\n    declared:', `    plan,\n    writtenBy: '${nextWord}',\n    declared:`],
  ],
};

/** The next version of it: the same service, but every function's code is another, and so is the schema of records. */
export function makeNextVersion(): string {
  const directory = makeCheckout('next');
  for (const [name, replaced] of Object.entries(changes)) {
    const file = `${directory}/${name}`;
    const source = readFileSync(file, 'utf8');
    const changed = replaced.reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${name} has no ${JSON.stringify(from)} any more`);
      return text.replace(from, to);
    }, source);
    writeFileSync(file, changed);
  }
  return directory;
}
