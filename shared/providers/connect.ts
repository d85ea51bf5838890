import { setTimeout } from 'node:timers/promises';
import type * as z from 'zod';
import { Fault } from '../domain/fault.ts';
import type { Plan } from '../domain/policy.ts';
import * as identify from './identify/provider.ts';
import * as onesmartlab from './onesmartlab/provider.ts';
import type { Capabilities, Fetch, Provider } from './provider.ts';
import * as sandbox from './sandbox/provider.ts';
import * as spoofsense from './spoofsense/provider.ts';

/** What this process gives every provider it connects. */
export interface World {
  readonly fetch: Fetch;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** A provider that has to be connected before it can be asked. */
export interface Connector {
  readonly settings: z.ZodType;
  readonly credentials: z.ZodType;
  /** Settings and credentials as they are stored; throws `provider_unauthorized` where they are not what they should be. */
  readonly connect: (stored: { settings: unknown; credentials: unknown }, world: World) => Provider;
}

/** How each provider that `dispatch-verification` consumes the queue of is connected, by name. */
export const connectors: ReadonlyMap<string, Connector> = new Map([
  ['identify', connector('identify', identify.settings, identify.credentials, identify.identify)],
  ['spoofsense', connector('spoofsense', spoofsense.settings, spoofsense.credentials, spoofsense.spoofsense)],
  ['onesmartlab', connector('onesmartlab', onesmartlab.settings, onesmartlab.credentials, onesmartlab.onesmartlab)],
  ['sandbox', connector('sandbox', sandbox.settings, sandbox.credentials, sandbox.sandbox)],
]);

/** A provider as one verification's credentials connect it. Throws `provider_unauthorized` where they are useless. */
export function opener(
  { name, remote }: Capabilities,
  fetch: Fetch,
  readSecret: (id: string) => Promise<string>,
): (record: { plan: Pick<Plan, 'credentials'> }) => Promise<Provider> {
  const connector = connectors.get(name);
  if (!connector) throw new Error(`There is no way to connect ${name}`);
  const world = { fetch, sleep: setTimeout };
  return async ({ plan }) => {
    if (!remote) return connector.connect({ settings: {}, credentials: {} }, world);
    const secret = plan.credentials[name];
    if (!secret) throw new Fault('provider_unauthorized', 'The verification has no credentials for its provider.');
    return connector.connect(readStored(await readSecret(secret)), world);
  };
}

/** A secret as `npm run admin -- credentials set` keeps it; anything else is as useless as wrong credentials. */
function readStored(text: string): { settings: unknown; credentials: unknown } {
  try {
    const { settings, credentials } = JSON.parse(text);
    return { settings, credentials };
  } catch {
    throw new Fault('provider_unauthorized', 'The secret with the credentials is not JSON.');
  }
}

function connector<Settings extends z.ZodType, Credentials extends z.ZodType>(
  name: string,
  settings: Settings,
  credentials: Credentials,
  provider: (connection: World & { settings: z.output<Settings>; credentials: z.output<Credentials> }) => Provider,
): Connector {
  return {
    settings,
    credentials,
    connect: (stored, world) => {
      const read = {
        settings: settings.safeParse(stored.settings ?? {}),
        credentials: credentials.safeParse(stored.credentials ?? {}),
      };
      if (!read.settings.success || !read.credentials.success) {
        throw new Fault('provider_unauthorized', `The stored settings or credentials of ${name} are not valid.`);
      }
      return provider({ ...world, settings: read.settings.data, credentials: read.credentials.data });
    },
  };
}
