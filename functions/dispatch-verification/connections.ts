import * as z from 'zod';
import { Fault } from '../../shared/domain/fault.ts';
import * as identify from '../../shared/providers/identify/provider.ts';
import * as onesmartlab from '../../shared/providers/onesmartlab/provider.ts';
import type { Fetch, Provider } from '../../shared/providers/provider.ts';
import * as sandbox from '../../shared/providers/sandbox/provider.ts';
import * as spoofsense from '../../shared/providers/spoofsense/provider.ts';

export interface World {
  readonly fetch: Fetch;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** What a secret of each provider holds, and the provider made of it. A new provider is a line here. */
const connectors: Readonly<Record<string, (secret: unknown, world: World) => Provider>> = {
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
) {
  const schema = z.object({ settings, credentials });
  return (secret: unknown, world: World) => {
    const parsed = schema.safeParse(secret);
    if (parsed.success) return make({ ...parsed.data, ...world });
    // Field names only: the values are the secret.
    const fields = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new Fault('provider_unauthorized', `The secret with the credentials is not complete: ${fields}.`);
  };
}

/** The provider with what its secret says. A secret that is no use is the provider's fault, and opens its breaker. */
export function connect(provider: string, secretText: string, world: World): Provider {
  const make = connectors[provider];
  if (!make) throw new Error(`There is no way to connect ${provider}`);
  let secret: unknown;
  try {
    secret = JSON.parse(secretText);
  } catch {
    throw new Fault('provider_unauthorized', 'The secret with the credentials is not JSON.');
  }
  return make(secret, world);
}
