import { Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type Alias, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { failuresMetric, namespace } from '../../shared/domain/metric.ts';
import { readSettings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import { ServiceAlarm } from './service-alarm.ts';

/**
 * With `-c rollout=canary` CodeDeploy moves the alias: a tenth of what calls it goes to the new version, the rest after five
 * minutes; if an alarm rings, all of it goes back, and CloudFormation takes the whole update back. Without, the alias is
 * moved at once. One group for each function, and for all of them one application, one role and the same alarms.
 */
export function shipGradually(alias: Alias): void {
  if (readSettings(alias).rollout !== 'canary') return;
  const { application, role, alarms } = Rollout.of(alias);
  new LambdaDeploymentGroup(alias, 'rollout', {
    ...{ application, role, alias },
    alarms: [...alarms],
    deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
  });
}

class Rollout extends Construct {
  readonly application: LambdaApplication;
  readonly role: Role;
  readonly alarms: readonly ServiceAlarm[];

  static of(within: Construct): Rollout {
    const stack = Stack.of(within);
    const there = stack.node.tryFindChild('rollout');
    return there instanceof Rollout ? there : new Rollout(stack, 'rollout');
  }

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    this.application = new LambdaApplication(this, 'application');
    this.role = new Role(this, 'role', { assumedBy: new ServicePrincipal('codedeploy.amazonaws.com') });
    this.role.addManagedPolicy(
      ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSCodeDeployRoleForLambdaLimited'),
    );
    acknowledge(
      this.role,
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
      'The policy that AWS keeps for this service: to move aliases, and to read alarms.',
    );
    const period = Duration.minutes(1);
    const runbook = 'function-errors';
    this.alarms = [
      new ServiceAlarm(this, 'failures', {
        hurt: 'While a new version is tried, requests or messages fail: people wait for what the old version would have decided.',
        runbook,
        // What the functions write down as an error: a message that failed alone is none that Lambda counts.
        metric: new Metric({ namespace, metricName: failuresMetric, statistic: 'Sum', period }),
        threshold: 5,
      }),
      new ServiceAlarm(this, 'errors', {
        hurt: 'While a new version is tried, functions break off or do not start: people wait for what they would have done.',
        runbook,
        // Of every function in the account and region: a release changes all of ours at once.
        metric: LambdaFunction.metricAllErrors({ statistic: 'Sum', period }),
        threshold: 5,
      }),
    ];
  }
}
