import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { type PolicyInput, policyInput, policyMistakes } from '../shared/domain/policy.ts';
import { sourceId, tenantId } from '../shared/domain/verification.ts';
import { legacyVerificationIdOf, verificationIdOf } from '../shared/domain/verification-id.ts';
import { connectors } from '../shared/providers/connect.ts';
import { registry } from '../shared/providers/registry.ts';
import { type IssuedKey, keyCacheSeconds } from '../shared/stores/tenants/row.ts';
import { dynamoTenants, type Tenants } from '../shared/stores/tenants/tenants.ts';
import { dataDirectory, localStack } from './target.ts';

const usage = `Keeps tenants and finds their verifications, in the running local stack or in AWS.

  npm run admin -- tenant create acme              a tenant with the default policy; prints its first key, once
  npm run admin -- tenant add-key acme             another key, beside the ones it has
  npm run admin -- tenant revoke-key acme KEY_ID
  npm run admin -- tenant show acme                key ids, policy, where credentials are kept; no key is stored

  npm run admin -- policy show acme
  npm run admin -- policy validate FILE            says what is wrong with it; changes nothing
  npm run admin -- policy set acme FILE            the next version; verifications under way keep theirs

  npm run admin -- credentials set PROVIDER acme FILE        {"settings": {…}, "credentials": {…}}: docs/providers.md
  npm run admin -- credentials set PROVIDER deployment FILE  for tenants that have none of their own
  npm run admin -- credentials forget PROVIDER acme

  npm run admin -- webhook rotate PROVIDER acme    a new webhook address, shown this once; the old one is taken
                                                   for --grace-seconds more (default a day)

  npm run admin -- verification id acme SOURCE_ID  what logs and object keys call it; reads the key of ids, no record

  Without an option: the local stack (npm start) of BONAFIDE_DATA.
  --aws              the stack this checkout deployed (cdk-outputs.json, written by npm run deploy)
  --tenants-table T  a table by name, with the AWS credentials and region of your environment
                     (then also --stack NAME, default bonafide, --url URL of the API, --id-key-secret ARN)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    aws: { type: 'boolean', default: false },
    'tenants-table': { type: 'string' },
    stack: { type: 'string', default: 'bonafide' },
    url: { type: 'string' },
    'id-key-secret': { type: 'string' },
    'grace-seconds': { type: 'string', default: '86400' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** What is read here of the outputs of a deployed stack; one from before ids had a key has no such secret. */
const deployedOutputs = z.looseObject({
  TenantsTable: z.string(),
  ApiUrl: z.string(),
  IdKeySecret: z.string().optional(),
});

interface Deployment {
  readonly tenants: Tenants;
  readonly secrets: SecretsManagerClient;
  readonly stackName: string;
  readonly apiUrl: string;
  /** Name or ARN of the secret that holds the key of ids. */
  readonly idKeySecret: string | undefined;
}

type Command = (deployment: Deployment, words: readonly string[]) => Promise<void>;

/** By the first two words; the rest are the command's own. */
const commands: Readonly<Record<string, { words: number; run: Command }>> = {
  'tenant create': { words: 1, run: async ({ tenants }, [id = '']) => printKey(await tenants.create(tenant(id))) },
  'tenant add-key': { words: 1, run: async ({ tenants }, [id = '']) => printKey(await tenants.addKey(tenant(id))) },
  'tenant revoke-key': {
    words: 2,
    run: async ({ tenants }, [id = '', keyId = '']) => {
      if (!(await tenants.revokeKey(tenant(id), keyId))) throw new Error(`Tenant ${id} has no key ${keyId}`);
      console.log(`Revoked. Functions that have just seen the key may take it for ${keyCacheSeconds} s more.`);
    },
  },
  'tenant show': {
    words: 1,
    run: async ({ tenants }, [id = '']) => {
      const { keys, webhooks, ...rest } = await known(tenants, id);
      const shown = <T extends { sha256: string }>(kept: readonly T[]) => kept.map(({ sha256: _, ...row }) => row);
      console.log(JSON.stringify({ ...rest, keys: shown(keys), webhooks: shown(webhooks) }, null, 2));
    },
  },
  'policy show': {
    words: 1,
    run: async ({ tenants }, [id = '']) => console.log(JSON.stringify((await known(tenants, id)).policy, null, 2)),
  },
  'policy set': {
    words: 2,
    run: async ({ tenants }, [id = '', file = '']) => {
      const version = await tenants.setPolicy(tenant(id), await readPolicy(file));
      console.log(`Policy ${version} of ${id}: requests use it within ${keyCacheSeconds} s.`);
    },
  },
  'credentials set': {
    words: 3,
    run: async (deployment, [provider = '', owner = '', file = '']) => {
      const secret: unknown = JSON.parse(await read(file, 'give a file with the settings and credentials'));
      const connector = registry.get(provider)?.remote ? connectors.get(provider) : undefined;
      if (!connector) throw new Error(`${provider} is not a provider with credentials: ${remoteProviders()}`);
      const { settings, credentials } = connector;
      const mistakes = mistakesOf(z.strictObject({ settings, credentials }).safeParse(secret));
      if (mistakes.length > 0) throw new Error(`Not set. ${mistakes.join('\n')}`);
      const name = `${deployment.stackName}/providers/${provider}/${owner === 'deployment' ? owner : tenant(owner)}`;
      await putSecret(deployment.secrets, name, JSON.stringify(secret));
      await deployment.tenants.setCredentials(owner, provider, name);
      console.log(`Kept as ${name}; requests use it within ${keyCacheSeconds} s.`);
    },
  },
  'credentials forget': {
    words: 2,
    run: async ({ tenants }, [provider = '', owner = '']) => {
      await tenants.setCredentials(owner, provider, undefined);
      console.log(`Forgotten: new requests of ${owner} do not use ${provider}. The secret itself stays where it was.`);
    },
  },
  'webhook rotate': {
    words: 2,
    run: async ({ tenants, apiUrl }, [provider = '', id = '']) => {
      if (!registry.get(provider)?.remote) throw new Error(`${provider} sends no webhooks`);
      const graceSeconds = z.coerce.number().int().min(0).parse(values['grace-seconds']);
      const { key } = await tenants.rotateWebhook(tenant(id), provider, graceSeconds);
      console.log(`${apiUrl}/webhooks/${provider}/${key}\nShown this once: only its hash is stored.`);
    },
  },
  'verification id': {
    words: 2,
    run: async ({ secrets, idKeySecret }, [id = '', source = '']) => {
      const SecretId = idKeySecret;
      if (!SecretId) throw new Error('Give --id-key-secret: its ARN is the stack’s output IdKeySecret');
      const owner = tenant(id);
      const asked = sourceId.safeParse(source);
      if (!asked.success) throw new Error(`A source_id ${asked.error.issues[0]?.message}`);
      const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      console.log(
        `${verificationIdOf(SecretString, owner, asked.data)}\n` +
          `${legacyVerificationIdOf(owner, asked.data)}  if a version from before ids had a key made it`,
      );
    },
  },
};

try {
  process.exitCode = await administer(positionals);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function administer([noun, verb, ...words]: readonly string[]): Promise<number> {
  if (noun === 'policy' && verb === 'validate' && words[0]) {
    await readPolicy(words[0]);
    console.log('It can be set.');
    return 0;
  }
  const command = commands[`${noun} ${verb}`];
  if (values.help || !command || words.length < command.words) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  await command.run(await connect(), words);
  return 0;
}

function tenant(name: string): string {
  const id = tenantId.safeParse(name);
  if (!id.success) throw new Error(`A tenant's name ${id.error.issues[0]?.message}`);
  return id.data;
}

