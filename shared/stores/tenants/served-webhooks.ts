import { marshall } from '@aws-sdk/util-dynamodb';
import { Fault } from '../../domain/fault.ts';
import { maximumServedWebhooks, type Rows } from './row.ts';

/** Webhooks that calls of a served API name, to be told their results. Their URLs may hold secrets: no log has them. */
export interface ServedWebhooks {
  /** Undefined where the tenant has no webhook of this name. At most one read in 20 s. */
  readonly servedWebhook: (id: string, name: string) => Promise<string | undefined>;
  /** Replaces the one of the same name. */
  readonly setServedWebhook: (id: string, name: string, url: string) => Promise<void>;
  /** True where there was one. */
  readonly removeServedWebhook: (id: string, name: string) => Promise<boolean>;
}

export function tenantServedWebhooks(rows: Rows): ServedWebhooks {
  return {
    async servedWebhook(id, name) {
      const { servedWebhooks = {} } = (await rows.findCached(id)) ?? {};
      return new Map(Object.entries(servedWebhooks)).get(name);
    },

    async setServedWebhook(id, name, url) {
      await rows.mustFind(id);
      await rows.update(id, {
        UpdateExpression: 'SET servedWebhooks = :none',
        ConditionExpression: 'attribute_not_exists(servedWebhooks)', // a tenant of a version before
        ExpressionAttributeValues: marshall({ ':none': {} }),
      });
      const set = await rows.update(id, {
        UpdateExpression: 'SET servedWebhooks.#name = :url',
        ConditionExpression: 'size(servedWebhooks) < :maximum OR attribute_exists(servedWebhooks.#name)',
        ExpressionAttributeNames: { '#name': name },
        ExpressionAttributeValues: marshall({ ':url': url, ':maximum': maximumServedWebhooks }),
      });
      if (set) return;
      throw new Fault('state_conflict', `Tenant ${id} has ${maximumServedWebhooks} such webhooks: remove one first.`);
    },

    removeServedWebhook: (id, name) =>
      rows.update(id, {
        UpdateExpression: 'REMOVE servedWebhooks.#name',
        ConditionExpression: 'attribute_exists(servedWebhooks.#name)',
        ExpressionAttributeNames: { '#name': name },
      }),
  };
}
