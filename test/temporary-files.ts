import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whatever a test, or a process it starts, writes to the temporary directory goes with the run. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-test-'));
  process.env.TMPDIR = directory;
  process.env.NODE_COMPILE_CACHE = join(directory, 'compiled'); // the SDK and CDK: hundreds of processes load them
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
