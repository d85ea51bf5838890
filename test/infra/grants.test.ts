import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { routes } from '../../shared/api/operations.ts';
import { verificationRequest } from '../../shared/api/verifications.ts';
import type { Capabilities } from '../../shared/providers/provider.ts';
import { registry } from '../../shared/providers/registry.ts';
import { functionIdOf, named, type Resource, resourcesOf, synthesize } from './stack.ts';

/** Every permission of every function: `action resource`, with what has no need of saying left out. */
function grantsByFunction(template: Template): Record<string, string[]> {
  const policies = Object.values(resourcesOf(template, 'AWS::IAM::Policy')).map(({ Properties }) => Properties);
  return Object.fromEntries(
    Object.entries(resourcesOf(template, 'AWS::Lambda::Function')).map(([name, { Properties }]) => {
      const own = policies.filter(({ Roles }) => Roles.map(named).includes(named(Properties.Role)));
      const grants = own.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flatMap(grantsOf));
      return [name, grants.sort()];
    }),
  );
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function grantsOf({ Effect, Action, Resource, Condition }: Statement): string[] {
  expect(Effect).toBe('Allow');
  const condition = Condition ? ` if ${JSON.stringify(Condition)}` : '';
  return [Action]
    .flat()
    .flatMap((action) => [Resource].flat().map((resource) => `${action} ${named(resource)}${condition}`));
}

const logs = (name: string): string[] => [`logs:CreateLogStream ${name}logs`, `logs:PutLogEvents ${name}logs`];
const consumes = (queue: string): string[] =>
  ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'].map(
    (action) => `sqs:${action} ${queue}`,
  );
const listsCaptures = 's3:ListBucketVersions captures if {"StringLike":{"s3:prefix":"captures/*"}}';

const sends = [...registry.keys()].map((provider) => `sqs:SendMessage providers${provider}queue`);
const dispatches = (provider: Capabilities): string[] => [
  'dynamodb:GetItem recordsverifications',
  'dynamodb:UpdateItem recordsverifications',
  's3:DeleteObject captures/captures/*',
  's3:DeleteObjectVersion captures/captures/*',
  ...sends,
  ...consumes(`providers${provider.name}queue`),
];
const breakers = ['DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'].map(
  (action) => `dynamodb:${action} recordsbreakers`,
);
/** A version of a capture that is known, and whether it is gone. */
const opensCaptures = [
  's3:GetObjectVersion captures/captures/*',
  's3:ListBucket captures',
  's3:ListBucketVersions captures',
];
/** Credentials of one provider, whosever they are. */
const reads = (provider: string): string =>
  `secretsmanager:GetSecretValue arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:bonafide/providers/${provider}/*`;

/** A dispatcher of each provider. The sandbox opens no capture and calls no vendor, so it may do neither. */
const dispatchers = [...registry.values()]
  .filter(({ consumer }) => consumer === 'dispatch-verification')
  .map((provider) => [
    `dispatchdispatch${provider.name}`,
    [
      ...dispatches(provider),
      ...(provider.ignoresCaptures ? [] : opensCaptures),
      ...(provider.remote ? [...breakers, reads(provider.name)] : []),
      ...(provider.answersBy === 'webhook' ? ['secretsmanager:GetSecretValue secretsreference'] : []),
    ],
  ]);

/** A function that answers calls of a vendor's API. */
const serves = [
  'dynamodb:GetItem recordstenants',
  'dynamodb:GetItem recordsverifications',
  'dynamodb:PutItem recordsverifications',
  'dynamodb:UpdateItem recordsverifications',
  's3:PutObject captures/captures/*',
  'secretsmanager:GetSecretValue secretsidkey',
  ...sends,
];

/** Of the tenants' table, rows of credits alone. */
const credits =
  'dynamodb:UpdateItem recordstenants if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["*/credits"]}}';

/** Of the tenants' table, rows of endpoints alone. */
const endpoints =
  'dynamodb:UpdateItem recordstenants if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["*/endpoints"]}}';

/** Of the tenants' table, rows of operators alone. */
const operators =
  'dynamodb:UpdateItem recordstenants if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["*/operators"]}}';

/** The bus by its name: it is made after the function. */
const putsEvents =
  'events:PutEvents arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/bonafide-verifications';

