import type * as z from 'zod';
import { Fault } from '../domain/fault.ts';
import * as identify from './identify/provider.ts';
import * as onesmartlab from './onesmartlab/provider.ts';
import type { Fetch, Provider } from './provider.ts';
import * as sandbox from './sandbox/provider.ts';
import * as spoofsense from './spoofsense/provider.ts';

/** What this process gives every provider it connects. */
export interface World {
  readonly fetch: Fetch;
  readonly sleep: (seconds: number) => Promise<void>;
}

/** A provider that has to be connected before it can be asked. */
export interface Connector {
  readonly settings: z.ZodType;
  readonly credentials: z.ZodType;
  /** Settings and credentials as they are stored; throws `provider_unauthorized` where they are not what they should be. */
  readonly connect: (stored: { settings: unknown; credentials: unknown }, world: World) => Provider;
}

/** How each of the registry's `vendors` is connected, by name. */
export const connectors: Readonly<Record<string, Connector>> = {
  identify: connector('identify', identify.settings, identify.credentials, identify.identify),
  spoofsense: connector('spoofsense', spoofsense.settings, spoofsense.credentials, spoofsense.spoofsense),
  onesmartlab: connector('onesmartlab', onesmartlab.settings, onesmartlab.credentials, onesmartlab.onesmartlab),
  sandbox: connector('sandbox', sandbox.settings, sandbox.credentials, sandbox.sandbox),
};

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
