import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdk from '../../cdk.json' with { type: 'json' };
import { VerificationStack } from '../../infra/verification-stack.ts';
import type { ApiFunctionName, Operation } from '../../shared/api/operations.ts';
import { plant } from './planted-faults.ts';

/**
 * The stack as `infra/app.ts` makes it, but without bundling: what a function contains is another test's business. Nor are
 * templates held to CloudFormation's rules, which is two thirds of a synthesis: `nag.test.ts` does that.
 */
export function makeStack(
  context: Readonly<Record<string, unknown>> = {},
  { validated = false }: { readonly validated?: boolean } = {},
): VerificationStack {
  const app = new App({
    analyticsReporting: false,
    builtinCloudFormationValidation: validated,
    outdir: temporaryDirectory(),
    context: { ...cdk.context, 'aws:cdk:bundling-stacks': [], ...context },
  });
  const stack = new VerificationStack(app, 'bonafide', { stackName: 'bonafide' });
  plant(stack, process.env.BONAFIDE_PLANTED_FAULT);
  return stack;
}

const temporary = mkdtempSync(join(tmpdir(), 'bonafide-infra-'));
process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));

/** An empty directory of this test run, gone with it. */
export const temporaryDirectory = (): string => mkdtempSync(join(temporary, 'd-'));

const templates = new Map<string, Template>();

/** Its template, made once for all tests of this process, which read it and change nothing. */
export function synthesize(context: Readonly<Record<string, unknown>> = {}): Template {
  const key = JSON.stringify(context);
  const template = templates.get(key) ?? Template.fromStack(makeStack(context));
  templates.set(key, template);
  return template;
}

/** Choices of an operator's of which none changes what another one does: one synthesis for the tests of all of them. */
export const chosen = {
  throttle: '500/900',
  throttles: '{"POST /verifications":"300/400"}',
  legacyIds: 'false',
  servedConcurrency: 7,
  publicUrl: 'https://verify.example',
  webhookConcurrency: '200',
  engineConcurrency: '12',
  engineMemoryMegabytes: 1769,
  allowedOrigins: 'https://a.example, https://b.example',
  oidcIssuer: 'https://id.example',
  oidcClientId: 'bonafide',
  oidcClientSecret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:oidc-AbCdEf',
} as const;

/** A resource of a template, as far as tests look into it. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation says it is.
  readonly Properties: Record<string, any>;
}

/** All resources of one type, by logical id without the hash CDK ends it with. */
export function resourcesOf(template: Template, type: string): Readonly<Record<string, Resource>> {
  const found = Object.entries(template.findResources(type)).map(([id, resource]) => [name(id), resource as Resource]);
  return Object.fromEntries(found);
}

/** What a reference, an attribute or a joined text points to, in words: `captures/captures/*`. */
export function named(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Partial<Record<string, unknown>>;
  if (typeof Ref === 'string') return name(Ref);
  if (Array.isArray(attribute))
    return attribute[1] === 'Arn' ? name(attribute[0]) : `${name(attribute[0])}.${attribute[1]}`;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(named).join(join[0]);
  return JSON.stringify(value);
}

const name = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');

/** The function behind an alias of it, which is what routes, mappings and schedules name. */
export function behindLive(value: unknown): string {
  const alias = named(value);
  if (!alias.endsWith('live')) throw new Error(`${alias} is no alias called live`);
  return alias.slice(0, -'live'.length);
}

/** The construct that is a route's function, as `named` says it. */
export function functionIdOf({ function: name, vendor }: Operation): string {
  const construct = ofWebhooks.includes(name) ? 'webhooks' : ofConsole.includes(name) ? 'console' : 'publicapi';
  return `${vendor ? 'vendorapis' : construct}${name.replaceAll('-', '')}`;
}

/** Functions of the construct of the console that answer routes. */
const ofConsole: readonly ApiFunctionName[] = ['sign-in-operator', 'read-console', 'look-at-capture'];

/** Functions of the construct of webhooks that answer routes. */
const ofWebhooks: readonly ApiFunctionName[] = ['manage-endpoints', 'read-deliveries', 'send-again'];
