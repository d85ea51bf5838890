import * as z from 'zod';
import { webhookBodies } from '../shared/api/webhook-bodies.ts';
import { commandLine, misused } from './command-line.ts';
import { demoTarget } from './target.ts';
import { forward, lineOf, secretOf } from './webhooks/forward.ts';
import { sampleOf } from './webhooks/samples.ts';

const usage = `Sends a sample of a webhook, signed.

  npm run trigger -- verification.decided --forward http://localhost:3000/hook
  npm run trigger -- endpoint.test --endpoint ep_…     to an endpoint of yours, by Bonafide itself

  --forward URL    where it is posted
  --secret SECRET  what signs it: whsec_… (default: BONAFIDE_WEBHOOK_SECRET, else a new one, which is printed)
  --full           with a verdict, as endpoints with full bodies are sent
  --source-id ID   of the verification it tells of (default: sample)
  --endpoint ID    an endpoint; only endpoint.test is sent to one, since it could not tell others from the truth
  --url URL        the API (default: the local stack's)
  --key KEY        a tenant's API key (default: BONAFIDE_API_KEY, else the local demo tenant's)
  --aws            the deployed API, which cdk-outputs.json names

Types: ${[...webhookBodies.keys()].join(', ')}
`;

const { values, positionals } = commandLine(usage, {
  allowPositionals: true,
  options: {
    forward: { type: 'string' },
    secret: { type: 'string' },
    full: { type: 'boolean', default: false },
    'source-id': { type: 'string' },
    endpoint: { type: 'string' },
    url: { type: 'string' },
    key: { type: 'string' },
    aws: { type: 'boolean', default: false },
  },
});

const [type = '', ...others] = positionals;
if (!webhookBodies.has(type) || others.length > 0) misused(usage, 'Name one type.');
if ((values.forward === undefined) === (values.endpoint === undefined)) {
  misused(usage, 'Give either --forward URL or --endpoint ID.');
}
if (values.endpoint !== undefined && type !== 'endpoint.test') misused(usage, `${type} is sent to --forward alone.`);

try {
  if (values.forward !== undefined) await sendSample(values.forward);
  else await testEndpoint(values.endpoint ?? '');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function sendSample(url: string): Promise<void> {
  const secret = secretOf(values.secret, console.log);
  const body = sampleOf(type, { sourceId: values['source-id'], full: values.full });
  const answer = await forward(body, { url, secret });
  console.log(`${lineOf(body)} → ${answer}`);
  if (!answer.startsWith('2')) process.exitCode = 1;
}

async function testEndpoint(id: string): Promise<void> {
  const { url, key } = await demoTarget(values);
  const answer = await fetch(`${url}/endpoints/${encodeURIComponent(id)}/test`, {
    method: 'POST',
    headers: { 'x-api-key': key },
  });
  const body = z
    .looseObject({ detail: z.string().optional(), status: z.int().optional(), error: z.string().optional() })
    .parse(await answer.json());
  if (!answer.ok) throw new Error(body.detail ?? `The API answered ${answer.status}`);
  const { status, error, milliseconds } = body;
  console.log(`${type} → ${[status, error].filter((word) => word !== undefined).join(' ')} in ${milliseconds} ms`);
  if (error !== undefined) process.exitCode = 1;
}
