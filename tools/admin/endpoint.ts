import type * as z from 'zod';
import { endpointCalls, endpointChange, endpointRequest, rotationRequest } from '../../shared/api/endpoints.ts';
import { Fault } from '../../shared/domain/fault.ts';
import type { ManagedEndpoints } from '../../shared/domain/ports.ts';
import { mistakesOf } from '../../shared/providers/settings.ts';
import type { Command, Commands, Context } from './command.ts';
import { readJson } from './files.ts';
import { findTenant } from './tenant.ts';

/** Endpoints of a tenant's webhooks: what its own calls of `/endpoints` do, in the same words. */
export const endpointCommands: Commands = {
  'endpoint create': calling(2, async (calls, call, given = '') => {
    const body = parsed(endpointRequest, /^https?:/.test(given) ? { url: given } : await readFields(given));
    return calls.create({ ...call, body });
  }),
  'endpoint list': calling(1, (calls, call) => calls.list(call)),
  'endpoint show': calling(2, (calls, call) => calls.show(call)),
  'endpoint change': calling(3, async (calls, call, _, file = '') => {
    return calls.change({ ...call, body: parsed(endpointChange, await readFields(file)) });
  }),
  'endpoint delete': calling(2, (calls, call) => calls.remove(call)),
  'endpoint disable': calling(2, (calls, call) => calls.disable(call)),
  'endpoint enable': calling(2, (calls, call) => calls.enable(call)),
  'endpoint rotate': calling(2, async (calls, call, _, file) => {
    const own = file === undefined ? {} : await readFields(file);
    return calls.rotate({ ...call, body: parsed(rotationRequest, { grace_seconds: call.graceSeconds, ...own }) });
  }),
  'endpoint test': calling(2, (calls, call) => calls.test(call)),
  'endpoint reseal': {
    words: 1,
    run: async ([tenant = ''], context) => {
      const sealed = await (await managedFor(tenant, context)).reseal(tenant);
      console.log(`Sealed under the current key: the secrets of ${sealed} endpoints.`);
    },
  },
};

interface Call {
  readonly caller: { readonly tenant: { readonly id: string } };
  readonly path: { readonly endpoint_id: string };
  readonly body: undefined;
  readonly graceSeconds: number;
}

/** A command that asks what a route asks, and prints what that answers. Its words: the tenant, the endpoint, what `ask` needs. */
function calling(
  words: number,
  ask: (
    calls: ReturnType<typeof endpointCalls>,
    call: Call,
    second: string | undefined,
    third: string | undefined,
  ) => Promise<object>,
): Command {
  return {
    words,
    run: async ([tenant = '', second, third], context) => {
      const calls = endpointCalls(await managedFor(tenant, context));
      const caller = { tenant: { id: tenant } };
      const call = { caller, path: { endpoint_id: second ?? '' }, body: undefined, graceSeconds: context.graceSeconds };
      const answer = await ask(calls, call, second, third).catch(fieldsNamed);
      console.log(JSON.stringify(answer, null, 2));
    },
  };
}

async function managedFor(tenant: string, { connect }: Context): Promise<ManagedEndpoints> {
  const deployment = await connect();
  await findTenant(deployment.tenants, tenant);
  return deployment.endpoints();
}

const readFields = async (file: string) =>
  (await readJson(file, 'give a JSON file with the fields of docs/webhooks.md')) as object;

function parsed<T>(schema: z.ZodType<T>, fields: unknown): T {
  const read = schema.safeParse(fields);
  if (!read.success) throw new Error(`Not as docs/webhooks.md says:\n  ${mistakesOf(read).join('\n  ')}`);
  return read.data;
}

/** What a caller of the API reads in `errors`. */
function fieldsNamed(error: unknown): never {
  if (!(error instanceof Fault) || !error.errors) throw error;
  throw new Error(error.errors.map(({ field, message }) => `${field} ${message}`).join('\n'));
}
