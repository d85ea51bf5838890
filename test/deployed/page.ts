import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const deploying = 'docs/deploying.md';

/** The shell commands under a heading of docs/deploying.md. Those marked `sh account` need a real account. */
export function commandsUnder(heading: string): string {
  return blocksUnder(`## ${heading}`, deploying).join('\n');
}

/** The blocks of shell commands under a heading of a page, each alone: between two there is something to wait for. */
export function blocksUnder(heading: `## ${string}` | `### ${string}`, page: string): string[] {
  const [, section] = readFileSync(page, 'utf8').split(`\n${heading}\n`);
  if (section === undefined) throw new Error(`${page} has no heading "${heading}"`);
  const [own = ''] = section.split(heading.startsWith('### ') ? /\n##/ : /\n## /);
  const blocks = [...own.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = '']) => commands);
  if (blocks.length === 0) throw new Error(`${page} has no commands under "${heading}"`);
  return blocks;
}

/** A terminal: what one run exports, the next one knows. */
export interface Terminal {
  /** Runs commands in a directory, until the first that fails. Answers what they printed. */
  readonly run: (directory: string, commands: string) => Promise<string>;
}

export function openTerminal(variables: Readonly<Record<string, string>>): Terminal {
  const state = join(mkdtempSync(join(tmpdir(), 'bonafide-terminal-')), 'variables');
  writeFileSync(state, '');
  return {
    run: async (directory, commands) => {
      console.log(commands.replace(/^(?=.)/gm, '$ '));
      const script = `set -euo pipefail\n. ${state}\ncd ${directory}\n${commands}\nexport -p > ${state}\n`;
      const child = spawn('bash', ['-c', script], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...variables },
      });
      let printed = '';
      let all = '';
      child.stdout.on('data', (part: Buffer) => {
        printed += part;
        all += part;
      });
      child.stderr.on('data', (part: Buffer) => {
        all += part;
      });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`ended with ${code}:\n${commands}\n${all.slice(-4000)}`);
      return printed;
    },
  };
}
