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

/** The next version of it: the same service, but every function's code is another. */
export function makeNextVersion(): string {
  const directory = makeCheckout('next');
  const file = `${directory}/shared/lambda/log.ts`;
  const source = readFileSync(file, 'utf8');
  const changed = source.replace('JSON.stringify({ timestamp:', "JSON.stringify({ release: 'next', timestamp:");
  if (changed === source) throw new Error('shared/lambda/log.ts writes its lines in another way now');
  writeFileSync(file, changed);
  return directory;
}
