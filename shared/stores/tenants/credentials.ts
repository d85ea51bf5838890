import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type Credentials, credentials, type Dependencies, keyCacheSeconds, type Rows } from './row.ts';

/** Where the credentials of remote providers are kept: names of secrets, never their values. */
export interface ProviderCredentials {
  /** The deployment's own credentials, for tenants that have none of a provider. At most one read in 20 s. */
  readonly deploymentCredentials: () => Promise<Credentials>;
  /** Says where a provider's credentials are kept; undefined forgets it. `owner` is a tenant or 'deployment'. */
  readonly setCredentials: (owner: CredentialsOwner, provider: string, secret: string | undefined) => Promise<void>;
}

/** Who is meant by an operator: one tenant, or every tenant without credentials of its own. */
export type CredentialsOwner = string | 'deployment';

/** The row whose credentials serve tenants that have none of their own. No tenant can have this id. */
const deployment = '*';

export function providerCredentials({ client, table, now }: Dependencies, rows: Rows): ProviderCredentials {
  let shared: { credentials: Credentials; readAt: number } | undefined;

  async function read(id: string): Promise<Credentials> {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: marshall({ id }) }));
    return credentials.parse(Item ? (unmarshall(Item).credentials ?? {}) : {});
  }

  return {
    async deploymentCredentials() {
      if (shared && now().getTime() - shared.readAt < keyCacheSeconds * 1000) return shared.credentials;
      shared = { credentials: await read(deployment), readAt: now().getTime() };
      return shared.credentials;
    },

    async setCredentials(owner, provider, secret) {
      const id = owner === 'deployment' ? deployment : (await rows.mustFind(owner)).id;
      const { [provider]: _, ...others } = await read(id);
      await rows.update(id, {
        UpdateExpression: 'SET #credentials = :credentials',
        ExpressionAttributeNames: { '#credentials': 'credentials' },
        ExpressionAttributeValues: marshall({ ':credentials': secret ? { ...others, [provider]: secret } : others }),
      });
      shared = undefined;
    },
  };
}
