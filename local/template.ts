import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

// Reads what `cdk synth` wrote and resolves CloudFormation's intrinsic functions to local values.

export type Properties = Record<string, unknown>;

export interface Resource {
  /** Its logical id in the template. */
  id: string;
  type: string;
  /** Stable across starts, because the data on disk goes by it: the construct path, like `bonafide-captures`. */
  name: string;
  /** The last part of the construct path, like `request-verification`. */
  shortName: string;
  arn: string;
}

export interface Template {
  stackName: string;
  resources: Resource[];
  ofType: (...types: string[]) => Resource[];
  /** A resource's properties with every reference resolved. */
  properties: (resource: Resource) => Properties;
  /** The stack's outputs, resolved. */
  outputs: () => Record<string, string>;
  /** The resource of a type that an ARN, a name or a reference means. An alias means its function: there is one version here. */
  find: (type: string, reference: unknown) => Resource | undefined;
  /** What a resource is called from inside (`Ref`), where that is only known once something listens. */
  setReference: (resource: Resource, value: string) => void;
  setAttribute: (resource: Resource, attribute: string, value: string) => void;
  /** The directory or file that a function's `Code.S3Key` was made from. */
  assetPath: (objectKey: string) => string;
}

export const region = 'us-east-1';
const account = '000000000000';

/** Types that local/ runs. */
const known = new Set([
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::DomainName',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::DynamoDB::GlobalTable',
  'AWS::DynamoDB::Table',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::S3::Bucket',
  'AWS::SQS::Queue',
  'AWS::Scheduler::Schedule',
  'AWS::SecretsManager::Secret',
]);

/** Types that change nothing on one machine: permissions, keys, logs, alarms, throttles, retries of retries. */
const meaningless = new Set([
  'AWS::ApiGatewayV2::ApiMapping',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::CodeDeploy::Application',
  'AWS::CodeDeploy::DeploymentGroup',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::ScheduleGroup',
  'AWS::SecretsManager::ResourcePolicy',
]);

interface RawTemplate {
  Resources: Record<string, { Type: string; Condition?: string; Properties?: Properties }>;
  Outputs?: Record<string, { Value: unknown; Condition?: string }>;
  Parameters?: Record<string, { Default?: unknown }>;
  Conditions?: Record<string, unknown>;
}

/** A property that would change what happens and that nothing in local/ understands: refused by name. */
export function notKnown({ name, type }: Resource, what: string): Error {
  return new Error(`The local stack does not know ${what}, which ${name} (${type}) uses`);
}

