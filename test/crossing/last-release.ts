import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The release before this one, as it was committed. */
export interface LastRelease {
  readonly commit: string;
  /** Its sources, with our packages and the engine's parts beside them. */
  readonly directory: string;
  /**
   * Whether it reads what a later version wrote. The first release that does is the one after `b59c6dc`: from then on it
   * is crossed with words that it does not know, too; until then the current version stands on both sides for those.
   */
  readonly isTolerant: boolean;
}

/** `test/crossing/last-release` names the commit: the operator who makes a release writes its commit there. */
export function lastRelease(root = resolve('.')): LastRelease {
  const commit = readFileSync(join(root, 'test/crossing/last-release'), 'utf8').trim();
  if (!hasCommit(root, commit)) {
    throw new Error(
      `This checkout has no commit ${commit}, which test/crossing/last-release names: git fetch --unshallow`,
    );
  }
  const directory = join(root, 'build/crossing', commit.slice(0, 12));
  if (!existsSync(directory)) layOut(root, commit, directory);
  return { commit, directory, isTolerant: existsSync(join(directory, 'shared/domain/later.ts')) };
}

function hasCommit(root: string, commit: string): boolean {
  try {
    execFileSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whole or not at all: a run that was ended leaves nothing that looks finished. */
function layOut(root: string, commit: string, directory: string): void {
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(join(unfinished, 'build'), { recursive: true });
  const sources = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 512 * 1024 * 1024 });
  execFileSync('tar', ['-x', '-C', unfinished], { input: sources });
  for (const made of ['node_modules', 'build/engine', 'build/compressed']) {
    symlinkSync(join(root, made), join(unfinished, made));
  }
  renameSync(unfinished, directory);
}

/** Bundles one of its functions as it was bundled then; the file. */
export function bundleOf({ directory }: LastRelease, name: string): string {
  const to = join(directory, 'build/bundles', name);
  const file = join(to, 'index.mjs');
  if (existsSync(file)) return file;
  const script = `import { bundleFunction } from './infra/bundle.ts'; bundleFunction(${JSON.stringify(name)}, ${JSON.stringify(to)});`;
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: directory });
  return file;
}
