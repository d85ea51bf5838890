import { routes as operations } from '../../shared/api/operations.ts';
import type { Functions } from '../functions/part.ts';
import type { Part } from '../part.ts';
import type { S3 } from '../s3/s3.ts';
import { notKnown, type Template } from '../template.ts';
import { type CorsConfiguration, type HttpApi, startHttpApi } from './http-api.ts';

/** The API's address, known before the functions that are told it; `routes` opens it. */
export const httpApi: Part<unknown, { api: HttpApi }> = async ({ template, port }) => {
  const api = await startHttpApi(port);
  for (const resource of template.ofType('AWS::ApiGatewayV2::Api')) {
    template.setReference(resource, 'local');
    template.setAttribute(resource, 'ApiEndpoint', api.url);
  }
  // Where DNS would lead a domain to is here.
  for (const resource of template.ofType('AWS::ApiGatewayV2::DomainName')) {
    template.setAttribute(resource, 'RegionalDomainName', new URL(api.url).hostname);
    template.setAttribute(resource, 'RegionalHostedZoneId', 'local');
  }
  return { gives: { api }, stop: api.stop };
};

/** The API's routes to functions: from here on it answers. */
export const routes: Part<{ api: HttpApi; functions: Functions; s3: S3 }, unknown> = async (
  { template, awsLimits = false },
  { api, functions, s3 },
) => {
  const signedFor = new RegExp(`${s3.endpoint.replaceAll('.', '\\.')}(?!\\d)`, 'g');
  api.serve({
    routes: routesOf(template).map(({ functionArn, ...route }) => ({
      ...route,
      request: functions.of(functionArn).request,
      maximumBodyBytes: operations.find(({ key, vendor }) => vendor && key === route.routeKey)?.request
        .maximumBodyBytes,
    })),
    awsLimits,
    cors: corsOf(template),
    hosts: hostsOf(template),
    rewrite: (text) => text.replace(signedFor, () => s3.publicOrigin),
  });
  return { gives: {} };
};

export function routesOf(template: Template) {
  const integrations = template.ofType('AWS::ApiGatewayV2::Integration');
  return template.ofType('AWS::ApiGatewayV2::Route').map((resource) => {
    const { RouteKey, Target } = template.properties(resource);
    const integration = integrations.find(({ name }) => `integrations/${name}` === Target);
    if (!integration) throw notKnown(resource, `the target ${Target}`);
    const { IntegrationUri, PayloadFormatVersion, TimeoutInMillis } = template.properties(integration);
    const [, invoked = IntegrationUri] = /\/functions\/([^/]+)\/invocations$/.exec(String(IntegrationUri)) ?? [];
    const called = template.find('AWS::Lambda::Function', invoked);
    if (!called || PayloadFormatVersion !== '2.0') throw notKnown(resource, 'anything but a function with payload 2.0');
    return {
      routeKey: String(RouteKey),
      functionArn: called.arn,
      timeoutMs: Number(TimeoutInMillis ?? 30_000),
    };
  });
}

function corsOf(template: Template): CorsConfiguration | undefined {
  const [api, ...others] = template.ofType('AWS::ApiGatewayV2::Api');
  if (others[0]) throw notKnown(others[0], 'a second API');
  return api && (template.properties(api).CorsConfiguration as CorsConfiguration | undefined);
}

/** The hosts under which the API is answered alone, where its own address is closed. */
function hostsOf(template: Template): readonly string[] | undefined {
  const closed = template
    .ofType('AWS::ApiGatewayV2::Api')
    .some((api) => template.properties(api).DisableExecuteApiEndpoint === true);
  if (!closed) return undefined;
  return template
    .ofType('AWS::ApiGatewayV2::DomainName')
    .map((domain) => String(template.properties(domain).DomainName));
}
