import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

/** Where the local stack keeps its data. */
export function dataDirectory(): string {
  return process.env.BONAFIDE_DATA || '.bonafide';
}

/** The API to talk to and a key for it: as given, or the local stack's; with `aws` the deployed API, whose key is given. */
export async function demoTarget(given: { url?: string | undefined; key?: string | undefined; aws?: boolean }) {
  const { aws = false } = given;
  const found = given.url ?? process.env.BONAFIDE_URL ?? (await (aws ? deployedUrl() : localUrl()));
  const key = given.key ?? process.env.BONAFIDE_API_KEY ?? (await (aws ? noKey() : demoKey()));
  return { url: found.replace(/\/$/, ''), key };
}

/** As `npm run deploy` left it. */
async function deployedUrl(): Promise<string> {
  const outputs = await readFile('cdk-outputs.json', 'utf8').catch(() => undefined);
  if (outputs === undefined) throw new Error('No cdk-outputs.json: deploy first (npm run deploy), or give --url');
  const [stack] = Object.values(z.record(z.string(), z.looseObject({ ApiUrl: z.url() })).parse(JSON.parse(outputs)));
  if (!stack) throw new Error('cdk-outputs.json names no stack');
  return stack.ApiUrl;
}

async function noKey(): Promise<never> {
  throw new Error('No API key: give --key or BONAFIDE_API_KEY');
}

/** Where the local stack of this data folder runs; where one would, when none does. */
async function localUrl(): Promise<string> {
  const about = await readFile(join(dataDirectory(), 'stack.json'), 'utf8').catch(() => undefined);
  if (about !== undefined) return localStack.parse(JSON.parse(about)).url;
  return `http://127.0.0.1:${process.env.PORT || 4000}`;
}

async function demoKey(): Promise<string> {
  const path = join(dataDirectory(), 'demo-api-key');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    throw new Error(
      `No API key: give --key or BONAFIDE_API_KEY, or start the local stack (npm start), which keeps one in ${path}`,
    );
  }
}

/** What a running local stack tells of itself in `stack.json`: how to reach its parts, and what they are called. */
export const localStack = z.object({
  url: z.url(),
  environment: z.object({
    AWS_REGION: z.string(),
    AWS_ACCESS_KEY_ID: z.string(),
    AWS_SECRET_ACCESS_KEY: z.string(),
    AWS_ENDPOINT_URL_S3: z.url(),
    AWS_ENDPOINT_URL_DYNAMODB: z.url(),
    AWS_ENDPOINT_URL_SQS: z.url(),
    AWS_ENDPOINT_URL_EVENTBRIDGE: z.url(),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: z.url(),
  }),
  outputs: z.looseObject({
    CapturesBucket: z.string(),
    VerificationsTable: z.string(),
    TenantsTable: z.string(),
    IdKeySecret: z.string(),
    EndpointKeySecret: z.string(),
  }),
});
export type LocalStack = z.infer<typeof localStack>;
