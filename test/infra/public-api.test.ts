import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { routes } from '../../shared/api/operations.ts';
import { registry } from '../../shared/providers/registry.ts';
import { behindLive, chosen, functionIdOf, named, resourcesOf, synthesize } from './stack.ts';

const template = synthesize();
const deployed = Object.values(resourcesOf(template, 'AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties);
const integrations = resourcesOf(template, 'AWS::ApiGatewayV2::Integration');

describe('routes', () => {
  it('are the rows of operations.ts, no more and no fewer', () => {
    expect(deployed.map(({ RouteKey }) => RouteKey).sort()).toEqual(routes.map(({ key }) => key).sort());
  });

  it.each(routes.map((route) => [route.key, route] as const))('sends %s to its function', (key, route) => {
    const target = named(deployed.find(({ RouteKey }) => RouteKey === key)?.Target).replace('integrations/', '');
    const integration = integrations[target]?.Properties;
    expect(behindLive(integration?.IntegrationUri)).toBe(functionIdOf(route));
    expect(integration?.PayloadFormatVersion).toBe('2.0');
  });

  it('can be read without the CDK', () => {
    expect(readFileSync('shared/api/operations.ts', 'utf8')).not.toMatch(/aws-cdk|constructs/);
  });
});

describe('throttles', () => {
  const throttlesOf = (context?: Record<string, unknown>) =>
    Object.values(resourcesOf(synthesize(context), 'AWS::ApiGatewayV2::Stage'))[0]?.Properties;

  it('bound the whole API, and each route that says so', () => {
    const stage = throttlesOf();
    expect(stage?.DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 });
    expect(stage?.RouteSettings['POST /verifications']).toEqual({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 });
  });

  it('can be set for a deployment', () => {
    const stage = throttlesOf(chosen);
    expect(stage?.DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 500, ThrottlingBurstLimit: 900 });
    expect(stage?.RouteSettings['POST /verifications']).toEqual({
      ThrottlingRateLimit: 300,
      ThrottlingBurstLimit: 400,
    });
  });

  it('are set after the routes they are for, which API Gateway insists on', () => {
    const stage = Object.values(template.findResources('AWS::ApiGatewayV2::Stage'))[0];
    expect(stage?.DependsOn).toEqual(
      expect.arrayContaining(Object.keys(template.findResources('AWS::ApiGatewayV2::Route'))),
    );
  });
});

describe('access logs', () => {
  it('name the route, never the path, the query, the address or the caller', () => {
    const stage = Object.values(resourcesOf(template, 'AWS::ApiGatewayV2::Stage'))[0];
    const format: string = stage?.Properties.AccessLogSettings.Format;
    expect(format).toContain('$context.routeKey');
    expect(format).not.toMatch(/path|query|sourceIp|userAgent|identity|authorizer/i);
  });
});

it('lets pages carry client tokens, and never a tenant’s key', () => {
  const withOrigin = synthesize({ allowedOrigins: ['https://app.example'] });
  expect(JSON.stringify(withOrigin.findResources('AWS::ApiGatewayV2::Api'))).not.toMatch(/x-api-key|"\*"/);
  withOrigin.hasResourceProperties('AWS::ApiGatewayV2::Api', {
    CorsConfiguration: {
      AllowOrigins: ['https://app.example'],
      AllowMethods: ['GET', 'POST', 'DELETE'],
      AllowHeaders: Match.arrayWith([
        'authorization',
        'content-type',
        'sentry-trace',
        'traceparent',
        'x-requested-with',
      ]),
      ExposeHeaders: ['retry-after'],
      AllowCredentials: Match.absent(),
      MaxAge: 3600,
    },
  });
});

it('tells the pages where captures go, and the bucket where pages come from, in no circle', () => {
  // What CloudFormation refuses, Template refuses: a resource that needs what needs it.
  const bucket = Object.keys(template.findResources('AWS::S3::Bucket'))[0];
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: {
      Variables: Match.objectLike({
        CAPTURES_ORIGIN: { 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': [bucket, 'RegionalDomainName'] }]] },
      }),
    },
  });
  const [api] = Object.values(template.findResources('AWS::ApiGatewayV2::Api'));
  expect(JSON.stringify(api)).not.toMatch(/Fn::GetAtt|"Ref"|DependsOn/);
});

