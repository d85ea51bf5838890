import { type Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { CfnDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { type IManagedPolicy, ManagedPolicy, PermissionsBoundary, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { readSettings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import { grantedActions } from './granted-actions.ts';

/** What CloudFormation is told of a stack by its stage: whether it may be deleted, and what it is called on bills. */
export function ofStage(scope: Construct): StackProps {
  if (readSettings(scope).stage !== 'prod') return {};
  return { terminationProtection: true, tags: { application: 'bonafide', stage: 'prod' } };
}

/** Bounds what the roles of a stack may ever do, whatever is attached to them later. Called last: it reads their policies. */
export function boundRoles(stack: Stack): void {
  const { stage, permissionsBoundary } = readSettings(stack);
  if (permissionsBoundary === undefined && stage !== 'prod') return;
  const boundary: IManagedPolicy = permissionsBoundary
    ? ManagedPolicy.fromManagedPolicyArn(stack, 'boundary', permissionsBoundary)
    : ownBoundary(stack);
  PermissionsBoundary.of(stack).apply(boundary);
  if (stage !== 'prod') return;
  // CloudFormation copies a stack's tags to its resources, but says so nowhere in the template.
  for (const [key, value] of Object.entries(ofStage(stack).tags ?? {})) Tags.of(stack).add(key, value);
}

/** What CodeDeploy does while it moves an alias: its role has them from a policy of AWS, which no template shows. */
const movesAliases = [
  'cloudwatch:DescribeAlarms',
  'lambda:GetAlias',
  'lambda:GetProvisionedConcurrencyConfig',
  'lambda:UpdateAlias',
];

/** The actions of all functions together: none that makes, changes or takes on a role is among them. */
function ownBoundary(stack: Stack): IManagedPolicy {
  const moves = stack.node.findAll().some((construct) => construct instanceof CfnDeploymentGroup) ? movesAliases : [];
  const boundary = new ManagedPolicy(stack, 'boundary', {
    description: 'What roles of Bonafide may do at the most',
    statements: [new PolicyStatement({ actions: [...grantedActions(stack), ...moves], resources: ['*'] })],
  });
  acknowledge(
    boundary,
    'AwsSolutions-IAM5[Resource::*]',
    'A boundary grants nothing: which tables, queues, objects and secrets a function may use is said by its own role.',
  );
  return boundary;
}
