import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { ensureDemoTenant, tenantsOf } from '../local/demo-tenant.ts';
import { startStack } from '../local/stack.ts';
import { synthesize } from '../local/synthesize.ts';
import { routes } from '../shared/api/operations.ts';
import { restingStates } from '../shared/domain/verification.ts';
import { clients } from '../test/local/fixtures/clients.ts';
import { type Malformed, malformedRequests } from '../test/serving/malformed.ts';

/** Credits of the demo tenant. */
const given = 100;
/** A record may be under way when the last answer is there. */
const settleSeconds = 90;

/**
 * Malformed requests to every route that speaks a vendor's words, on a local stack: every answer is the vendor's, nothing
 * of them is stored or left waiting, and the functions' processes are those that were there before.
 */
export async function fuzzServed(count: number, seed: number): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-fuzz-'));
  await synthesize(join(directory, 'cdk.out'));
  const stack = await startStack({ template: join(directory, 'cdk.out'), dataDirectory: directory, port: 0 });
  try {
    const { apiKey, tenant } = await ensureDemoTenant(stack, directory);
    const served = routes.filter(({ vendor }) => vendor !== undefined);
    const report = new Map<string, number>();
    const wrong: string[] = [];
    const answer = async (path: string, { name, headers, body }: Malformed) => {
      const said = await fetch(`${stack.url}${path}`, { method: 'POST', headers, body }).catch((cause: unknown) => {
        wrong.push(`${path}: ${name}: ${cause}`);
        return undefined;
      });
      if (!said) return;
      const type = said.headers.get('content-type') ?? '';
      await said.arrayBuffer();
      if (type.includes('problem')) wrong.push(`${path}: ${name} was answered ${type}`);
      if (said.status >= 500) wrong.push(`${path}: ${name} was answered ${said.status}`);
      const line = `${path} ${said.status}`;
      report.set(line, (report.get(line) ?? 0) + 1);
    };
    // Each function's process is started, and those are the ones that have to be there in the end.
    for (const route of served) {
      for (const request of malformedRequests(route, { apiKey, count: 2, seed })) await answer(route.path, request);
    }
    const before = processes();
    for (const route of served) {
      for (const request of malformedRequests(route, { apiKey, count, seed })) await answer(route.path, request);
    }
    const ended = before.filter((pid) => !processes().includes(pid));
    if (ended.length > 0) wrong.push(`${ended.length} of ${before.length} processes ended`);

    // A request of Identify's that names no webhook of the tenant is refused, so none of these costs a credit.
    const { outputs } = stack;
    const { dynamoDb, s3 } = clients(stack);
    const left = async () => {
      const { Items = [] } = await dynamoDb.send(
        new ScanCommand({
          TableName: outputs.VerificationsTable ?? '',
          ProjectionExpression: '#s',
          ExpressionAttributeNames: { '#s': 'state' },
        }),
      );
      const waiting = Items.filter(({ state }) => !restingStates.some((resting) => resting === state?.S)).length;
      const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: outputs.CapturesBucket }));
      const credits = await tenantsOf(stack).creditsLeft(tenant);
      return { records: Items.length, waiting, objects: Versions.length, credits };
    };
    let rest = await left();
    if (rest.credits !== given) wrong.push(`${given - rest.credits} credits were taken`);
    for (let second = 0; rest.waiting + rest.objects > 0 && second < settleSeconds; second += 1) {
      await setTimeout(1000);
      rest = await left();
    }
    if (rest.waiting > 0) wrong.push(`${rest.waiting} records are left waiting`);
    if (rest.objects > 0) wrong.push(`${rest.objects} objects are left`);
    console.log(
      JSON.stringify({ seed, answers: Object.fromEntries(report), ...rest, processes: before.length, wrong }, null, 2),
    );
    return wrong.length === 0;
  } finally {
    await stack.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Children of this process: each function of the stack has its own. */
function processes(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(process.pid);
    } catch {
      return false; // it has just ended
    }
  });
}