describe('functions that start from a source_id', () => {
  const functions = Object.entries(template.findResources('AWS::Lambda::Function'));
  const named = (name: string) => functions.find(([id]) => id.startsWith(`publicapi${name}verification`));
  const serving = functions.filter(([id]) => id.startsWith('vendorapis'));

  it('find records of before ids had a key, until the deployment says that none is left', () => {
    const legacyIn = (context: Record<string, unknown>) =>
      Object.values(resourcesOf(synthesize(context), 'AWS::Lambda::Function')).flatMap(({ Properties }) => {
        const { LEGACY_IDS } = Properties.Environment?.Variables ?? {};
        return LEGACY_IDS === undefined ? [] : [LEGACY_IDS];
      });
    expect(legacyIn({})).toEqual(Array(10).fill('true'));
    expect(legacyIn(chosen)).toEqual(Array(10).fill('false'));
  });

  it('are updated before those that make records: an old version does not find what a new one made', () => {
    const find = ['read', 'erase', 'retry'].map((name) => named(name)?.[0]);
    for (const makes of [named('request'), ...serving]) {
      expect(makes?.[1].DependsOn).toEqual(expect.arrayContaining(find));
    }
  });

  it('may serve a vendor’s API so many calls at once: none is reserved unless the deployment says so', () => {
    const reserved = (context?: Record<string, unknown>) =>
      Object.entries(resourcesOf(synthesize(context), 'AWS::Lambda::Function')).flatMap(([id, { Properties }]) =>
        Properties.ReservedConcurrentExecutions === undefined ? [] : [[id, Properties.ReservedConcurrentExecutions]],
      );
    expect(reserved()).toEqual([]);
    const some = reserved(chosen);
    expect(some).toHaveLength(serving.length - 1); // calls of Identify do not wait
    expect(some.every(([id, most]) => String(id).startsWith('vendorapis') && most === 7)).toBe(true);
  });
});

it('lets links and webhooks of strangers lead to this machine only where npm start synthesizes', () => {
  const loopback = (context?: Record<string, unknown>) =>
    Object.values(resourcesOf(synthesize(context), 'AWS::Lambda::Function')).flatMap(
      ({ Properties }) => Properties.Environment?.Variables.LOOPBACK ?? [],
    );
  expect(loopback()).toEqual(['false', 'false', 'false', 'false']);
  expect(loopback({ local: true })).toEqual(['true', 'true', 'true', 'true']);
});

describe('the console', () => {
  it('is no page of another origin’s: CORS allows no credentials, whatever origins a deployment allows', () => {
    const allowed = synthesize({ allowedOrigins: ['https://app.example'] });
    for (const { Properties } of Object.values(resourcesOf(allowed, 'AWS::ApiGatewayV2::Api'))) {
      expect(Properties.CorsConfiguration.AllowOrigins).toEqual(['https://app.example']);
      expect(Properties.CorsConfiguration).not.toHaveProperty('AllowCredentials');
      expect(Properties.CorsConfiguration.AllowHeaders).not.toContain('cookie');
    }
  });

  it('checks in every write that it comes from a page of its own, and asks for an operator where one can be', () => {
    const ofConsole = routes.filter(({ path }) => path.startsWith('/console/'));
    const writes = ofConsole.filter(({ method }) => method !== 'GET');
    expect(writes.length).toBeGreaterThan(4);
    for (const { key, sameOrigin } of writes) expect([key, sameOrigin]).toEqual([key, true]);
    const open = ofConsole.filter(({ callers }) => !callers.includes('operator')).map(({ key }) => key);
    expect(open).toEqual([
      'POST /console/session',
      'GET /console/settings',
      'GET /console/sign-in',
      'GET /console/callback',
    ]);
    for (const { callers, role } of routes) expect(role !== undefined).toBe(callers.includes('operator'));
  });

  it('lets a viewer change nothing and see no capture', () => {
    const changing = routes.filter(({ path, method }) => path.startsWith('/console/verifications') && method !== 'GET');
    expect(changing.map(({ role }) => role)).toEqual(['reviewer', 'reviewer', 'reviewer', 'reviewer']);
  });

  it('knows an identity provider where all of it is named, and reads its secret alone', () => {
    const signIn = Object.entries(resourcesOf(synthesize(chosen), 'AWS::Lambda::Function')).find(([id]) =>
      id.startsWith('consolesignin'),
    )?.[1];
    expect(signIn?.Properties.Environment.Variables).toMatchObject({
      OIDC_ISSUER: 'https://id.example',
      OIDC_CLIENT_ID: 'bonafide',
      OIDC_CLIENT_SECRET: chosen.oidcClientSecret,
    });
    expect(JSON.stringify(synthesize(chosen).toJSON())).toContain(`"Resource":"${chosen.oidcClientSecret}"`);
  });
});

