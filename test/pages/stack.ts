/** `npm start` for a file of tests about pages, with a tenant and what an integrator's server does for a person. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Client, clientOf, newSourceId } from '../journeys/client.ts';
import { type RunningStack, remove, startLocalStack } from '../journeys/local-stack.ts';

export interface PagesStack extends RunningStack {
  readonly client: Client;
  readonly ask: Ask;
  /** Another tenant, whose policy says this of the page. Its functions know it at once, since they have never asked for it. */
  readonly tenantWith: (page: Record<string, unknown>) => Promise<OtherTenant>;
}

/** What an integrator's server is given for a person: where the page is, and the token. */
type Ask = (overrides?: Record<string, unknown>) => Promise<Asked>;

export interface OtherTenant {
  readonly tenant: string;
  readonly apiKey: string;
  readonly client: Client;
  readonly ask: Ask;
}

export interface Asked {
  readonly sourceId: string;
  readonly clientToken: string;
  /** The address of the page, with the token behind it. */
  readonly link: string;
}

const jpeg = { content_type: 'image/jpeg' };
const captures = {
  spoof_detect: { selfie: jpeg },
  photo_verify: { selfie: jpeg, id_card: jpeg },
  video_verify: { video: { content_type: 'video/mp4' }, id_card: jpeg },
} as const;

/** One stack for all tests of a file, as an accessor: it is up when the first of them runs. */
export function stackOfThisFile(environment: Record<string, string> = {}): () => PagesStack {
  let stack: PagesStack | undefined;
  beforeAll(async () => {
    stack = await started(environment);
  });
  afterAll(async () => {
    await stack?.stop();
    if (stack) remove(stack.dataDirectory);
  });
  return () => {
    if (!stack) throw new Error('the stack is up when tests run');
    return stack;
  };
}

async function started(environment: Record<string, string>): Promise<PagesStack> {
  Object.assign(process.env, environment); // `npm start` inherits it
  const running = await startLocalStack();
  const client = clientOf(running);
  const { admin } = running;
  return {
    ...running,
    client,
    ask: askingBy(client),
    tenantWith: async (page) => {
      const tenant = `pages-${randomUUID().slice(0, 8)}`;
      const [, apiKey = ''] = /^api key (\S+)/m.exec(await admin('tenant', 'create', tenant)) ?? [];
      const file = join(running.dataDirectory, `${tenant}.json`);
      await writeFile(file, JSON.stringify({ ...JSON.parse(await admin('policy', 'show', tenant)), page }));
      await admin('policy', 'set', tenant, file);
      const client = clientOf({ url: running.url, apiKey });
      return { tenant, apiKey, client, ask: askingBy(client) };
    },
  };
}

function askingBy(client: Client): Ask {
  return async (overrides = {}) => {
    const { check = 'spoof_detect', source_id: sourceId = newSourceId() } = overrides;
    const view = await client.request(String(sourceId), {
      check,
      captures: captures[check as keyof typeof captures],
      ...overrides,
    });
    if (!view.client_token) throw new Error('no client token');
    return {
      sourceId: String(sourceId),
      clientToken: view.client_token,
      link: `${view.capture_url}#${view.client_token}`,
    };
  };
}
