import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { lockData } from '../../local/data-lock.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

it('a data directory has one owner, who is named, and none after a kill', async () => {
  const directory = temporaryDirectory();
  const script = path.join(directory, 'owner.ts');
  const lockModule = path.join(import.meta.dirname, '../../local/data-lock.ts');
  writeFileSync(
    script,
    `import { lockData } from ${JSON.stringify(lockModule)};
     lockData(process.argv[2]); process.send?.('locked'); setInterval(() => {}, 1000);`,
  );
  const data = path.join(directory, 'data');
  const owner = fork(script, [data]);
  onTestFinished(() => void owner.kill('SIGKILL'));
  await once(owner, 'message');
  expect(() => lockData(data)).toThrow(`in use by process ${owner.pid}`);
  const second = promisify(execFile)(process.execPath, [script, data]);
  await expect(second).rejects.toMatchObject({ stderr: expect.stringContaining(`process ${owner.pid}`) });

  owner.kill('SIGKILL');
  await once(owner, 'close');
  lockData(data).release();
  lockData(data).release();
});
