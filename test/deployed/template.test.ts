import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { prepareEngineAssets } from '../../tools/release/engine-assets.ts';

const run = promisify(execFile);

const everyChoice = {
  encryption: 'kms',
  tracing: true,
  allowedOrigins: 'https://app.example',
  alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:ops',
  stage: 'prod',
  domain: 'verify.example',
  certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d',
};
const variants = [
  { name: 'arm64, as it comes', architecture: 'arm64', context: {} },
  { name: 'x64, every choice made', architecture: 'x64', context: everyChoice },
] as const;

describe.each(variants)('the template for $name', ({ architecture, context }) => {
  /** With bundles and engine: everything that is uploaded, by content. */
  const synthesize = async (turn: string): Promise<string> => {
    const directory = `build/deployed/synth-${architecture}-${turn}`;
    const variables = { CDK_OUTDIR: directory, CDK_CONTEXT_JSON: JSON.stringify({ architecture, ...context }) };
    await run('node', ['infra/app.ts'], { env: { ...process.env, ...variables } });
    return directory;
  };
  const filesOf = (directory: string) =>
    ['bonafide.template.json', 'bonafide.assets.json'].map((file) => readFileSync(`${directory}/${file}`, 'utf8'));

  it('comes out byte for byte the same the second time, assets too', async () => {
    await prepareEngineAssets(architecture);
    const [first, second] = [await synthesize('first'), await synthesize('second')];
    expect(filesOf(first)).toEqual(filesOf(second));
  });

  it('has nothing cfn-lint would change', async () => {
    const template = `build/deployed/synth-${architecture}-first/bonafide.template.json`;
    const found = await run('cfn-lint', ['--config-file', 'test/deployed/cfn-lint.yaml', template]).catch(
      ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ stdout, stderr }),
    );
    expect(found).toEqual({ stdout: '', stderr: '' });
  });
});
