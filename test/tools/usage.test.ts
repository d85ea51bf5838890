import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import project from '../../package.json' with { type: 'json' };

/** npm scripts that run a program of ours; `synth` is a CDK app, which takes context and no options. */
const commands = Object.entries(project.scripts).flatMap(([name, line]) => {
  const [, loaded, file] = /^(?:exec |[A-Z_]+=\S+ )*node (--import \S+ )?(\S+\.ts)$/.exec(line) ?? [];
  return file && name !== 'synth' ? [{ name, words: [...(loaded ?? '').split(' ').filter(Boolean), file] }] : [];
});

async function run(words: readonly string[]) {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

it('every program of package.json is among them', () => {
  const programs = Object.values(project.scripts).filter((line) =>
    /(local|tools|bench|simulation|mutants|arm64)\/\S+\.ts/.test(line),
  );
  expect(programs.length - commands.length).toBe(1); // test:deployed runs the emulator with a command
  expect(commands.length).toBeGreaterThan(10);
});

describe.each(commands)('npm run $name', ({ name, words }) => {
  const call = name === 'start' ? 'npm start' : `npm run ${name}`;

  it('prints its usage with --help', async () => {
    const { code, stdout, stderr } = await run([...words, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(call);
  });

  it('says which option it does not know, and its usage', async () => {
    const { code, stdout, stderr } = await run([...words, '--unheard-of']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--unheard-of');
    expect(stderr).toContain(call);
    expect(stderr).not.toMatch(/\n +at /);
  });
});