const expected: Record<string, string[]> = {
  vendorapisserveidentify: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:PutItem recordsverifications',
    'secretsmanager:GetSecretValue secretsidkey',
    'sqs:SendMessage ordersfetchesqueue',
    credits,
  ],
  ordersfetchcapture: [
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    's3:DeleteObject captures/captures/*',
    's3:DeleteObjectVersion captures/captures/*',
    's3:PutObject captures/captures/*',
    listsCaptures,
    ...sends,
    ...consumes('ordersfetchesqueue'),
  ],
  ordersdeliverwebhook: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    'dynamodb:BatchGetItem recordsevents',
    'dynamodb:GetItem recordsdeliveries',
    'dynamodb:PutItem recordsdeliveries',
    'dynamodb:UpdateItem recordsdeliveries',
    'dynamodb:Query recordsdeliveries/index/by_endpoint',
    'dynamodb:Query recordsevents/index/by_tenant',
    'dynamodb:GetItem recordsevents',
    'dynamodb:PutItem recordsevents',
    'dynamodb:UpdateItem recordsevents',
    putsEvents,
    'secretsmanager:GetSecretValue secretsendpointkey',
    'sqs:SendMessage ordersdeliveriesqueue',
    'sqs:SendMessage ordersdeliveriesundeliverable',
    'sqs:SendMessage orderswebhooksqueue',
    credits,
    endpoints,
    ...consumes('ordersdeliveriesqueue'),
    ...consumes('orderswebhooksqueue'),
  ],
  ...Object.fromEntries(dispatchers),
  vendorapisservespoofsense: serves,
  vendorapisserveonesmartlab: serves,
  webhooksreaddeliveries: [
    'dynamodb:BatchGetItem recordsdeliveries',
    'dynamodb:BatchGetItem recordsevents',
    'dynamodb:GetItem recordsdeliveries',
    'dynamodb:GetItem recordsevents',
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:Query recordsdeliveries',
    'dynamodb:Query recordsdeliveries/index/by_endpoint',
    'dynamodb:Query recordsdeliveries/index/by_state',
    'dynamodb:Query recordsevents/index/by_tenant',
    'secretsmanager:GetSecretValue secretsidkey',
    endpoints,
  ],
  webhookssendagain: [
    'dynamodb:GetItem recordsdeliveries',
    'dynamodb:GetItem recordsevents',
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'sqs:SendMessage ordersdeliveriesqueue',
    'sqs:SendMessage orderswebhooksqueue',
    endpoints,
  ],
  webhooksmanageendpoints: [
    'dynamodb:GetItem recordstenants',
    'secretsmanager:GetSecretValue secretsendpointkey',
    endpoints,
  ],
  consolesigninoperator: ['dynamodb:GetItem recordstenants', operators],
  consolereadconsole: [
    'dynamodb:GetItem recordsbreakers',
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:Query recordsoutcomes',
    'dynamodb:Query recordsverifications/index/by_state',
    'secretsmanager:GetSecretValue secretsidkey',
    listsCaptures,
  ],
  consolelookatcapture: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:PutItem recordslooks',
    'dynamodb:Query recordslooks',
    ...opensCaptures,
    'secretsmanager:GetSecretValue secretsidkey',
  ],
  publicapireceiveresult: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    's3:DeleteObject captures/captures/*',
    's3:DeleteObjectVersion captures/captures/*',
    'secretsmanager:GetSecretValue secretsreference',
    ...sends,
  ],
  publicapirequestverification: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:PutItem recordsverifications',
    'dynamodb:Query recordsverifications/index/by_failed_subject',
    'dynamodb:UpdateItem recordsverifications',
    's3:PutObject captures/captures/*',
    'secretsmanager:GetSecretValue secretsclienttoken',
    'secretsmanager:GetSecretValue secretsidkey',
  ],
  publicapihandoffcapture: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    'secretsmanager:GetSecretValue secretsclienttoken',
    'secretsmanager:GetSecretValue secretsidkey',
  ],
  publicapireadverification: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:Query recordsverifications/index/by_state',
    'secretsmanager:GetSecretValue secretsclienttoken',
    'secretsmanager:GetSecretValue secretsidkey',
  ],
  publicapieraseverification: [
    'dynamodb:DeleteItem recordssightings',
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    'dynamodb:UpdateItem recordsevents',
    's3:DeleteObject captures/captures/*',
    's3:DeleteObjectVersion captures/captures/*',
    'secretsmanager:GetSecretValue secretsidkey',
    listsCaptures,
  ],
  publicapireviewverification: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    'secretsmanager:GetSecretValue secretsidkey',
  ],
  publicapiretryverification: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    ...opensCaptures,
    'secretsmanager:GetSecretValue secretsidkey',
    ...sends,
  ],
  publicapiservepages: ['dynamodb:GetItem recordstenants'],
  publicapireadreceipt: [
    'dynamodb:GetItem recordstenants',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordstenants if {"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["deployment/receipt-keys"]}}',
    'secretsmanager:GetSecretValue secretsidkey',
    'secretsmanager:GetSecretValue secretsreceipt',
  ],
  captureintakenoticecapture: [
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    's3:DeleteObject captures/captures/*',
    's3:DeleteObjectVersion captures/captures/*',
    listsCaptures,
    ...sends,
    ...consumes('captureintakecapturesqueue'),
  ],
  builtinengineanalysecapture: [
    'dynamodb:BatchGetItem recordssightings',
    'dynamodb:PutItem recordssightings',
    'secretsmanager:GetSecretValue secretsfingerprintkey',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:UpdateItem recordsverifications',
    's3:DeleteObject captures/captures/*',
    's3:DeleteObjectVersion captures/captures/*',
    ...opensCaptures,
    ...sends,
    ...consumes('providersbuiltinqueue'),
  ],
  sweepsweepverifications: [
    'dynamodb:DeleteItem recordssightings',
    'dynamodb:GetItem recordsverifications',
    'dynamodb:Query recordsverifications/index/by_due',
    'dynamodb:UpdateItem recordsverifications',
    's3:DeleteObject captures/captures/*',
    's3:DeleteObjectVersion captures/captures/*',
    listsCaptures,
    ...sends,
    'sqs:SendMessage ordersdeliveriesqueue',
    'dynamodb:GetItem recordsdeliveries',
    'dynamodb:Query recordsdeliveries/index/by_due',
    'sqs:SendMessage ordersfetchesqueue',
    'sqs:SendMessage orderswebhooksqueue',
    'sqs:SendMessage sweepundeliverable',
  ],
  resultdeliveryannounceevent: [
    'dynamodb:DescribeStream recordsverifications.StreamArn',
    'dynamodb:GetRecords recordsverifications.StreamArn',
    'dynamodb:GetShardIterator recordsverifications.StreamArn',
    'dynamodb:ListStreams recordsverifications.StreamArn',
    'dynamodb:GetItem recordstenants',
    'dynamodb:PutItem recordsevents',
    'dynamodb:PutItem recordsoutcomes',
    'dynamodb:UpdateItem recordsevents',
    'events:PutEvents resultdeliverybus',
    'sqs:SendMessage ordersdeliveriesqueue',
    'sqs:SendMessage orderswebhooksqueue',
    'sqs:SendMessage resultdeliveryundeliverable',
  ],
};

