import { Policy } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/** Every action that policies of roles under this construct allow so far. */
export function grantedActions(scope: IConstruct): readonly string[] {
  const policies = scope.node.findAll().filter((construct) => construct instanceof Policy);
  const actions = policies.flatMap(({ document }) => {
    const { Statement = [] } = document.toJSON() as { Statement?: { Action: string | string[] }[] };
    return Statement.flatMap(({ Action }) => Action);
  });
  return [...new Set(actions)].sort();
}
