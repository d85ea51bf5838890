import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { uploadsView } from '../../../shared/api/verifications.ts';
import { portrait } from '../../../tools/samples.ts';
import { newSourceId, put } from '../../journeys/client.ts';
import { aws } from '../account.ts';
import { openTerminal } from '../page.ts';

/* A stack for production, under a domain: with bounded roles it does all it did, and one command does not delete it. */

const run = promisify(execFile);
const terminal = openTerminal({});
const domain = 'verify.example';
const origin = `https://${domain}`;
const stackName = 'production';
const outputsOf = z.object({
  [stackName]: z.looseObject({ ApiUrl: z.url(), TenantsTable: z.string(), DomainTarget: z.string() }),
});
let outputs: z.infer<typeof outputsOf>[typeof stackName];
let choices: string;

beforeAll(async () => {
  await terminal.run('.', `npm run engine-assets -- --arch ${process.arch}`);
  await terminal.run(
    '.',
    'npx cdk bootstrap "aws://$(aws sts get-caller-identity --query Account --output text)/$AWS_REGION"',
  );
  const asked = ['acm', 'request-certificate', '--domain-name', domain, '--validation-method', 'DNS'];
  const { CertificateArn } = await aws<{ CertificateArn: string }>(...asked);
  choices = `-c stackName=${stackName} -c stage=prod -c domain=${domain} -c certificateArn=${CertificateArn} -c architecture=${process.arch}`;
  const files = '--output build/deployed/production.out --outputs-file build/deployed/production.json';
  await terminal.run('.', `npx cdk deploy ${choices} ${files} --require-approval never`);
  outputs = outputsOf.parse(JSON.parse(readFileSync('build/deployed/production.json', 'utf8')))[stackName];
}, 3_600_000);

/** The emulator stands where DNS would lead the domain to. */
function call(method: string, path: string, headers: Readonly<Record<string, string>>, body?: unknown) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const url = `${process.env.AWS_ENDPOINT_URL}${path}`;
    const asked = request(url, {
      method,
      headers: { host: domain, 'content-type': 'application/json', ...headers },
      servername: '', // the emulator's certificate is for its own address
      checkServerIdentity: () => undefined,
    });
    asked.on('response', async (answer) => resolve({ status: answer.statusCode ?? 0, text: await text(answer) }));
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

it('decides a selfie that came in under its domain, though no role may do more than the boundary', async () => {
  expect(outputs.ApiUrl).toBe(origin);
  const words = ['tenant', 'create', 'acme', '--tenants-table', outputs.TenantsTable];
  const { stdout } = await run('node', ['tools/admin.ts', ...words]);
  const key = { 'x-api-key': /^api key (\S+)$/m.exec(stdout)?.[1] ?? '' };
  const sourceId = newSourceId();
  const asked = { source_id: sourceId, check: 'spoof_detect', captures: { selfie: { content_type: 'image/jpeg' } } };
  const made = await call('POST', '/verifications', key, asked);
  expect(made.status).toBe(201);
  const view = uploadsView.parse(JSON.parse(made.text));
  expect(view.capture_url).toBe(`${origin}/capture/acme/${sourceId}`);
  expect((await put(view, await portrait())).status).toBe(200);
  const read = async () => JSON.parse((await call('GET', `/verifications/${sourceId}`, key)).text);
  await expect.poll(async () => (await read()).state, { timeout: 600_000, interval: 1000 }).toBe('decided');

  const roles = await aws<string[]>('iam', 'list-roles', '--query', 'Roles[].RoleName');
  const ours = roles.filter((name) => name.startsWith(stackName));
  expect(ours.length).toBeGreaterThan(20);
  const query = ['--query', 'Role.PermissionsBoundary.PermissionsBoundaryArn'];
  for (const name of ours) {
    expect(await aws('iam', 'get-role', '--role-name', name, ...query), name).toContain(`policy/${stackName}-boundary`);
  }
}, 3_600_000);

it('is not deleted by one command, and when it is deleted its logs stay', async () => {
  const destroy = `npx cdk destroy --force ${choices} --output build/deployed/production.out`;
  await expect(terminal.run('.', destroy)).rejects.toThrow(/TerminationProtection/);
  const groups = () => aws<string[]>('logs', 'describe-log-groups', '--query', 'logGroups[].logGroupName');
  const before = (await groups()).filter((name) => name.includes(stackName));
  expect(before.length).toBeGreaterThan(20);
  const off = ['cloudformation', 'update-termination-protection', '--no-enable-termination-protection'];
  await aws(...off, '--stack-name', stackName);
  await terminal.run('.', destroy);
  expect((await groups()).filter((name) => name.includes(stackName))).toEqual(before);
}, 3_600_000);