/** Reads the one stack of a `cdk.out`. Refuses resources that no part here knows, by name, before anything starts. */
export function readTemplate(directory: string): Template {
  const manifest = readJson(directory, 'manifest.json') as { artifacts: Record<string, Artifact> };
  const stacks = Object.entries(manifest.artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [[artifactId, stack] = []] = stacks;
  if (!artifactId || !stack || stacks.length > 1) throw new Error(`${directory} must hold exactly one stack`);
  const stackName = stack.properties?.stackName ?? artifactId;
  const raw = readJson(directory, stack.properties?.templateFile ?? '') as RawTemplate;
  const paths = constructPaths(directory, stack);

  const references = new Map<string, string>();
  const attributes = new Map<string, string>();
  const resolver = resolverOf(raw, stackName, references, attributes);

  const resources = Object.entries(raw.Resources)
    .filter(([, { Condition }]) => Condition === undefined || resolver.condition(Condition))
    .map(([id, { Type }]) => {
      if (!known.has(Type) && !meaningless.has(Type)) {
        throw new Error(`The local stack does not know ${Type}, the type of ${paths.get(id) ?? id}`);
      }
      return { id, type: Type, ...namesOf(id, Type, stackName, paths.get(id), raw.Resources[id]?.Properties) };
    });
  for (const resource of resources) {
    const { id, name, arn, type } = resource;
    references.set(id, type === 'AWS::SecretsManager::Secret' ? arn : name);
    attributes.set(`${id}.Arn`, arn);
    attributes.set(`${id}.StreamArn`, `${arn}/stream/local`);
    for (const attribute of ['Name', 'QueueName']) attributes.set(`${id}.${attribute}`, name);
    attributes.set(`${id}.RegionalDomainName`, `${name}.s3.${region}.amazonaws.com`);
  }
  const functionsByAlias = new Map<string, string>();
  for (const { id } of resources.filter(({ type }) => type === 'AWS::Lambda::Alias')) {
    const { FunctionName, Name } = raw.Resources[id]?.Properties ?? {};
    const functionName = String(resolver.resolve(FunctionName, id));
    const alias = `${arnShapes['AWS::Lambda::Function']?.(functionName)}:${Name}`;
    references.set(id, alias);
    functionsByAlias.set(alias, functionName);
  }
  const assets = assetPaths(directory, manifest.artifacts);

  return {
    stackName,
    resources,
    ofType: (...types) => resources.filter(({ type }) => types.includes(type)),
    properties: ({ id }) => resolver.resolve(raw.Resources[id]?.Properties ?? {}, id) as Properties,
    outputs: () => {
      const entries = Object.entries(raw.Outputs ?? {}).filter(
        ([, { Condition }]) => Condition === undefined || resolver.condition(Condition),
      );
      return Object.fromEntries(entries.map(([name, { Value }]) => [name, String(resolver.resolve(Value, name))]));
    },
    find: (type, reference) => {
      const meant = functionsByAlias.get(String(reference)) ?? String(reference);
      return resources.find(
        ({ id, type: own, arn, name }) => own === type && [id, arn, name, references.get(id)].includes(meant),
      );
    },
    setReference: ({ id }, value) => references.set(id, value),
    setAttribute: ({ id }, attribute, value) => attributes.set(`${id}.${attribute}`, value),
    assetPath: (objectKey) => {
      const found = assets.get(objectKey);
      if (!found) throw new Error(`${directory} has no asset ${objectKey}`);
      return found;
    },
  };
}

interface Artifact {
  type: string;
  properties?: { templateFile?: string; stackName?: string; file?: string };
  metadata?: Record<string, { type: string; data: unknown }[]>;
  additionalMetadataFile?: string;
}

function readJson(directory: string, file: string): unknown {
  return JSON.parse(readFileSync(path.join(directory, file), 'utf8'));
}

/** Logical id → `public-api/request-verification`, from the metadata CDK writes beside the template. */
function constructPaths(directory: string, stack: Artifact): Map<string, string> {
  const metadata = stack.additionalMetadataFile ? readJson(directory, stack.additionalMetadataFile) : stack.metadata;
  const found = new Map<string, string>();
  for (const [constructPath, entries] of Object.entries((metadata ?? {}) as NonNullable<Artifact['metadata']>)) {
    const logicalId = entries.find(({ type }) => type === 'aws:cdk:logicalId');
    const parts = constructPath.split('/').filter(Boolean).slice(1);
    if (parts.at(-1) === 'Resource') parts.pop();
    if (logicalId) found.set(String(logicalId.data), parts.join('/'));
  }
  return found;
}

function assetPaths(directory: string, artifacts: Record<string, Artifact>): Map<string, string> {
  const found = new Map<string, string>();
  for (const { type, properties } of Object.values(artifacts)) {
    if (type !== 'cdk:asset-manifest') continue;
    const { files = {} } = readJson(directory, properties?.file ?? '') as {
      files?: Record<string, { source: { path?: string }; destinations: Record<string, { objectKey: string }> }>;
    };
    for (const { source, destinations } of Object.values(files)) {
      for (const { objectKey } of Object.values(destinations)) {
        found.set(objectKey, path.resolve(directory, source.path ?? ''));
      }
    }
  }
  return found;
}

const nameProperties: Record<string, string> = {
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::DynamoDB::GlobalTable': 'TableName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Events::EventBus': 'Name',
  'AWS::SecretsManager::Secret': 'Name',
};

const arnShapes: Record<string, (name: string) => string> = {
  'AWS::S3::Bucket': (name) => `arn:aws:s3:::${name}`,
  'AWS::SQS::Queue': (name) => `arn:aws:sqs:${region}:${account}:${name}`,
  'AWS::DynamoDB::Table': (name) => `arn:aws:dynamodb:${region}:${account}:table/${name}`,
  'AWS::DynamoDB::GlobalTable': (name) => `arn:aws:dynamodb:${region}:${account}:table/${name}`,
  'AWS::Lambda::Function': (name) => `arn:aws:lambda:${region}:${account}:function:${name}`,
  'AWS::Events::EventBus': (name) => `arn:aws:events:${region}:${account}:event-bus/${name}`,
  'AWS::SecretsManager::Secret': (name) => `arn:aws:secretsmanager:${region}:${account}:secret:${name}`,
};

function namesOf(id: string, type: string, stackName: string, constructPath: string | undefined, raw?: Properties) {
  const parts = constructPath?.split('/') ?? [id];
  const given = raw?.[nameProperties[type] ?? ''];
  const name = typeof given === 'string' ? given : shortened([stackName, ...parts].join('-').toLowerCase());
  const arn = (arnShapes[type] ?? ((any) => `arn:aws:local:${region}:${account}:${any}`))(name);
  return { name, shortName: parts.at(-1) ?? id, arn };
}

/** Buckets may have 63 characters, and nothing but these. */
function shortened(text: string): string {
  const clean = text.replace(/[^a-z0-9-]/g, '-');
  if (clean.length <= 63) return clean;
  return `${clean.slice(0, 54)}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}

function resolverOf(
  raw: RawTemplate,
  stackName: string,
  references: Map<string, string>,
  attributes: Map<string, string>,
) {
  const pseudo: Record<string, unknown> = {
    'AWS::AccountId': account,
    'AWS::NoValue': undefined,
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/local`,
    'AWS::StackName': stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };

  const reference = (name: string, user: string): unknown => {
    if (name in pseudo) return pseudo[name];
    const value = references.get(name) ?? raw.Parameters?.[name]?.Default;
    if (value === undefined) throw new Error(`${user} refers to ${name}, which has no value here`);
    return value;
  };
  const attribute = (name: string, user: string): string => {
    const value = attributes.get(name);
    if (value === undefined) throw new Error(`${user} refers to ${name}, which has no value here`);
    return value;
  };

  const condition = (name: string): boolean => Boolean(resolve(raw.Conditions?.[name] ?? false, name));

  const intrinsics: Record<string, (value: unknown, user: string) => unknown> = {
    Ref: (value, user) => reference(String(value), user),
    Condition: (value) => condition(String(value)),
    'Fn::GetAtt': (value, user) => attribute([value].flat().join('.'), user),
    'Fn::Join': (value, user) => {
      const [separator, parts] = value as [string, unknown];
      return (resolve(parts, user) as unknown[]).join(separator);
    },
    'Fn::Sub': (value, user) => {
      const [text, variables = {}] = [value].flat() as [string, Properties?];
      return text.replace(/\$\{(!?)([^}]+)\}/g, (whole, escaped, name: string) => {
        if (escaped) return whole.replace('!', '');
        if (name in variables) return String(resolve(variables[name], user));
        return String(name.includes('.') ? attribute(name, user) : reference(name, user));
      });
    },
    'Fn::Select': (value, user) => {
      const [index, list] = value as [number, unknown];
      return (resolve(list, user) as unknown[])[Number(index)];
    },
    'Fn::Split': (value, user) => {
      const [separator, text] = value as [string, unknown];
      return String(resolve(text, user)).split(separator);
    },
    'Fn::If': (value, user) => {
      const [name, yes, no] = value as [string, unknown, unknown];
      return resolve(condition(name) ? yes : no, user);
    },
    'Fn::Equals': (value, user) => {
      const [first, second] = resolve(value, user) as unknown[];
      return first === second;
    },
    'Fn::Not': (value, user) => !(resolve(value, user) as unknown[])[0],
    'Fn::And': (value, user) => (resolve(value, user) as unknown[]).every(Boolean),
    'Fn::Or': (value, user) => (resolve(value, user) as unknown[]).some(Boolean),
  };

  const resolve = (value: unknown, user: string): unknown => {
    if (Array.isArray(value)) return value.map((element) => resolve(element, user)).filter((one) => one !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[name, operand] = ['', undefined]] = entries;
    const intrinsic = entries.length === 1 ? intrinsics[name] : undefined;
    if (intrinsic) return intrinsic(operand, user);
    if (name.startsWith('Fn::')) throw new Error(`${user} uses ${name}, which is not known here`);
    const resolved = entries.map(([key, element]) => [key, resolve(element, user)]);
    return Object.fromEntries(resolved.filter(([, element]) => element !== undefined));
  };

  return { resolve, condition };
}
