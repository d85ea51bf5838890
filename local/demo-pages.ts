import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { DemoTenant } from './demo-tenant.ts';
import { operatorsOf } from './demo-tenant.ts';
import type { Stack } from './stack.ts';

/** Of the answer to POST /verifications: all that an integrator hands to a person. */
const asked = z.looseObject({ capture_url: z.url(), client_token: z.string() });

/** The address of a capture page, for a verification that is begun for it: what an integrator's server would do. */
export async function demoCapturePage(url: string, { apiKey }: DemoTenant): Promise<string> {
  const answer = await fetch(`${url}/verifications`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({
      source_id: `npm-start-${randomUUID()}`,
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
    }),
  });
  if (answer.status !== 201) throw new Error(`POST /verifications was answered ${answer.status}`);
  const { capture_url, client_token } = asked.parse(await answer.json());
  return `${capture_url}#${client_token}`;
}

const operatorName = 'Demo reviewer';

/** The address that signs an operator into the console: one reviewer, invited again at each start. */
export async function demoConsole(stack: Stack, { tenant }: DemoTenant): Promise<string> {
  const operators = operatorsOf(stack);
  const known = (await operators.list(tenant)).find(({ name, revokedAt }) => name === operatorName && !revokedAt);
  const { code } = known
    ? await operators.inviteAgain(tenant, known.id)
    : await operators.invite(tenant, { name: operatorName, role: 'reviewer' });
  return `${stack.url}/console#i_${code}`;
}
