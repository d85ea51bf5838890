import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, beforeAll, vi } from 'vitest';
import { startSecretsManager } from '../../local/secrets-manager/secrets-manager.ts';
import { dynamoTenants, type Tenants } from '../../shared/stores/tenants/tenants.ts';
import { idKey } from '../builders/deployment.ts';
import { startTables } from '../stores/table.ts';

const idKeySecret = { name: 'the-key-of-ids', arn: 'the-key-of-ids', secretString: idKey };

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As the template has it generated. */
const endpointKey = {
  name: 'the-key-of-endpoints',
  arn: 'the-key-of-endpoints',
  generate: { PasswordLength: 64, ExcludePunctuation: true },
};

/** The tenants' table and the secrets of a local stack without the rest of it, and `npm run admin` to keep them. */
export function administered() {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-admin-'));
  const secretsFile = join(directory, 'secrets.json');
  let tables: Awaited<ReturnType<typeof startTables>>;
  let secrets: Awaited<ReturnType<typeof startSecretsManager>>;

  beforeAll(async () => {
    [tables, secrets] = await Promise.all([
      startTables(),
      startSecretsManager(secretsFile, [endpointKey, idKeySecret]),
    ]);
    write('stack.json', {
      url: 'http://127.0.0.1:4000',
      environment: {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
        AWS_ENDPOINT_URL_DYNAMODB: tables.server.endpoint,
        AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9',
        AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://127.0.0.1:9',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      },
      outputs: {
        CapturesBucket: 'captures',
        VerificationsTable: 'verifications',
        TenantsTable: 'tenants',
        IdKeySecret: 'the-key-of-ids',
        EndpointKeySecret: endpointKey.name,
      },
    });
  });
  afterAll(async () => {
    await Promise.all([tables.stop(), secrets.stop()]);
  });

  /** Writes a file for a command to read; answers its path. */
  function write(name: string, content: unknown): string {
    const path = join(directory, name);
    const asItIs = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path, asItIs ? content : JSON.stringify(content));
    return path;
  }

  return {
    write,
    /** Says of the stack what else it has. */
    amend(environment: Readonly<Record<string, string>>, outputs: Readonly<Record<string, string>>): void {
      const told = JSON.parse(readFileSync(join(directory, 'stack.json'), 'utf8'));
      write('stack.json', {
        ...told,
        environment: { ...told.environment, ...environment },
        outputs: { ...told.outputs, ...outputs },
      });
    },
    client: () => tables.client,
    tenants: (): Tenants =>
      dynamoTenants({ client: tables.client, table: 'tenants', now: () => new Date(), randomBytes }),
    /** The secret of this name, parsed. */
    secret: (name: string): unknown => JSON.parse(JSON.parse(readFileSync(secretsFile, 'utf8'))[name].secretString),
    admin: (...words: string[]): Promise<Ran> => ranHere(directory, words),
  };
}

/**
 * `tools/admin.ts` as a new process would run it, in this one: loading the SDK sixty times takes longer than all it is
 * asked here. `usage.test.ts` and the journeys start it in a process of its own.
 */
async function ranHere(directory: string, words: readonly string[]): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const onto =
    (stream: keyof typeof written) =>
    (...values: unknown[]) => {
      written[stream] += `${format(...values)}\n`;
    };
  const ended = new Error('The program ended itself');
  vi.stubEnv('BONAFIDE_DATA', directory);
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(onto('stdout')),
    vi.spyOn(console, 'error').mockImplementation(onto('stderr')),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      process.exitCode = code ?? 0;
      throw ended;
    }),
    vi.spyOn(process, 'argv', 'get').mockReturnValue([process.execPath, 'tools/admin.ts', ...words]),
  ];
  process.exitCode = 0;
  vi.resetModules();
  try {
    await import('../../tools/admin.ts').catch((error: unknown) => {
      if (error !== ended) throw error;
    });
    return { code: Number(process.exitCode), ...written };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}
