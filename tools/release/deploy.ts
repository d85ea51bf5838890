import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import cdk from '../../cdk.json' with { type: 'json' };

/*
 * npm run deploy [-- <arguments of cdk deploy>]
 *
 * Prepares the engine's models and native packages for the processor it will run on, then deploys. Credentials, region
 * and bootstrap are the CDK's business: what it says of them is passed on as it is, and so is its exit code.
 */

const root = join(import.meta.dirname, '../..');
const passedOn = process.argv.slice(2);

/** The processor asked for as the stack will read it: `-c architecture=…`, then cdk.json, then arm64. */
function architecture(): string {
  const { values } = parseArgs({
    args: passedOn,
    options: { context: { type: 'string', short: 'c', multiple: true } },
    allowPositionals: true,
    strict: false, // the other options are cdk's
  });
  const given = (values.context ?? []).map(String).findLast((pair) => pair.startsWith('architecture='));
  const inFile = (cdk.context as Readonly<Record<string, unknown>>).architecture;
  return given?.slice('architecture='.length) ?? String(inFile ?? 'arm64');
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

run('tools/release/engine-assets.ts', '--arch', architecture());
const cdkPackage = createRequire(import.meta.url).resolve('aws-cdk/package.json');
run(join(dirname(cdkPackage), 'bin', 'cdk'), 'deploy', '--outputs-file', 'cdk-outputs.json', ...passedOn);