it('says where callers reach the API, where the operator does', () => {
  const said = (context?: Record<string, unknown>) =>
    Object.values(resourcesOf(synthesize(context), 'AWS::Lambda::Function')).flatMap(
      ({ Properties }) => Properties.Environment?.Variables.PUBLIC_URL ?? [],
    );
  const nowhere = said();
  expect(new Set(nowhere)).toEqual(new Set(['']));
  expect(said(chosen)).toEqual(nowhere.map(() => 'https://verify.example'));
});

describe('a domain of the operator’s own', () => {
  const certificateArn = 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d';
  const owned = synthesize({ domain: 'verify.example', certificateArn, allowedOrigins: 'https://app.example' });

  it('is the only address of the API: the one of API Gateway is closed', () => {
    owned.allResourcesProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
    owned.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: 'verify.example',
      DomainNameConfigurations: [
        { CertificateArn: certificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' },
      ],
    });
    const [name] = Object.keys(owned.findResources('AWS::ApiGatewayV2::DomainName'));
    const [api] = Object.keys(owned.findResources('AWS::ApiGatewayV2::Api'));
    const mapping = {
      ApiId: { Ref: api },
      DomainName: { Ref: name },
      Stage: '$default',
      ApiMappingKey: Match.absent(),
    };
    owned.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', mapping);
    template.resourceCountIs('AWS::ApiGatewayV2::DomainName', 0);
    template.allResourcesProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: Match.absent() });
  });

  it('is what links, webhooks of vendors and the console are told, and where DNS is to lead it', () => {
    const { ApiUrl, DomainTarget, DomainTargetZone } = owned.toJSON().Outputs;
    const [name] = Object.keys(owned.findResources('AWS::ApiGatewayV2::DomainName'));
    expect(ApiUrl.Value).toBe('https://verify.example'); // of which npm run admin makes addresses of webhooks and invitations
    expect(DomainTarget.Value).toEqual({ 'Fn::GetAtt': [name, 'RegionalDomainName'] });
    expect(DomainTargetZone.Value).toEqual({ 'Fn::GetAtt': [name, 'RegionalHostedZoneId'] });
    const told = Object.values(resourcesOf(owned, 'AWS::Lambda::Function')).flatMap(
      ({ Properties }) => Properties.Environment?.Variables.PUBLIC_URL ?? [],
    );
    expect(told.length).toBeGreaterThan(5);
    expect(new Set(told)).toEqual(new Set(['https://verify.example']));
  });

  it('is where pages upload from, and the closed address is not', () => {
    owned.hasResourceProperties('AWS::S3::Bucket', {
      CorsConfiguration: {
        CorsRules: [Match.objectLike({ AllowedOrigins: ['https://verify.example', 'https://app.example'] })],
      },
    });
    expect(JSON.stringify(owned.toJSON())).not.toContain('"ApiEndpoint"');
  });
});

describe('outputs', () => {
  it('are what tools and tests look for', () => {
    expect(Object.keys(template.toJSON().Outputs).sort()).toEqual(
      [
        ...['ApiUrl', 'CapturesBucket', 'EventBusName'],
        ...['Breakers', 'Deliveries', 'Events', 'Looks', 'Tenants', 'Verifications'].map((name) => `${name}Table`),
        ...['ClientToken', 'EndpointKey', 'FingerprintKey', 'IdKey', 'Receipt', 'Reference'].map(
          (name) => `${name}Secret`,
        ),
        ...['Captures', 'Fetches', 'Results', 'Webhooks'].map((name) => `Queue${name}`),
        ...[...registry.keys()].map((name) => `Queue${name.charAt(0).toUpperCase()}${name.slice(1)}`),
      ].sort(),
    );
  });
});
