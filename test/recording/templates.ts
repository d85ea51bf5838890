// The templates of the checkout in the working directory, asset hashes made equal, and every permission in them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const contexts = {
  default: {},
  kms: { encryption: 'kms' },
  origins: { allowedOrigins: 'https://app.example,https://other.example' },
  x64: { architecture: 'x64' },
} as const;

interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation says it is.
  readonly Properties?: Record<string, any>;
}
type Template = { readonly Resources: Readonly<Record<string, Resource>> };

const [output] = process.argv.slice(2);
if (!output) throw new Error('usage: templates.ts DIRECTORY');
mkdirSync(join(output, 'templates'), { recursive: true });

const grants: string[] = [];
for (const [name, context] of Object.entries(contexts)) {
  const template = synthesize(context);
  writeFileSync(join(output, 'templates', `${name}.json`), `${JSON.stringify(template, null, 2)}\n`);
  grants.push(...grantsIn(template).map((grant) => `${name} ${grant}`));
}
writeFileSync(join(output, 'grants.txt'), `${[...new Set(grants)].sort().join('\n')}\n`);

/** As `npm run synth` does, without bundling: what a function contains is another question. */
function synthesize(context: Readonly<Record<string, unknown>>): Template {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-templates-'));
  execFileSync(process.execPath, ['infra/app.ts'], {
    env: {
      ...process.env,
      CDK_OUTDIR: directory,
      CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:bundling-stacks': [], ...context }),
    },
  });
  const text = readFileSync(join(directory, 'bonafide.template.json'), 'utf8');
  rmSync(directory, { recursive: true });
  return sorted(JSON.parse(text.replace(/[0-9a-f]{64}/g, '<hash>'))) as Template;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** `owner Allow action on resource …`, one line for each action on each resource. */
function grantsIn({ Resources }: Template): string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties: given = {} }]) => {
    const roles = (given.Roles ?? []).map((role: unknown) => text(role)).join('+');
    switch (Type) {
      case 'AWS::IAM::Policy':
        return statements(roles, given.PolicyDocument);
      case 'AWS::IAM::Role':
        return [
          ...statements(`${id} trusts`, given.AssumeRolePolicyDocument),
          ...(given.ManagedPolicyArns ?? []).map((arn: unknown) => `${id} has ${text(arn)}`),
          ...(given.Policies ?? []).flatMap((policy: { PolicyDocument: { Statement: Statement[] } }) =>
            statements(id, policy.PolicyDocument),
          ),
        ];
      case 'AWS::Lambda::Permission':
        return [`${text(given.FunctionName)} may be called by ${text(given.Principal)} for ${text(given.SourceArn)}`];
      default: {
        const document = given.PolicyDocument ?? given.KeyPolicy ?? given.ResourcePolicy;
        return document ? statements(id, document) : [];
      }
    }
  });
}

function statements(owner: string, document: { Statement: Statement[] }): string[] {
  return document.Statement.flatMap(({ Effect, Action, Resource, Principal, Condition }) => {
    const tail = [Principal && `for ${text(Principal)}`, Condition && `if ${text(Condition)}`].filter(Boolean);
    return [Action].flat().flatMap((action) =>
      [Resource].flat().map((resource) => {
        return [owner, Effect, action, resource && `on ${text(resource)}`, ...tail].filter(Boolean).join(' ');
      }),
    );
  });
}

/** A reference in words: `Captures123.Arn/*`. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = (value ?? {}) as Record<string, unknown>;
  if (Ref) return String(Ref);
  if (Array.isArray(attribute)) return attribute.join('.');
  if (Array.isArray(join)) return (join[1] as unknown[]).map(text).join(String(join[0]));
  return JSON.stringify(value);
}
