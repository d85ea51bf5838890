import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { expect, it } from 'vitest';
import { makeStack, synthesize } from './stack.ts';

it('is this stack', () => {
  expect(synthesize().toJSON()).toMatchSnapshot();
});

it('comes out byte for byte the same the second time', () => {
  const app = makeStack().node.root;
  if (!App.isApp(app)) throw new Error('The root is an app.');
  const second = readFileSync(join(app.synth().directory, 'bonafide.template.json'), 'utf8');
  expect(JSON.stringify(JSON.parse(second))).toBe(JSON.stringify(synthesize().toJSON()));
});

it('says nothing of the machine it was made on', () => {
  expect(JSON.stringify(synthesize().toJSON())).not.toContain(process.cwd());
});
