import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ensureDemoTenant, tenantsOf } from '../local/demo-tenant.ts';
import { startStack } from '../local/stack.ts';
import { clientOf, newSourceId } from '../test/journeys/client.ts';
import { portrait } from '../tools/samples.ts';
import { startVendorSimulator } from '../tools/vendor-simulator/server.ts';

const runs = 50;
const videos = 8;
const slowMilliseconds = 56_000;
const settleMilliseconds = 4000;

/**
 * Whether a slow vendor holds up another: SpoofSense's time from upload to verdict, alone and while One Smart Lab sits
 * on eight videos for 56 s each. Milliseconds.
 */
export async function benchIsolation(template: string, directory: string) {
  const vendors = await startVendorSimulator();
  const stack = await startStack({ template, dataDirectory: directory, port: 0 });
  try {
    const { apiKey } = await ensureDemoTenant(stack, directory);
    await giveCredentials(stack, vendors);
    const client = clientOf({ url: stack.url, apiKey });
    const selfie = await portrait(400);
    const verdictIn = async () => {
      const sourceId = newSourceId();
      const view = await client.request(sourceId, { provider: 'spoofsense' });
      const put = view.uploads.selfie?.put;
      await fetch(put?.url ?? '', { method: 'PUT', headers: put?.headers ?? {}, body: Buffer.from(selfie) });
      const from = performance.now();
      const { verdict } = await client.verdict(sourceId);
      if (verdict?.provider !== 'spoofsense') throw new Error(`Decided by ${verdict?.provider}`);
      return performance.now() - from;
    };
    const measure = async () => {
      const times: number[] = [];
      for (let run = 0; run < runs; run += 1) times.push(await verdictIn());
      const sorted = times.toSorted((a, b) => a - b);
      return { p50: Math.round(sorted[runs / 2] ?? 0), p99: Math.round(sorted[Math.floor(runs * 0.99) - 1] ?? 0) };
    };
    await verdictIn();
    const alone = await measure();
    vendors.always('onesmartlab', { latencyMilliseconds: slowMilliseconds });
    await Promise.all(Array.from({ length: videos }, () => beginVideo(client)));
    // Until its dispatchers hold all they may: starting their processes takes this machine's cores, and is not the question.
    await new Promise((resolve) => setTimeout(resolve, settleMilliseconds));
    const beside = await measure();
    const waiting = vendors.received('onesmartlab').length;
    return {
      spoofsense_alone_ms: alone,
      beside_slow_videos_ms: beside,
      videos_begun: videos,
      videos_being_waited_for: waiting,
    };
  } finally {
    await vendors.stop();
    await stack.stop();
  }
}

async function beginVideo(client: ReturnType<typeof clientOf>): Promise<void> {
  const captures = { video: { content_type: 'video/mp4' }, id_card: { content_type: 'image/jpeg' } };
  const view = await client.request(newSourceId(), { check: 'video_verify', provider: 'onesmartlab', captures });
  const card = await portrait(400);
  const video = Buffer.concat([Buffer.from('\0\0\0\x18ftypisom'), Buffer.alloc(1_000_000)]);
  for (const [name, body] of [
    ['video', video],
    ['id_card', Buffer.from(card)],
  ] as const) {
    const put = view.uploads[name]?.put;
    await fetch(put?.url ?? '', { method: 'PUT', headers: put?.headers ?? {}, body });
  }
}

async function giveCredentials(
  stack: Awaited<ReturnType<typeof startStack>>,
  { baseUrls, key }: Awaited<ReturnType<typeof startVendorSimulator>>,
): Promise<void> {
  const { environment, endpoints } = stack;
  const config = {
    region: environment.AWS_REGION ?? '',
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
  const secrets = new SecretsManagerClient({ ...config, endpoint: endpoints.secretsmanager });
  const tenants = tenantsOf(stack);
  for (const provider of ['spoofsense', 'onesmartlab'] as const) {
    const Name = join('bonafide', 'providers', provider, 'deployment');
    const SecretString = JSON.stringify({ settings: { baseUrl: baseUrls[provider] }, credentials: { apiKey: key } });
    await secrets.send(new CreateSecretCommand({ Name, SecretString }));
    await tenants.setCredentials('deployment', provider, Name);
  }
}
