import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { edited, type Step } from './recipes.ts';

/** What a command came to. */
export interface Ran {
  readonly succeeded: boolean;
  readonly output: string;
}

/** A copy of this working tree in which recipes are followed. It borrows what is installed and what is built. */
export interface WorkingCopy {
  readonly directory: string;
  /** Carries out a step. A command that fails counts for what it did until then: checks find out. */
  readonly follow: (steps: readonly Step[]) => void;
  readonly edit: (file: string, change: (text: string) => string) => void;
  readonly run: (command: string) => Ran;
  /** `tsc`, or the path of a test. */
  readonly check: (guard: string) => Ran;
  /** Files that differ from this working tree. */
  readonly touched: () => string[];
  /** Undoes everything. */
  readonly reset: () => void;
}

export function workingCopy(): WorkingCopy {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-recipe-'));
  const at = (file: string) => join(directory, file);
  const git = (...words: string[]) => execFileSync('git', words, { cwd: directory, encoding: 'utf8' });
  for (const file of filesOfThisTree()) {
    mkdirSync(dirname(at(file)), { recursive: true });
    cpSync(file, at(file), { verbatimSymlinks: true });
  }
  git('init', '--quiet');
  writeFileSync(at('.git/info/exclude'), 'node_modules\n');
  git('add', '--all');
  git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '--message', 'before');
  symlinkSync(resolve('node_modules'), at('node_modules'));
  mkdirSync(at('build'));
  for (const built of ['build/engine', 'build/client-types']) {
    if (existsSync(built)) symlinkSync(resolve(built), at(built));
  }

  const run = (command: string): Ran => {
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', command], {
      cwd: directory,
      encoding: 'utf8',
      env: environmentOfAShell(),
      maxBuffer: 64 * 1024 * 1024,
    });
    return { succeeded: status === 0, output: `${stdout}${stderr}` };
  };
  const read = (file: string) => (existsSync(at(file)) ? readFileSync(at(file), 'utf8') : undefined);
  const write = (file: string, text: string) => {
    mkdirSync(dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
  };
  return {
    directory,
    follow: (steps) => {
      for (const step of steps) {
        if (step.kind === 'run') run(step.text);
        else write(step.file, edited(read(step.file), step));
      }
    },
    edit: (file, change) => {
      const before = read(file) ?? '';
      const after = change(before);
      if (after === before) throw new Error(`${file} is as it was`);
      write(file, after);
    },
    run,
    check: (guard) =>
      guard === 'tsc'
        ? run('npx tsc --noEmit --incremental --tsBuildInfoFile build/tsc.json')
        : run(`npx vitest run ${guard}`),
    touched: () => {
      git('add', '--all');
      return git('diff', '--cached', '--name-only').trim().split('\n').filter(Boolean);
    },
    reset: () => {
      git('reset', '--quiet', '--hard');
      git('clean', '--quiet', '--force', '-d');
    },
  };
}

/** Every file that is, or could be, committed. */
function filesOfThisTree(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed.split('\0').filter((file) => file !== '' && existsSync(file));
}

/** As in a shell of its own: what vitest tells its workers is not for the vitest that is started there. */
function environmentOfAShell(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|VITE_|NODE_ENV$|NODE_OPTIONS$|TEST$)/.test(name),
  );
  const local = join(resolve('node_modules'), '.bin');
  return { ...Object.fromEntries(kept), NO_COLOR: '1', PATH: `${local}:${process.env.PATH}` };
}