const template = synthesize();
const grants = grantsByFunction(template);
const templateWithKey = synthesize({ encryption: 'kms' });
const grantsWithKey = grantsByFunction(templateWithKey);

/** What a service asks of the key in the name of its caller. */
const asked = [
  ['dynamodb:', 'kms:Decrypt', 'dynamodb'],
  ['s3:GetObjectVersion ', 'kms:Decrypt', 's3'],
  ['s3:PutObject ', 'kms:GenerateDataKey', 's3'],
  ['secretsmanager:GetSecretValue ', 'kms:Decrypt', 'secretsmanager'],
  ['sqs:ReceiveMessage ', 'kms:Decrypt', 'sqs'],
  ['sqs:SendMessage ', 'kms:Decrypt', 'sqs'],
  ['sqs:SendMessage ', 'kms:GenerateDataKey', 'sqs'],
] as const;

function keyUsesOf(allowed: readonly string[]): string[] {
  const uses = asked.filter(([granted]) => allowed.some((grant) => grant.startsWith(granted)));
  const grants = uses.map(([, action, service]) => {
    const through = { 'Fn::Join': ['', [`${service}.`, { Ref: 'AWS::Region' }, '.amazonaws.com']] };
    return `${action} encryptionkey if ${JSON.stringify({ StringEquals: { 'kms:ViaService': through } })}`;
  });
  return [...new Set(grants)].sort();
}

