import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { makeStack, resourcesOf } from './stack.ts';

const boundary = 'arn:aws:iam::123456789012:policy/boundary';

describe('a stack for production', () => {
  const stack = makeStack({ stage: 'prod', encryption: 'kms', tracing: true });
  const template = Template.fromStack(stack);

  it('is not deleted by one command', () => {
    expect(stack.terminationProtection).toBe(true);
  });

  it('keeps a year of logs, those of functions and those of the API, whatever becomes of it', () => {
    const groups = Object.values(template.findResources('AWS::Logs::LogGroup'));
    expect(groups.length).toBeGreaterThan(20);
    for (const group of groups) {
      expect(group).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
      expect(group.Properties.RetentionInDays).toBe(365);
    }
  });

  it('bounds every role: none can ever make a role, take one on or read what no function reads', () => {
    const [policy, ...others] = Object.entries(template.findResources('AWS::IAM::ManagedPolicy'));
    expect(others).toEqual([]);
    const roles = Object.values(resourcesOf(template, 'AWS::IAM::Role'));
    expect(roles.length).toBeGreaterThan(20);
    for (const { Properties } of roles) expect(Properties.PermissionsBoundary).toEqual({ Ref: policy?.[0] });
    const [statement, ...more] = policy?.[1].Properties.PolicyDocument.Statement ?? [];
    expect(more).toEqual([]);
    expect(statement).toMatchObject({ Effect: 'Allow', Resource: '*' });
    expect(statement.Action.join(' ')).not.toMatch(/\*|iam:|sts:|:Create(?!LogStream)|:Put[A-Za-z]*Policy/);
  });

  it('bounds them no closer than what functions do, or they would stop', () => {
    const [policy] = Object.values(resourcesOf(template, 'AWS::IAM::ManagedPolicy'));
    const bounded: string[] = policy?.Properties.PolicyDocument.Statement[0].Action;
    for (const { Properties } of Object.values(resourcesOf(template, 'AWS::IAM::Policy'))) {
      const actions = Properties.PolicyDocument.Statement.flatMap(
        ({ Action }: { Action: string | string[] }) => Action,
      );
      expect(bounded).toEqual(expect.arrayContaining(actions));
    }
  });

  it('says in tags what it is, on the stack and on what costs money', () => {
    const tags = [
      { Key: 'application', Value: 'bonafide' },
      { Key: 'stage', Value: 'prod' },
    ];
    expect(stack.tags.tagValues()).toEqual({ application: 'bonafide', stage: 'prod' });
    for (const type of ['AWS::Lambda::Function', 'AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::SQS::Queue']) {
      template.allResourcesProperties(type, { Tags: Match.arrayWith(tags) });
    }
  });
});

it('has roles bounded by a policy of the operator’s, and makes none beside it', () => {
  const stack = makeStack({ permissionsBoundary: boundary });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
  template.allResourcesProperties('AWS::IAM::Role', { PermissionsBoundary: boundary });
  expect([stack.terminationProtection, stack.tags.tagValues()]).toEqual([false, {}]);
});
