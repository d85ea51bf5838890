import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { Fault } from '../domain/fault.ts';
import type { Plan } from '../domain/policy.ts';
import * as identify from './identify/provider.ts';
import * as onesmartlab from './onesmartlab/provider.ts';
import type { Capabilities, Fetch, Provider } from './provider.ts';
import * as sandbox from './sandbox/provider.ts';
import { exactly, mistakesOf } from './settings.ts';
import * as spoofsense from './spoofsense/provider.ts';

/** What this process gives every provider it connects. */
export interface World {
  readonly fetch: Fetch;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** A provider that has to be connected before it can be asked. */
export interface Connector {
  /** What a secret with its settings and credentials comes to. Keys it does not know are mistakes. */
  readonly read: (stored: unknown) => Connection | Mistakes;
  /**
   * Connects with a secret that is kept; throws `provider_unauthorized` where there is something wrong with it. A
   * credential more than it knows changes nothing, another version may have kept it; a setting more could be the address.
   */
  readonly connect: (stored: { settings?: unknown; credentials?: unknown }, world: World) => Provider;
}

export interface Connection {
  readonly kind: 'connection';
  /** Where captures, or links to them, are sent; undefined where nothing leaves this process. */
  readonly address: string | undefined;
  readonly connect: (world: World) => Provider;
}

export interface Mistakes {
  readonly kind: 'mistakes';
  /** By field and in words, never by value. */
  readonly mistakes: readonly string[];
}

/** How each provider that `dispatch-verification` consumes the queue of is connected, by name. */
export const connectors: ReadonlyMap<string, Connector> = new Map([
  ['identify', connector('identify', { ...identify, provider: identify.identify })],
  ['spoofsense', connector('spoofsense', { ...spoofsense, provider: spoofsense.spoofsense })],
  ['onesmartlab', connector('onesmartlab', { ...onesmartlab, provider: onesmartlab.onesmartlab })],
  ['sandbox', connector('sandbox', { ...sandbox, address: () => undefined, provider: sandbox.sandbox })],
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

interface Parts<Settings extends z.ZodObject, Credentials extends z.ZodObject> {
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly address: (settings: z.output<Settings>) => string | undefined;
  readonly provider: (
    connection: World & { settings: z.output<Settings>; credentials: z.output<Credentials> },
  ) => Provider;
}

function connector<Settings extends z.ZodObject, Credentials extends z.ZodObject>(
  name: string,
  parts: Parts<Settings, Credentials>,
): Connector {
  return {
    read: (stored) => {
      const held = secret.safeParse(stored);
      return held.success ? readParts(parts, held.data) : { kind: 'mistakes', mistakes: mistakesOf(held) };
    },
    connect: ({ settings, credentials }, world) => {
      const connection = readParts(parts, { settings, credentials: knownOf(credentials, parts.credentials) });
      if (connection.kind === 'connection') return connection.connect(world);
      throw new Fault('provider_unauthorized', `The stored settings or credentials of ${name} are not valid.`);
    },
  };
}

/** What a secret holds. Either may be absent where all in it has a default. */
const secret = exactly({ settings: z.unknown().optional(), credentials: z.unknown().optional() });

function readParts<Settings extends z.ZodObject, Credentials extends z.ZodObject>(
  { settings, credentials, address, provider }: Parts<Settings, Credentials>,
  stored: z.output<typeof secret>,
): Connection | Mistakes {
  const read = {
    settings: settings.safeParse(stored.settings ?? {}),
    credentials: credentials.safeParse(stored.credentials ?? {}),
  };
  if (read.settings.success && read.credentials.success) {
    const connection = { settings: read.settings.data, credentials: read.credentials.data };
    return {
      kind: 'connection',
      address: address(connection.settings),
      connect: (world) => provider({ ...world, ...connection }),
    };
  }
  const mistakes = [...mistakesOf(read.settings, 'settings'), ...mistakesOf(read.credentials, 'credentials')];
  return { kind: 'mistakes', mistakes };
}

/** The fields a schema knows. */
function knownOf(stored: unknown, { shape }: z.ZodObject): unknown {
  if (typeof stored !== 'object' || stored === null) return stored;
  return Object.fromEntries(Object.entries(stored).filter(([name]) => Object.hasOwn(shape, name)));
}
