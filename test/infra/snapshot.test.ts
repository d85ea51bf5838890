import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { expect, it } from 'vitest';
import { makeStack, synthesize } from './stack.ts';

it('is this stack', () => {
  expect(synthesize().toJSON()).toMatchSnapshot();
});

it('comes out byte for byte the same the second time', () => {
  const write = (): string => {
    const app = makeStack().node.root;
    if (!App.isApp(app)) throw new Error('The root is an app.');
    return readFileSync(join(app.synth().directory, 'bonafide.template.json'), 'utf8');
  };
  expect(write()).toBe(write());
});

it('says nothing of the machine it was made on', () => {
  expect(JSON.stringify(synthesize().toJSON())).not.toContain(process.cwd());
});
