import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll } from 'vitest';
import { startSecretsManager } from '../../local/secrets-manager/secrets-manager.ts';
import { dynamoTenants, type Tenants } from '../../shared/stores/tenants/tenants.ts';
import { startTables } from '../stores/table.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The tenants' table and the secrets of a local stack without the rest of it, and `npm run admin` to keep them. */
export function administered() {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-admin-'));
  const secretsFile = join(directory, 'secrets.json');
  let tables: Awaited<ReturnType<typeof startTables>>;
  let secrets: Awaited<ReturnType<typeof startSecretsManager>>;

  beforeAll(async () => {
    [tables, secrets] = await Promise.all([startTables(), startSecretsManager(secretsFile, [])]);
    write('stack.json', {
      url: 'http://127.0.0.1:4000',
      environment: {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
        AWS_ENDPOINT_URL_DYNAMODB: tables.server.endpoint,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      },
      outputs: {
        CapturesBucket: 'captures',
        VerificationsTable: 'verifications',
        TenantsTable: 'tenants',
        IdKeySecret: 'the-key-of-ids',
      },
    });
  });
  afterAll(async () => {
    await Promise.all([tables.stop(), secrets.stop()]);
  });

  /** Writes a file for a command to read; answers its path. */
  function write(name: string, content: unknown): string {
    const path = join(directory, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  return {
    write,
    tenants: (): Tenants =>
      dynamoTenants({ client: tables.client, table: 'tenants', now: () => new Date(), randomBytes }),
    /** The secret of this name, parsed. */
    secret: (name: string): unknown => JSON.parse(JSON.parse(readFileSync(secretsFile, 'utf8'))[name].secretString),
    admin: async (...words: string[]): Promise<Ran> => {
      const child = spawn(process.execPath, ['tools/admin.ts', ...words], {
        env: { ...process.env, BONAFIDE_DATA: directory },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      return { code, stdout, stderr };
    },
  };
}