it('knows every function there is', () => {
  expect(Object.keys(grants).sort()).toEqual(Object.keys(expected).sort());
});

describe.each(Object.entries(expected))('%s', (name, allowed) => {
  it('may do exactly this', () => {
    expect(grants[name]).toEqual([...allowed, ...logs(name)].sort());
  });

  it('may use the key where there is one through the services it uses, for what they need', () => {
    const added = grantsWithKey[name]?.filter((grant) => !grants[name]?.includes(grant));
    expect(added).toEqual(keyUsesOf(allowed));
  });
});

/** Every statement of a policy on a resource that lets a service of AWS do something, with the resource it is on. */
function servicesLetIn(of: Template): { on: string; service: string; actions: string[]; condition: string }[] {
  return Object.entries(of.toJSON().Resources as Record<string, Resource>).flatMap(
    ([id, { Type, Properties = {} }]) => {
      if (Type === 'AWS::Lambda::Permission') {
        const { Principal, Action, SourceArn, SourceAccount } = Properties;
        const condition = JSON.stringify({ 'aws:SourceArn': SourceArn, 'aws:SourceAccount': SourceAccount });
        return [{ on: id, service: named(Principal), actions: [Action], condition }];
      }
      const { PolicyDocument, KeyPolicy, ResourcePolicy, Policy } = Properties;
      const document = PolicyDocument ?? KeyPolicy ?? ResourcePolicy ?? Policy;
      const statements: (Statement & { Principal?: { Service?: unknown } | '*' })[] = [
        document?.Statement ?? [],
      ].flat();
      return statements.flatMap(({ Effect, Principal, Action, Condition = {} }) => {
        if (Effect !== 'Allow' || Principal === undefined) return [];
        const services = Principal === '*' ? ['*'] : [Principal.Service ?? []].flat().map(named);
        const condition = JSON.stringify(Condition);
        return services.map((service) => ({ on: id, service, actions: [Action].flat(), condition }));
      });
    },
  );
}

describe.each([
  ['keys of AWS', template],
  ['a key of this account', templateWithKey],
])('policies on resources, under %s', (_, of) => {
  const letIn = servicesLetIn(of);

  it('are found: of queues, functions, and the key where there is one', () => {
    const types = letIn.map(({ on }) => of.toJSON().Resources[on].Type);
    const key = of === templateWithKey ? ['AWS::KMS::Key'] : [];
    expect([...new Set(types)].sort()).toEqual([...key, 'AWS::Lambda::Permission', 'AWS::SQS::QueuePolicy']);
  });

  it('let a service in for a resource or an account that they name: rules of other accounts are not', () => {
    const open = letIn.filter(({ condition }) => !/"aws:Source(Arn|Account)":/.test(condition));
    expect(open).toEqual([]);
  });

  it('let rules do what they do with a queue and its key, and nothing else', () => {
    const actions = letIn.filter(({ service }) => service === 'events.amazonaws.com').flatMap((one) => one.actions);
    const toQueues = ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'];
    const withKey = of === templateWithKey ? ['kms:Decrypt', 'kms:GenerateDataKey'] : [];
    expect([...new Set(actions)].sort()).toEqual([...withKey, 'lambda:InvokeFunction', ...toQueues].sort());
  });
});

it('lets the key of ids be read by what starts from a source_id, and by nothing else', () => {
  const readers = Object.keys(grants).filter((name) => grants[name]?.some((grant) => grant.includes('secretsidkey')));
  const asked = routes.filter(
    ({ path, request, vendor, page }) =>
      !page && // a page looks nothing up: its script does
      (path.includes('{source_id}') ||
        request.body === verificationRequest ||
        (request.query && 'source_id' in request.query.shape) ||
        vendor),
  );
  const functions = new Set(asked.map(functionIdOf));
  expect(readers.sort()).toEqual([...functions].sort());
});

it('gives no function a policy of AWS, which would name more than it needs', () => {
  for (const { Properties } of Object.values(resourcesOf(template, 'AWS::IAM::Role'))) {
    expect(Properties.ManagedPolicyArns).toBeUndefined();
  }
});
