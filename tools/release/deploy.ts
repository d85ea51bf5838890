import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import cdk from '../../cdk.json' with { type: 'json' };
import { misused } from '../command-line.ts';
import { adopt } from './adopt.ts';

const usage = `npm run deploy [-- <options of cdk deploy>]

Prepares the engine's models and native packages for the processor it will run on, then deploys. Credentials, region and
bootstrap are the CDK's business: what it says of them is passed on as it is, and so is its exit code.

  -c KEY=VALUE    a setting of the deployment (docs/deploying.md); may be repeated
  -c adopt=FILE   a new stack over what another one left; FILE is the cdk-outputs.json of that one
  all others:     npx cdk deploy --help`;

const root = join(import.meta.dirname, '../..');
const cdkCommand = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');
const passedOn = process.argv.slice(2);
if (passedOn.some((word) => word === '--help' || word === '-h')) {
  console.log(usage);
  process.exit(0);
}
const strange = unknownOption();
if (strange !== undefined) misused(usage, `cdk deploy has no option ${strange}.`);
if (contextOf('local') !== undefined)
  misused(usage, 'local is for npm start alone: links of strangers would reach this machine.');

/** An option that cdk would ignore with a warning, which scrolls by. */
function unknownOption(): string | undefined {
  const given = passedOn.flatMap((word) => /^--[a-z-]+/.exec(word) ?? []);
  if (given.length === 0) return undefined;
  const { stdout } = spawnSync(process.execPath, [cdkCommand, 'deploy', '--help'], { cwd: root, encoding: 'utf8' });
  const known = new Set(stdout.match(/--[a-z-]+/g));
  return given.find((option) => !known.has(option.replace(/^--no-/, '--')) && !known.has(option));
}

/** The processor asked for as the stack will read it: `-c architecture=…`, then cdk.json, then arm64. */
function architecture(): string {
  return contextOf('architecture') ?? 'arm64';
}

/** A setting as the stack will read it: `-c KEY=VALUE`, then cdk.json. */
function contextOf(key: string): string | undefined {
  const { values } = parseArgs({
    args: passedOn,
    options: { context: { type: 'string', short: 'c', multiple: true } },
    allowPositionals: true,
    strict: false, // the other options are cdk's
  });
  const given = (values.context ?? []).map(String).findLast((pair) => pair.startsWith(`${key}=`));
  const inFile = new Map(Object.entries<unknown>(cdk.context)).get(key);
  return given?.slice(key.length + 1) ?? (inFile === undefined ? undefined : String(inFile));
}

function run(...command: readonly string[]): void {
  // cdk starts `node infra/app.ts`: it must find this Node, which reads TypeScript.
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const { status, error } = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The words for cdk: `adopt` is this program's alone. */
function wordsForCdk(): { readonly context: readonly string[]; readonly others: readonly string[] } {
  const words = passedOn
    .join('\n')
    .replace(/^(-c|--context)[\n=]?/gm, '-c=')
    .split('\n');
  const pairs = words.flatMap((word) => (word.startsWith('-c=') ? [word.slice(3)] : []));
  return {
    context: pairs.filter((pair) => !pair.startsWith('adopt=')).flatMap((pair) => ['-c', pair]),
    others: words.filter((word) => !word.startsWith('-c=')),
  };
}

run('tools/release/engine-assets.ts', '--arch', architecture());
const { context, others } = wordsForCdk();
const adopted = contextOf('adopt');
if (adopted !== undefined) {
  if (contextOf('encryption') === 'kms') misused(usage, 'adopt goes with encryption=s3: no key of KMS is kept.');
  run(cdkCommand, 'synth', '--quiet', ...context);
  const templateFile = join(root, 'cdk.out', 'bonafide.template.json');
  try {
    adopt({ stackName: contextOf('stackName') ?? 'bonafide', file: adopted, templateFile });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
run(cdkCommand, 'deploy', '--outputs-file', 'cdk-outputs.json', ...context, ...others);
