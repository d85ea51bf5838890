import * as z from 'zod';
import { Fault } from '../domain/fault.ts';
import * as identify from './identify/provider.ts';
import * as onesmartlab from './onesmartlab/provider.ts';
import type { Fetch, Provider } from './provider.ts';
import * as sandbox from './sandbox/provider.ts';
import * as spoofsense from './spoofsense/provider.ts';

export interface World {
  readonly fetch: Fetch;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

interface Connector {
  readonly mistakes: (secret: unknown) => string[];
  readonly connect: (secret: unknown, world: World) => Provider;
}

/** What a secret of each provider holds, and the provider made of it. A new provider is a line here. */
const connectors: Readonly<Record<string, Connector>> = {
  identify: connector(identify.settings, identify.credentials, identify.identify),
  spoofsense: connector(spoofsense.settings, spoofsense.credentials, spoofsense.spoofsense),
  onesmartlab: connector(onesmartlab.settings, onesmartlab.credentials, onesmartlab.onesmartlab),
  sandbox: connector(sandbox.settings, sandbox.credentials, sandbox.sandbox),
};

/** `{"settings": {…}, "credentials": {…}}`, as `docs/providers.md` shows it for each provider. */
function connector<Settings, Credentials>(
  settings: z.ZodType<Settings>,
  credentials: z.ZodType<Credentials>,
  make: (connection: { settings: Settings; credentials: Credentials } & World) => Provider,
): Connector {
  const schema = z.object({ settings, credentials });
  return {
    /** What is missing or wrong in a secret, by field: the values are the secret. */
    mistakes: (secret: unknown): string[] =>
      (schema.safeParse(secret).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`),
    connect: (secret: unknown, world: World): Provider => make({ ...schema.parse(secret), ...world }),
  };
}

/** What is wrong with a secret for this provider, or undefined for a provider that has none. */
export function secretMistakes(provider: string, secret: unknown): string[] | undefined {
  return connectors[provider]?.mistakes(secret);
}

/** The provider with what its secret says. A secret that is no use is the provider's fault, and opens its breaker. */
export function connect(provider: string, secretText: string, world: World): Provider {
  const connector = connectors[provider];
  if (!connector) throw new Error(`There is no way to connect ${provider}`);
  let secret: unknown;
  try {
    secret = JSON.parse(secretText);
  } catch {
    throw new Fault('provider_unauthorized', 'The secret with the credentials is not JSON.');
  }
  const mistakes = connector.mistakes(secret);
  if (mistakes.length > 0) {
    throw new Fault(
      'provider_unauthorized',
      `The secret with the credentials is not complete: ${mistakes.join('; ')}.`,
    );
  }
  return connector.connect(secret, world);
}
