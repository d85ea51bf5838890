import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastRelease } from './last-release.ts';

it('a checkout without the last release’s commit says so, and how to get it', () => {
  const root = mkdtempSync(join(tmpdir(), 'bonafide-shallow-'));
  execFileSync('git', ['init', '--quiet'], { cwd: root });
  mkdirSync(join(root, 'test/crossing'), { recursive: true });
  const commit = 'b59c6dc5bc6501bbf1f8e311694c020269ea7611';
  writeFileSync(join(root, 'test/crossing/last-release'), `${commit}\n`);
  expect(() => lastRelease(root)).toThrow(`This checkout has no commit ${commit}`);
  expect(() => lastRelease(root)).toThrow('git fetch --unshallow');
});
