import { randomInt, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { listenOnLoopback, readBody, sendJson } from '../loopback-server.ts';

/** A secret of the template: its text, or how to make one. */
export interface SecretDefinition {
  name: string;
  arn: string;
  secretString?: string;
  generate?: GenerateSecretString;
}

export interface GenerateSecretString {
  PasswordLength?: number;
  ExcludeCharacters?: string;
  ExcludeLowercase?: boolean;
  ExcludeNumbers?: boolean;
  ExcludePunctuation?: boolean;
  ExcludeUppercase?: boolean;
  SecretStringTemplate?: string;
  GenerateStringKey?: string;
}

export interface SecretsManager {
  endpoint: string;
  stop: () => Promise<void>;
}

interface SecretVersion {
  secretString: string;
  versionId: string;
  createdAt: number;
}

/** The current version, and the one it replaced. */
interface StoredSecret extends SecretVersion {
  previous?: SecretVersion;
}

const contentType = 'application/x-amz-json-1.1';

/** Secrets in one file that only its owner can read. What the template generates is made once and then kept. */
export async function startSecretsManager(file: string, definitions: SecretDefinition[]): Promise<SecretsManager> {
  const secrets: Record<string, StoredSecret> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const save = () => {
    writeFileSync(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    chmodSync(file, 0o600);
  };
  const store = (name: string, secretString: string) => {
    const { previous: _, ...previous } = secrets[name] ?? {};
    const current = { secretString, versionId: randomUUID(), createdAt: Math.floor(Date.now() / 1000) };
    secrets[name] = { ...current, ...('versionId' in previous && { previous }) };
    save();
  };
  for (const { name, secretString, generate } of definitions) {
    if (!secrets[name]) store(name, secretString ?? generateSecret(generate ?? {}));
  }

  const server = await listenOnLoopback(async (request, response) => {
    const refuse = (type: string, message: string) => sendJson(response, 400, { __type: type, message }, contentType);
    const operation = String(request.headers['x-amz-target']).split('.')[1];
    const body = JSON.parse((await readBody(request)).toString() || '{}');
    const definition = definitions.find(({ name, arn }) => body.SecretId === name || body.SecretId === arn);
    const Name = String(operation === 'CreateSecret' ? body.Name : (definition?.name ?? body.SecretId));
    const ARN = definition?.arn ?? `arn:aws:secretsmanager:us-east-1:000000000000:secret:${Name}`;
    if (operation === 'CreateSecret' && secrets[Name]) {
      return refuse('ResourceExistsException', `The operation failed because the secret ${Name} already exists.`);
    }
    if (operation !== 'CreateSecret' && !secrets[Name]) {
      return refuse('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    if (operation === 'PutSecretValue' || operation === 'CreateSecret') store(Name, String(body.SecretString));
    const secret = secrets[Name];
    if (!secret || !['GetSecretValue', 'PutSecretValue', 'CreateSecret'].includes(operation ?? '')) {
      return refuse('UnknownOperationException', `The local Secrets Manager does not know ${operation}`);
    }
    const stage = String((operation === 'GetSecretValue' && body.VersionStage) || 'AWSCURRENT');
    const version = versionAt(secret, stage);
    if (!version) {
      const message = `Secrets Manager can't find the specified secret value for staging label: ${stage}`;
      return refuse('ResourceNotFoundException', message);
    }
    const about = { ARN, Name, VersionId: version.versionId, VersionStages: [stage] };
    const value = { SecretString: version.secretString, CreatedDate: version.createdAt };
    sendJson(response, 200, operation === 'GetSecretValue' ? { ...about, ...value } : about, contentType);
  });
  return { endpoint: server.url, stop: server.stop };
}

function versionAt(secret: StoredSecret, stage: string): SecretVersion | undefined {
  if (stage === 'AWSCURRENT') return secret;
  return stage === 'AWSPREVIOUS' ? secret.previous : undefined;
}

/** What CloudFormation's GenerateSecretString makes. */
export function generateSecret(options: GenerateSecretString): string {
  const alphabet = [
    options.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    options.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    options.ExcludeNumbers ? '' : '0123456789',
    options.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
  ];
  const allowed = [...alphabet.join('')].filter((character) => !options.ExcludeCharacters?.includes(character));
  const password = Array.from({ length: options.PasswordLength ?? 32 }, () => allowed[randomInt(allowed.length)]).join(
    '',
  );
  if (!options.GenerateStringKey) return password;
  return JSON.stringify({ ...JSON.parse(options.SecretStringTemplate ?? '{}'), [options.GenerateStringKey]: password });
}
