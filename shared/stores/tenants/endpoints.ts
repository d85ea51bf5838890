import { GetItemCommand, UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { byAge, endpoint, endpointId, maximumEndpoints } from '../../domain/endpoint.ts';
import { tolerantly, understood } from '../../domain/later.ts';
import type { EndpointChanges, Endpoints } from '../../domain/ports.ts';
import { daySeconds, epochSeconds, eventReaderSeconds } from '../../domain/times.ts';
import { unlessConditionFails, updateExpression } from '../conditional.ts';
import { cached, type Dependencies } from './row.ts';

/** All endpoints of a tenant, in a row of their own beside the tenant's: functions may write it, and no other. */
const row = z.object({
  /** The tenant has or had an endpoint. */
  keeps: z.boolean().default(false),
  /** Epoch seconds until which its events are kept because it has read some. */
  readsUntil: z.int().default(0),
  endpoints: z.record(endpointId, tolerantly(endpoint)).default({}),
});
type Row = z.infer<typeof row>;

/** Every such row ends like this, and none else does: infra grants writing by it. */
const keyOf = (tenant: string) => marshall({ id: `${tenant}/endpoints` });

export function dynamoEndpoints({ client, table, now }: Omit<Dependencies, 'randomBytes'>): Endpoints {
  const rows = cached(read, now);

  async function read(tenant: string): Promise<Row | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: keyOf(tenant), ConsistentRead: true }),
    );
    return Item && row.parse(unmarshall(Item));
  }

  /** False where the condition does not hold. */
  async function update(tenant: string, write: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>): Promise<boolean> {
    const updated = await unlessConditionFails(
      client.send(new UpdateItemCommand({ TableName: table, Key: keyOf(tenant), ...write })),
    );
    rows.forget(tenant);
    return updated;
  }

  const endpointsIn = (found: Row | undefined) => Object.values(found?.endpoints ?? {}).sort(byAge);

  async function list(tenant: string) {
    return endpointsIn(await read(tenant));
  }

  return {
    list,

    async of(tenant) {
      const found = await rows.read(tenant);
      const keeps = found !== undefined && (found.keeps || found.readsUntil > epochSeconds(now()));
      return { keeps, endpoints: endpointsIn(found) };
    },

    async find(tenant, id) {
      const found = (await list(tenant)).find((one) => one.id === id);
      return found && understood(endpoint, found, 'this endpoint');
    },

    async create(made) {
      await update(made.tenant, {
        UpdateExpression: 'SET endpoints = :none',
        ConditionExpression: 'attribute_not_exists(endpoints)', // the tenant's first
        ExpressionAttributeValues: marshall({ ':none': {} }),
      });
      return update(made.tenant, {
        UpdateExpression: 'SET endpoints.#id = :made, keeps = :true',
        ConditionExpression: 'size(endpoints) < :maximum AND attribute_not_exists(endpoints.#id)',
        ExpressionAttributeNames: { '#id': made.id },
        ExpressionAttributeValues: marshall(
          { ':made': endpoint.parse(made), ':true': true, ':maximum': maximumEndpoints },
          { removeUndefinedValues: true },
        ),
      });
    },

    async change(from, fields) {
      const next = endpoint.parse({ ...from, ...fields, version: from.version + 1 });
      const changed = await update(from.tenant, {
        ...changing({ ...fields, version: next.version }),
        ConditionExpression: 'endpoints.#id.#version = :read', // another writer, or it is gone
        ExpressionAttributeNames: { '#id': from.id, '#version': 'version', ...namesOf(fields) },
        ExpressionAttributeValues: marshall(
          { ':read': from.version, ...valuesOf({ ...fields, version: next.version }) },
          { removeUndefinedValues: true },
        ),
      });
      return changed ? next : undefined;
    },

    remove: (tenant, id) =>
      update(tenant, {
        UpdateExpression: 'REMOVE endpoints.#id',
        ConditionExpression: 'attribute_exists(endpoints.#id)',
        ExpressionAttributeNames: { '#id': id },
      }),

    async readsEvents(tenant) {
      const found = await rows.read(tenant);
      const until = epochSeconds(now()) + eventReaderSeconds;
      if (found && (found.keeps || found.readsUntil > until - daySeconds)) return;
      await update(tenant, {
        UpdateExpression: 'SET readsUntil = :until',
        ConditionExpression: 'attribute_not_exists(readsUntil) OR readsUntil < :until', // of two at once, one is enough
        ExpressionAttributeValues: marshall({ ':until': until }),
      });
    },
  };
}

type Written = EndpointChanges & { readonly version?: number };

/** Writes the fields that change and leaves the others, also those that only a newer version knows. */
function changing(fields: Written): { UpdateExpression: string } {
  const names = Object.entries(fields);
  const set = names.filter(([, value]) => value !== undefined).map(([name]) => `endpoints.#id.#${name} = :${name}`);
  const removed = names.filter(([, value]) => value === undefined).map(([name]) => `endpoints.#id.#${name}`);
  return { UpdateExpression: updateExpression(set, removed) };
}

const namesOf = (fields: Written) => Object.fromEntries(Object.keys(fields).map((name) => [`#${name}`, name]));
const valuesOf = (fields: Written) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`:${name}`, value]));
