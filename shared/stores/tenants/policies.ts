import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { knownPage, type Page, type PolicyInput, policy } from '../../domain/policy.ts';
import { tenantId } from '../../domain/verification.ts';
import type { Dependencies, Rows } from './row.ts';

export interface Policies {
  /** Replaces the policy by the next version; the versions before stay as rows of their own. Answers the version. */
  readonly setPolicy: (id: string, input: PolicyInput) => Promise<number>;
  /**
   * What a tenant's hosted page looks like, as it was stored at most `keyCacheSeconds` ago. Any text may be asked for:
   * what names no tenant has no page of its own, as a tenant that decided nothing.
   */
  readonly pageOf: (id: string) => Promise<Page | undefined>;
}

export function tenantPolicies({ client, table }: Pick<Dependencies, 'client' | 'table'>, rows: Rows): Policies {
  return {
    async pageOf(id) {
      if (!tenantId.safeParse(id).success) return undefined;
      const page = (await rows.findCached(id))?.policy.page;
      return page && knownPage(page);
    },

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