async function known(tenants: Tenants, id: string) {
  const found = await tenants.find(tenant(id));
  if (!found) throw new Error(`There is no tenant ${id}`);
  return found;
}

/** A policy file, or an error that names every mistake in it. */
async function readPolicy(file: string): Promise<PolicyInput> {
  const { version: _, ...written } = z
    .looseObject({ version: z.unknown().optional() })
    .parse(JSON.parse(await read(file, 'give a file; start from: policy show')));
  const parsed = policyInput.safeParse(written);
  const mistakes = parsed.success ? policyMistakes(parsed.data, registry) : mistakesOf(parsed);
  if (!parsed.success || mistakes.length > 0) throw new Error(`Not a policy:\n  ${mistakes.join('\n  ')}`);
  return parsed.data;
}

/** By field and in words, never by value: values may be secrets. */
function mistakesOf({ error }: z.ZodSafeParseResult<unknown>): string[] {
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

async function putSecret(client: SecretsManagerClient, Name: string, SecretString: string): Promise<void> {
  try {
    await client.send(new CreateSecretCommand({ Name, SecretString }));
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    await client.send(new PutSecretValueCommand({ SecretId: Name, SecretString }));
  }
}

function remoteProviders(): string {
  return Object.values(registry)
    .filter(({ remote }) => remote)
    .map(({ name }) => name)
    .join(', ');
}

function printKey({ id, key }: IssuedKey): void {
  console.log(`key id  ${id}\napi key ${key}\nThe key is shown this once: only its hash is stored.`);
}

async function connect(): Promise<Deployment> {
  const open = (
    { table, ...about }: Pick<Deployment, 'stackName' | 'apiUrl' | 'idKeySecret'> & { table: string },
    at?: z.infer<typeof localStack>['environment'],
  ) => {
    const config = at && {
      region: at.AWS_REGION,
      credentials: { accessKeyId: at.AWS_ACCESS_KEY_ID, secretAccessKey: at.AWS_SECRET_ACCESS_KEY },
    };
    const client = new DynamoDBClient({ ...config, ...(at && { endpoint: at.AWS_ENDPOINT_URL_DYNAMODB }) });
    const secrets = new SecretsManagerClient({
      ...config,
      ...(at && { endpoint: at.AWS_ENDPOINT_URL_SECRETS_MANAGER }),
    });
    return {
      tenants: dynamoTenants({ client, table, now: () => new Date(), randomBytes }),
      secrets,
      ...about,
    };
  };
  const named = values['tenants-table'];
  if (named) {
    const idKeySecret = values['id-key-secret'];
    return open({ table: named, stackName: values.stack, apiUrl: values.url ?? '<the API>', idKeySecret });
  }
  if (values.aws) {
    const outputs = z
      .record(z.string(), deployedOutputs)
      .parse(JSON.parse(await read('cdk-outputs.json', 'deploy first (npm run deploy), or give --tenants-table')));
    const [stack] = Object.entries(outputs);
    if (!stack) throw new Error('cdk-outputs.json names no stack');
    const [stackName, { TenantsTable: table, ApiUrl: apiUrl, IdKeySecret: idKeySecret }] = stack;
    return open({ table, stackName, apiUrl, idKeySecret });
  }
  const path = join(dataDirectory(), 'stack.json');
  const { url, environment, outputs } = localStack.parse(
    JSON.parse(await read(path, 'start the local stack (npm start), or give --aws')),
  );
  const { TenantsTable: table, IdKeySecret: idKeySecret } = outputs;
  return open({ table, stackName: values.stack, apiUrl: url, idKeySecret }, environment);
}

async function read(path: string, remedy: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new Error(`${path} is not there: ${remedy}`);
  }
}
