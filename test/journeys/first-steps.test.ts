import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort, giveSynthesis } from './local-stack.ts';
import { verifyCommand } from './verify.ts';

const directory = mkdtempSync(join(tmpdir(), 'bonafide first steps '));
const data = join(directory, "a user's data");
let port: number;
let banner = '';
let stack: ReturnType<typeof spawn>;

/** A user's other terminal, which knows nothing of how the stack was started. */
function shell(command: string, cwd = process.cwd()): Promise<{ code: number; output: string }> {
  const { PORT: _, BONAFIDE_DATA: __, ...env } = process.env;
  return new Promise((resolve) => {
    execFile('sh', ['-ec', command], { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

beforeAll(async () => {
  port = await freePort();
  await giveSynthesis(data);
  stack = spawn(process.execPath, ['local/start.ts'], {
    env: { ...process.env, PORT: String(port), BONAFIDE_DATA: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const text of stack.stdout ?? []) {
    banner += text;
    if (banner.includes('Ctrl-C')) break;
  }
});
afterAll(async () => {
  stack.kill('SIGTERM');
  await new Promise((resolve) => stack.once('exit', resolve));
  rmSync(directory, { recursive: true, force: true });
});

it('the command of the banner works as printed, on another port and in another data folder', async () => {
  const [, command = ''] = /^Try it: +(.*)$/m.exec(banner) ?? [];
  const { code, output } = await shell(command);
  expect(output).toContain('PASSED');
  expect(code).toBe(0);
});

it('the capture page of the banner opens, with a token that is good for its verification', async () => {
  const [, link = ''] = /^ +capture +(\S+)$/m.exec(banner) ?? [];
  const page = new URL(link);
  expect(page.origin).toBe(`http://127.0.0.1:${port}`);
  expect((await fetch(link)).headers.get('content-type')).toBe('text/html; charset=utf-8');
  const sourceId = page.pathname.split('/').at(-1);
  const read = await fetch(`${page.origin}/verifications/${sourceId}`, {
    headers: { authorization: `Bearer ${page.hash.slice(1)}` },
  });
  expect(await read.json()).toMatchObject({ source_id: sourceId, state: 'awaiting_captures', missing: ['selfie'] });
});

it('the console of the banner opens, and the invitation in its address signs a reviewer in', async () => {
  const [, link = ''] = /^ +console +(\S+)$/m.exec(banner) ?? [];
  const { origin, hash } = new URL(link);
  expect(origin).toBe(`http://127.0.0.1:${port}`);
  expect((await fetch(link)).headers.get('content-type')).toBe('text/html; charset=utf-8');
  const [, code] = /^#i_(.+)$/.exec(hash) ?? [];
  const signedIn = await fetch(`${origin}/console/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ code }),
  });
  expect(await signedIn.json()).toMatchObject({
    tenant: 'demo',
    operator: { name: 'Demo reviewer', role: 'reviewer' },
  });
});

it('the commands of the README work as printed', async () => {
  const [, block = ''] = /```sh\n(KEY=[\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  symlinkSync(data, join(directory, '.bonafide'));
  const { code, output } = await shell(block.replaceAll('127.0.0.1:4000', `127.0.0.1:${port}`), directory);
  expect(output).toContain('"outcome":"passed"');
  expect(code).toBe(0);
});

verifyCommand(() => data);
