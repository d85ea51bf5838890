import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type Page, type PolicyInput, policy } from '../../domain/policy.ts';
import type { Dependencies, Rows } from './row.ts';

export interface Policies {
  /** The capture page, undefined where the policy has none, or there is no such tenant. At most one read in 20 s. */
  readonly pageOf: (id: string) => Promise<Page | undefined>;
  /** Replaces the policy by the next version; the versions before stay as rows of their own. Answers the version. */
  readonly setPolicy: (id: string, input: PolicyInput) => Promise<number>;
}

export function tenantPolicies({ client, table }: Pick<Dependencies, 'client' | 'table'>, rows: Rows): Policies {
  return {
    pageOf: async (id) => (await rows.findCached(id))?.policy.page,

    async setPolicy(id, input) {
      for (;;) {
        const owner = await rows.mustFind(id);
        const version = owner.policy.version + 1;
        const next = policy.parse({ ...input, version });
        // The version before first: killed in between, it stands there twice, which changes nothing.
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: marshall(
              { id: `${id}/policy/${owner.policy.version}`, policy: owner.policy },
              { removeUndefinedValues: true },
            ),
          }),
        );
        const replaced = await rows.update(id, {
          UpdateExpression: 'SET #policy = :next',
          ConditionExpression: '#policy.#version = :read',
          ExpressionAttributeNames: { '#policy': 'policy', '#version': 'version' },
          ExpressionAttributeValues: marshall(
            { ':next': next, ':read': owner.policy.version },
            { removeUndefinedValues: true },
          ),
        });
        if (replaced) return version;
      }
    },
  };
}
