import { App, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import type { VerificationStack } from '../../infra/verification-stack.ts';
import { chosen, makeStack } from './stack.ts';

function check(stack: VerificationStack): void {
  const app = stack.node.root;
  if (!App.isApp(app)) throw new Error('The root is an app.');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  app.synth();
}

const { publicUrl: _, ...besideDomain } = chosen; // which a domain says, too

describe('cdk-nag', () => {
  it.each([
    ['as it comes', {}],
    [
      'with every choice made',
      {
        ...besideDomain,
        encryption: 'kms',
        tracing: true,
        stage: 'prod',
        domain: 'verify.example',
        certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d',
      },
    ],
  ])('has nothing to say about the stack %s, nor have the rules of CloudFormation', (_, context) => {
    expect(() => check(makeStack(context, { validated: true }))).not.toThrow();
  });

  it('would say something about a wildcard without a reason', () => {
    const stack = makeStack();
    const role = stack.node.findAll().find((construct) => construct instanceof Role);
    role?.addToPolicy(new PolicyStatement({ actions: ['s3:*'], resources: ['*'] }));
    expect(() => check(stack)).toThrow(/IAM5\[Action::s3:\*\]/);
  });
});

it('gives every acknowledgement a reason that a reviewer can disagree with', () => {
  const reasons = makeStack()
    .node.findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .map(({ data }) => JSON.stringify(data));
  expect(reasons.length).toBeGreaterThan(0);
  for (const reason of reasons) expect(reason.length).toBeGreaterThan(100);
});
