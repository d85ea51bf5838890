import type { CfnResource, Stack } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping, CfnFunction } from 'aws-cdk-lib/aws-lambda';

/**
 * Faults that a stack could have and still deploy. `npm run test:deployed` plants each and shows what notices it: the
 * assertions of this folder (run with BONAFIDE_PLANTED_FAULT), and a journey through the stack deployed with it.
 */
export const faults = {
  'a missing environment variable': (stack) =>
    find(stack, CfnFunction, 'capture-intake/notice-capture').addPropertyDeletionOverride(
      'Environment.Variables.VERIFICATIONS_TABLE',
    ),
  'a wrong event pattern': (stack) =>
    find(stack, CfnRule, 'capture-intake/landed').addPropertyOverride('EventPattern.detail.object.key', [
      { prefix: 'capture/' },
    ]),
  'a queue without its event source': (stack) => {
    const { node } = find(stack, CfnEventSourceMapping, 'builtin-engine/analyse-capture');
    node.scope?.node.tryRemoveChild(node.id);
  },
  'a function without its grant': (stack) => {
    const policy = find(stack, CfnPolicy, 'builtin-engine/analyse-capture');
    const { Statement } = stack.resolve(policy.policyDocument) as { Statement: { Action: unknown }[] };
    policy.addPropertyOverride(
      'PolicyDocument.Statement',
      Statement.filter(({ Action }) => !JSON.stringify(Action).includes('s3:GetObject')),
    );
  },
} as const satisfies Record<string, (stack: Stack) => void>;

export type FaultName = keyof typeof faults;

/** Spoils a stack, or leaves it as it is where no fault is named. */
export function plant(stack: Stack, name: string | undefined): void {
  if (!name) return;
  if (!Object.hasOwn(faults, name)) throw new Error(`There is no fault called "${name}"`);
  faults[name as FaultName](stack);
}

function find<T extends CfnResource>(stack: Stack, type: new (...any: never[]) => T, path: string): T {
  const found = stack.node
    .findAll()
    .find((construct) => construct instanceof type && construct.node.path.includes(`/${path}`));
  if (!(found instanceof type)) throw new Error(`${path} has no ${type.name}`);
  return found;
}
