import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { startHttpApi } from '../../local/http-api/http-api.ts';
import { startS3 } from '../../local/s3/s3.ts';
import { startSecretsManager } from '../../local/secrets-manager/secrets-manager.ts';
import { routes } from '../../shared/api/operations.ts';
import { policyInput, policyMistakes } from '../../shared/domain/policy.ts';
import { registry } from '../../shared/providers/registry.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { startTables } from '../stores/table.ts';

/** The API in this process: its own handlers on the embedded tables. All that these tests know of the inside. */
export interface ServedApi {
  readonly url: string;
  readonly apiKey: string;
  /** Of Identify's webhooks for the same tenant. */
  readonly webhookToken: string;
  readonly stop: () => Promise<void>;
}

export async function serveApi(): Promise<ServedApi> {
  const tables = await startTables();
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-'));
  const secret = { name: 'secret', arn: 'arn:secret', secretString: 'asecretofthistest'.repeat(4) };
  const secrets = await startSecretsManager(join(directory, 'secrets.json'), [secret]);
  const s3 = await startS3({
    directory: join(directory, 's3'),
    buckets: [{ name: 'captures', versioned: true, notifies: false, cors: [], lifecycle: [] }],
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: tables.server.endpoint,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    VERIFICATIONS_TABLE: 'verifications',
    TENANTS_TABLE: 'tenants',
    SIGHTINGS_TABLE: 'sightings',
    EVENTS_TABLE: 'events',
    DELIVERIES_TABLE: 'deliveries',
    CAPTURES_BUCKET: 'captures',
    KEEPS_ETAGS: 'true',
    PROVIDER_QUEUES: '{}',
    DELIVERIES_QUEUE: 'http://127.0.0.1/deliveries',
    WEBHOOKS_QUEUE: 'http://127.0.0.1/webhooks.fifo',
    CLIENT_TOKEN_SECRET: 'secret',
    ID_KEY_SECRET: 'secret',
    ENDPOINT_KEY_SECRET: 'secret',
    LOOPBACK: 'false',
    LEGACY_IDS: 'true',
    REFERENCE_SECRET: 'secret',
    RECEIPT_SECRET: 'secret',
    MAXIMUM_WAIT_SECONDS: '0',
    PUBLIC_URL: '',
    BREAKERS_TABLE: 'breakers',
    LOOKS_TABLE: 'looks',
    OUTCOMES_TABLE: 'outcomes',
    OIDC_ISSUER: '',
    OIDC_CLIENT_ID: '',
    OIDC_CLIENT_SECRET: '',
  });
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true); // the handlers' log: a line a request

  const handlers = new Map<string, (event: unknown, context: unknown) => Promise<unknown>>();
  for (const { function: name } of routes) {
    if (!handlers.has(name)) handlers.set(name, (await import(`../../functions/${name}/handler.ts`)).handler);
  }
  const api = await startHttpApi(0);
  api.serve({
    routes: routes.map((route) => ({
      routeKey: route.key,
      timeoutMs: 30_000,
      request: async (event) => handlers.get(route.function)?.(event, {}),
    })),
    rewrite: (body) => body,
  });

  const tenants = dynamoTenants({ client: tables.client, table: 'tenants', now: () => new Date(), randomBytes });
  const { key: apiKey } = await tenants.create('acme');
  const { key: webhookToken } = await tenants.rotateWebhook('acme', 'identify', 60);
  return {
    url: api.url,
    apiKey,
    webhookToken,
    stop: async () => {
      await api.stop();
      await s3.stop();
      await secrets.stop();
      await tables.stop();
      written.mockRestore();
    },
  };
}

/** What `npm run admin -- policy set` makes of a policy: what is wrong with it, and what would be kept. */
export function readPolicy(policy: unknown): { mistakes: readonly string[]; kept: unknown } {
  const { data, error } = policyInput.safeParse(policy);
  const mistakes = data ? policyMistakes(data, registry, {}) : (error?.issues.map(({ message }) => message) ?? []);
  return { mistakes, kept: data };
}
