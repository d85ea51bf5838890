import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A lock without a reference to it would be collected, and with it let go. */
const held = new Set<DatabaseSync>();

/**
 * Takes a data directory for this process. The lock is the operating system's, on an SQLite file, and so ends with
 * the process however that ends: nothing is left behind by a kill that would have to be cleared away.
 */
export function lockData(directory: string): { release: () => void } {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pidFile = path.join(directory, 'pid');
  const lock = new DatabaseSync(path.join(directory, 'lock.db'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch {
    lock.close();
    throw new Error(
      `${directory} is in use by process ${owner(pidFile)}: stop it, or set BONAFIDE_DATA to another folder`,
    );
  }
  held.add(lock);
  writeFileSync(pidFile, String(process.pid));
  return {
    release() {
      rmSync(pidFile, { force: true });
      lock.close();
      held.delete(lock);
    },
  };
}

function owner(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8');
  } catch {
    return 'another';
  }
}
