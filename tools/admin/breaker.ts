import { type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { breaker, breakerKey, openedByHand } from '../../shared/domain/breaker.ts';
import { deploymentOwner } from '../../shared/domain/owner.ts';
import { breakerCacheSeconds, epochSeconds, isoOf } from '../../shared/domain/times.ts';
import { registry } from '../../shared/providers/registry.ts';
import { dynamoBreakers } from '../../shared/stores/breakers.ts';
import { type Commands, ownerNamed } from './command.ts';
import type { Operations } from './operations.ts';

export const breakerCommands: Commands = {
  'breaker list': {
    words: 0,
    run: async (_, { connect }) => {
      const operations = (await connect()).operations();
      const owners = await ownersOf(operations);
      const open = await openBreakers(operations);
      for (const { id, openUntil, reason, openings } of open) {
        const [provider = '', secret = ''] = id.split('#');
        const whose = owners.filter((one) => one.secrets.get(provider) === secret).map(({ owner }) => owner);
        const of = whose.join(', ') || secret;
        console.log(`${provider}  ${of}  until ${isoOf(openUntil)}  ${reason}, opened ${openings} times in a row`);
      }
      if (open.length === 0) console.log('Every breaker is closed.');
    },
  },
  'breaker open': {
    words: 1,
    run: async ([provider = '', owner], { connect, minutes }) => {
      const operations = (await connect()).operations();
      const secrets = await secretsOf(provider, owner, operations);
      const openUntil = epochSeconds(new Date()) + minutes * 60;
      const breakers = storeOf(operations);
      for (const secret of secrets) {
        const state = { openUntil, probeUntil: 0, openings: 1, reason: openedByHand };
        await breakers.close(breakerKey(provider, secret)); // else a shorter time would not replace a longer one
        await breakers.open(breakerKey(provider, secret), state);
      }
      console.log(`${provider} is not asked until ${isoOf(openUntil)}, then once to try (${counted(secrets.length)}).`);
      console.log(`In force within ${breakerCacheSeconds} s; verifications go on to the next provider of their route.`);
    },
  },
  'breaker close': {
    words: 1,
    run: async ([provider = '', owner], { connect }) => {
      const operations = (await connect()).operations();
      const secrets = await secretsOf(provider, owner, operations);
      const breakers = storeOf(operations);
      for (const secret of secrets) await breakers.close(breakerKey(provider, secret));
      console.log(`${provider} is asked again within ${breakerCacheSeconds} s (${counted(secrets.length)}).`);
    },
  },
};

const counted = (sets: number) => (sets === 1 ? '1 set of credentials' : `${sets} sets of credentials`);

const storeOf = ({ dynamodb, tables }: Operations) => dynamoBreakers(dynamodb, tables.breakers, () => new Date());

/** Names of the secrets of a provider: of one owner, or of all. A breaker is one secret's. */
async function secretsOf(provider: string, owner: string | undefined, operations: Operations): Promise<string[]> {
  const remote = [...registry.values()].flatMap((one) => (one.remote ? [one.name] : []));
  if (!remote.includes(provider)) {
    const why = registry.has(provider)
      ? `${provider} runs in the deployment and has no breaker`
      : `There is no provider ${provider}`;
    throw new Error(`${why}; those with a breaker: ${remote.join(', ')}`);
  }
  const wanted = owner === undefined ? undefined : ownerNamed(owner);
  const owners = (await ownersOf(operations)).filter((one) => wanted === undefined || one.owner === wanted);
  const secrets = owners.flatMap(({ secrets }) => secrets.get(provider) ?? []);
  if (secrets.length === 0) {
    throw new Error(`There are no credentials of ${provider}${wanted === undefined ? '' : ` for ${wanted}`}`);
  }
  return [...new Set(secrets)];
}

const credentialed = z.object({ id: z.string(), credentials: z.record(z.string(), z.string()) });

/** Tenants and the deployment that have credentials, each with the names of their secrets by provider. */
async function ownersOf({ dynamodb, tables }: Operations) {
  const rows = await scan(dynamodb, tables.tenants, { ProjectionExpression: 'id, credentials' });
  return rows.flatMap((row) => {
    const read = credentialed.safeParse(row).data; // other rows have none
    if (!read) return [];
    return [{ owner: read.id === '*' ? deploymentOwner : read.id, secrets: new Map(Object.entries(read.credentials)) }];
  });
}

const openRow = breaker.extend({ id: z.string() });

async function openBreakers({ dynamodb, tables }: Operations): Promise<z.infer<typeof openRow>[]> {
  return (await scan(dynamodb, tables.breakers, {})).map((row) => openRow.parse(row));
}

async function scan(client: DynamoDBClient, TableName: string, reading: { readonly ProjectionExpression?: string }) {
  const rows: Record<string, unknown>[] = [];
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ...reading })) {
    rows.push(...Items.map((item) => unmarshall(item)));
  }
  return rows;
}
