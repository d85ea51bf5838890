import { marshall } from '@aws-sdk/util-dynamodb';
import type { Credentials, Rows } from './row.ts';

/** Where the credentials of remote providers are kept: names of secrets, never their values. */
export interface ProviderCredentials {
  /** The deployment's own credentials, for tenants that have none of a provider. At most one read in 20 s. */
  readonly deploymentCredentials: () => Promise<Credentials>;
  /** Says where a provider's credentials are kept; undefined forgets it. `owner` is a tenant or `deployment`. */
  readonly setCredentials: (owner: string, provider: string, secret: string | undefined) => Promise<void>;
}

export function providerCredentials(rows: Rows): ProviderCredentials {
  return {
    deploymentCredentials: async () => (await rows.findDeploymentCached()).credentials,

    async setCredentials(owner, provider, secret) {
      const { id, credentials } = await rows.mustFindOwner(owner);
      const { [provider]: _, ...others } = credentials;
      await rows.update(id, {
        UpdateExpression: 'SET #credentials = :credentials',
        ExpressionAttributeNames: { '#credentials': 'credentials' },
        ExpressionAttributeValues: marshall({ ':credentials': secret ? { ...others, [provider]: secret } : others }),
      });
    },
  };
}
