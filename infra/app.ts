import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import cdk from '../cdk.json' with { type: 'json' };
import { readSettings, refuseOtherRegions } from './settings.ts';
import { VerificationStack } from './verification-stack.ts';

// The feature flags of cdk.json, also when Node runs this file without the CDK command line.
const app = new App({ context: cdk.context, analyticsReporting: false });
const { stackName, nag } = readSettings(app);
refuseOtherRegions(app, process.env.CDK_DEFAULT_REGION);

new VerificationStack(app, 'bonafide', {
  stackName,
  description: 'Bonafide: is this a bona fide person in front of the camera?',
});

// The same check runs in the tests; here it is for auditors who bring context of their own.
if (nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

app.synth();
