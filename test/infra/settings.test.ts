import { App } from 'aws-cdk-lib';
import recommended from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import cdk from '../../cdk.json' with { type: 'json' };
import { contextKeys, readSettings, refuseOtherRegions } from '../../infra/settings.ts';

const read = (context: Record<string, unknown>) => readSettings(new App({ context }));

const oidc = {
  oidcIssuer: 'https://id.example',
  oidcClientId: 'bonafide',
  oidcClientSecret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:oidc-AbCdEf',
};
const certificateArn = 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d';
const domain = 'verify.example';
const permissionsBoundary = 'arn:aws:iam::123456789012:policy/boundary';
const alarmTopicArn = 'arn:aws:sns:eu-west-1:123456789012:alarms';

describe('a key of context', () => {
  it.each([
    ['retainDatta', 'retainData'],
    ['RetainData', 'retainData'],
    ['engineConcurency', 'engineConcurrency'],
    ['allowedOrigin', 'allowedOrigins'],
    ['alarm-topic-arn', 'alarmTopicArn'],
    ['constructor', 'encryption'],
  ])('that is unknown stops synthesis, and the nearest known one is named: %s', (key, meant) => {
    const message = `Context ${key} is no key that this service reads; the nearest is ${meant}. All are in docs/deploying.md.`;
    expect(() => read({ [key]: 'false' })).toThrow(message);
  });

  it('of the CDK itself is known, and so is what its command line passes', () => {
    const ofCdk = {
      ...cdk.context,
      '@aws-cdk/core:newStyleStackSynthesis': true,
      '@aws-cdk-containers/ecs-service-extensions:enableDefaultLogDriver': true,
      'aws:cdk:enable-path-metadata': true,
      'aws:cdk:enable-asset-metadata': true,
      'aws:cdk:version-reporting': true,
      'aws:cdk:bundling-stacks': ['**'],
      'acknowledged-issue-numbers': [32775],
    };
    expect(read(ofCdk)).toEqual(read({}));
  });

  it('of the CDK is set as the CDK recommends, all of them: an upgrade that brings another shows here', () => {
    const isOurs = (key: string) => Object.hasOwn(contextKeys, key) || key === 'cli-telemetry';
    const flags = Object.entries(cdk.context).filter(([key]) => !isOurs(key));
    expect(Object.fromEntries(flags)).toEqual(recommended);
  });
});

