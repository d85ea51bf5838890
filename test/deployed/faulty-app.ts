import { App } from 'aws-cdk-lib';
import cdk from '../../cdk.json' with { type: 'json' };
import { VerificationStack } from '../../infra/verification-stack.ts';
import { faults, plant } from '../infra/planted-faults.ts';

/** One stack per planted fault: `faulty-0`, `faulty-1` … */
const app = new App({ context: cdk.context, analyticsReporting: false });
for (const [index, name] of Object.keys(faults).entries()) {
  const stack = new VerificationStack(app, `faulty-${index}`, { stackName: `faulty-${index}` });
  plant(stack, name);
}
app.synth();