describe('a choice that means nothing', () => {
  it.each([
    [{ architecture: 'mips' }, 'Context architecture must be arm64 or x64, not "mips".'],
    [{ encryption: 'none' }, 'Context encryption must be s3 or kms, not "none".'],
    [{ retainData: 'no' }, 'Context retainData must be true or false, not "no".'],
    [{ nag: 'yes' }, 'Context nag must be true or false, not "yes".'],
    [{ engineConcurrency: 1 }, 'Context engineConcurrency must be a whole number from 2 to 1000, not 1.'],
    [{ servedConcurrency: 0 }, 'Context servedConcurrency must be a whole number from 1 to 1000, not 0.'],
    [{ legacyIds: 'never' }, 'Context legacyIds must be true or false, not "never".'],
    [{ throttle: 'fast' }, 'Context throttle must be requests per second and burst, like 100/200, not "fast".'],
    [{ throttles: '{"GET /nowhere":"1/1"}' }, 'Context throttles names no route: GET /nowhere.'],
    [
      { throttles: '{"POST /verifications":"1"}' },
      'Context throttles[POST /verifications] must be requests per second',
    ],
    [{ throttles: 'fast' }, 'Context throttles must be JSON like {"POST /verifications":"50/100"}, not "fast".'],
    [{ throttles: '[]' }, 'Context throttles must be JSON'],
    [
      { allowedOrigins: 'https://a.example,https://b.example/' },
      'Context allowedOrigins must be origins like https://app.example, without a path, not "https://b.example/".',
    ],
    [{ alarmTopicArn: 'alarms' }, 'Context alarmTopicArn must be the ARN of an SNS topic, not "alarms".'],
    [{ stackName: 'bona fide' }, 'Context stackName must be letters, digits and hyphens, not "bona fide".'],
    [{ stage: 'production' }, 'Context stage must be dev or prod, not "production".'],
    [{ domain: 'https://verify.example', certificateArn }, 'Context domain must be a host name in small letters'],
    [{ domain: 'Verify.example', certificateArn }, 'Context domain must be a host name in small letters'],
    [{ domain: '*.example', certificateArn }, 'Context domain must be a host name in small letters'],
    [{ domain, certificateArn: 'verify' }, 'Context certificateArn must be the ARN of a certificate in ACM'],
    [{ permissionsBoundary: 'boundary' }, 'Context permissionsBoundary must be the ARN of a policy in IAM'],
    [{ models: '' }, 'Context models must be a directory, not "".'],
    [{ ...oidc, oidcClientSecret: 'secret' }, 'Context oidcClientSecret must be the ARN of a secret'],
    [{ ...oidc, oidcIssuer: 'id.example' }, 'Context oidcIssuer must be a URL like https://id.example'],
  ])('is refused: %o', (context, message) => {
    expect(() => read(context)).toThrow(message);
  });

  it.each(['verify.example', 'https://verify.example/', 'https://verify.example/api', 'http:verify.example', ''])(
    'is refused: a publicUrl of %j',
    (publicUrl) => {
      const message = `Context publicUrl must be an origin like https://verify.example, without a path, not "${publicUrl}".`;
      expect(() => read({ publicUrl })).toThrow(message);
    },
  );

  it('means the same as text and as JSON', () => {
    const texts = {
      retainData: 'false',
      engineConcurrency: '7',
      allowedOrigins: 'https://a.example, https://b.example',
    };
    const values = {
      retainData: false,
      engineConcurrency: 7,
      allowedOrigins: ['https://a.example', 'https://b.example'],
    };
    expect(read(texts)).toEqual(read(values));
    expect(read(texts)).toMatchObject(values);
  });
});

describe('choices that cannot go together', () => {
  it.each([
    [{ domain }, 'domain and certificateArn go together'],
    [{ certificateArn }, 'domain and certificateArn go together'],
    [{ domain, certificateArn, publicUrl: 'https://other.example' }, 'publicUrl cannot be given with domain'],
    [{ stage: 'prod', retainData: 'false' }, 'retainData=false cannot go with stage=prod'],
    [{ stage: 'prod', local: true }, 'local cannot go with stage=prod'],
    [{ permissionsBoundary, local: true }, 'permissionsBoundary cannot go with local'],
    [{ rollout: 'canary', local: true }, 'rollout=canary cannot go with local'],
  ])('are refused: %o', (context, message) => {
    expect(() => read(context)).toThrow(`Context ${message}`);
  });

  it('are none where each is fine by itself', () => {
    const fine = { domain, certificateArn, stage: 'prod', permissionsBoundary, encryption: 'kms', ...oidc };
    expect(read(fine)).toMatchObject({ publicUrl: 'https://verify.example', domain: { name: domain, certificateArn } });
  });

  it.each(Object.keys(oidc))('are refused: an identity provider without %s', (missing) => {
    const { [missing as keyof typeof oidc]: _, ...half } = oidc;
    expect(() => read(half)).toThrow('Context oidcIssuer, oidcClientId and oidcClientSecret go together');
    expect(() => read({ ...half, local: true })).toThrow('go together');
    expect(read(oidc).oidc).toEqual({
      issuer: oidc.oidcIssuer,
      clientId: oidc.oidcClientId,
      clientSecret: oidc.oidcClientSecret,
    });
  });

  it.each([
    ['alarmTopicArn', { alarmTopicArn }],
    ['certificateArn', { domain, certificateArn }],
    ['oidcClientSecret', oidc],
  ])('are refused: an %s of another region than the deployment’s', (key, context) => {
    const app = new App({ context });
    const message = `Context ${key} must be in us-east-1, where this is deployed, not in eu-west-1.`;
    expect(() => refuseOtherRegions(app, 'us-east-1')).toThrow(message);
    expect(() => refuseOtherRegions(app, 'eu-west-1')).not.toThrow();
    expect(() => refuseOtherRegions(app, undefined)).not.toThrow(); // `node infra/app.ts` does not know it
  });
});
