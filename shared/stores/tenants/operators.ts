import {
  DeleteItemCommand,
  GetItemCommand,
  type TransactWriteItem,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import { orLater, tolerant } from '../../domain/later.ts';
import {
  type BegunSession,
  emailAddress,
  type Operator,
  operatorId,
  operatorName,
  operatorRole,
} from '../../domain/operator.ts';
import type { Operators } from '../../domain/ports.ts';
import { consoleSessionSeconds, epochSeconds, invitationSeconds } from '../../domain/times.ts';
import { tenantId } from '../../domain/verification.ts';
import { transact, unlessConditionFails, updateExpression } from '../conditional.ts';
import { type Dependencies, matching, sha256 } from './row.ts';

/** What opens a door for a while: its SHA-256, never itself, and until when, epoch seconds. */
const opener = tolerant({ sha256: z.string().length(64), expiresAt: z.int() });

const operator = tolerant({
  id: operatorId,
  name: operatorName,
  role: orLater(operatorRole),
  createdAt: z.string(),
  /** The address that an identity provider must have verified. */
  email: z.string().optional(),
  /** From then on nothing is opened for the operator: the name stays for what was done under it. */
  revokedAt: z.string().optional(),
  invitation: opener.optional(),
  /** By id. */
  sessions: z.record(z.string(), opener),
});
type StoredOperator = z.infer<typeof operator>;

/** All operators of a tenant, in a row of their own beside the tenant's: the sign-in may write it, and no other. */
const row = z.object({ operators: z.record(operatorId, operator).default({}) });

/** Every such row ends like this, and none else does: infra grants writing by it. */
const keyOf = (tenant: string) => marshall({ id: `${tenant}/operators` });
/** Where an address leads: one is an operator of one tenant alone. Not the address, which may be long. */
const emailKeyOf = (email: string) => marshall({ id: `operator-email/${sha256(email).toString('hex')}` });
const place = z.object({ tenant: tenantId, operatorId });

/** One row holds them all: the revoked ones too, and their sessions. */
export const maximumOperators = 100;
/** Browsers of one operator. The session that ends first gives way. */
export const maximumSessions = 10;

/** `<tenant>_<operator>_<256 random bits>`: naming the row makes authentication one read. */
const secretPattern = /^([a-z][a-z0-9-]{0,39})_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** What an operator sees of an invitation, once. */
export interface Invitation {
  readonly operator: Operator;
  /** Behind `#i_` in the link. */
  readonly code: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** What `npm run admin` does with operators. Every verb but `invite` throws `state_conflict` for one that there is not. */
export interface ManagedOperators extends Operators {
  readonly invite: (
    tenant: string,
    asked: { readonly name: string; readonly role: Operator['role']; readonly email?: string | undefined },
  ) => Promise<Invitation>;
  /** Another invitation, in the place of the last, for an operator whose session is over. */
  readonly inviteAgain: (tenant: string, id: string) => Promise<Invitation>;
  /** Nothing is opened for the operator from the next request on. */
  readonly revoke: (tenant: string, id: string) => Promise<void>;
  /** Ends all sessions of an operator. */
  readonly signOutEverywhere: (tenant: string, id: string) => Promise<void>;
}

export function dynamoOperators({ client, table, now, randomBytes }: Dependencies): ManagedOperators {
  async function read(tenant: string): Promise<Readonly<Record<string, StoredOperator>>> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: keyOf(tenant), ConsistentRead: true }),
    );
    return row.parse(Item ? unmarshall(Item) : {}).operators;
  }

  async function mustFind(tenant: string, id: string): Promise<StoredOperator> {
    const found = (await read(tenant))[id];
    if (!found || found.revokedAt) throw new Fault('state_conflict', `${tenant} has no operator ${id}, or revoked it.`);
    return found;
  }

  /** False where the condition does not hold. */
  const update = (tenant: string, write: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>): Promise<boolean> =>
    unlessConditionFails(client.send(new UpdateItemCommand({ TableName: table, Key: keyOf(tenant), ...write })));

  /** A new secret of an operator, and what is stored of it. */
  function issue(tenant: string, id: string, seconds: number) {
    const secret = `${tenant}_${id.slice(2)}_${randomBytes(32).toString('base64url')}`;
    const expiresAt = epochSeconds(now()) + seconds;
    return { secret, stored: { sha256: sha256(secret).toString('hex'), expiresAt } };
  }

  /** The operator whom a secret names, and who is not revoked. */
  async function named(secret: string): Promise<{ tenant: string; found: StoredOperator } | undefined> {
    const [, tenant, digits] = secretPattern.exec(secret) ?? [];
    if (tenant === undefined || digits === undefined) return undefined;
    const operators = await read(tenant);
    const id = `o_${digits}`;
    const found = Object.hasOwn(operators, id) ? operators[id] : undefined;
    return found && !found.revokedAt ? { tenant, found } : undefined;
  }

  const alive = (one: { readonly expiresAt: number }): boolean => one.expiresAt > epochSeconds(now());

  /**
   * Begins a session, in the place of those that are over, if `stillSo` holds: one conditional write. Undefined where it
   * does not, or the operator was revoked meanwhile.
   */
  async function begin(
    tenant: string,
    found: StoredOperator,
    { stillSo = [], values = {}, spent = [] }: { stillSo?: string[]; values?: object; spent?: string[] } = {},
  ): Promise<BegunSession | undefined> {
    const { secret: token, stored } = issue(tenant, found.id, consoleSessionSeconds);
    const id = randomBytes(6).toString('hex');
    const kept = Object.entries(found.sessions).sort(([, one], [, other]) => other.expiresAt - one.expiresAt);
    const over = kept.filter(([, one], index) => !alive(one) || index >= maximumSessions - 1).map(([one]) => one);
    const began = await update(tenant, {
      UpdateExpression: updateExpression(
        ['operators.#id.sessions.#session = :session'],
        [...spent, ...over.map((_, index) => `operators.#id.sessions.#over${index}`)],
      ),
      ConditionExpression: [
        'attribute_exists(operators.#id)',
        'attribute_not_exists(operators.#id.revokedAt)', // revoked since it was read
        ...stillSo,
      ].join(' AND '),
      ExpressionAttributeNames: {
        '#id': found.id,
        '#session': id,
        ...Object.fromEntries(over.map((one, index) => [`#over${index}`, one])),
      },
      ExpressionAttributeValues: marshall({ ':session': stored, ...values }),
    });
    if (!began) return undefined;
    return { tenant: { id: tenant }, operator: shown(found), id, expiresAt: stored.expiresAt, token };
  }

  /** Writes the invitation of an operator, in the place of the one before. */
  async function invited(tenant: string, found: Operator): Promise<Invitation> {
    const { secret: code, stored } = issue(tenant, found.id, invitationSeconds);
    const written = await update(tenant, {
      UpdateExpression: 'SET operators.#id.invitation = :invitation',
      ConditionExpression: 'attribute_exists(operators.#id) AND attribute_not_exists(operators.#id.revokedAt)',
      ExpressionAttributeNames: { '#id': found.id },
      ExpressionAttributeValues: marshall({ ':invitation': stored }),
    });
    if (!written) throw new Fault('state_conflict', `${tenant} has no operator ${found.id}, or revoked it.`);
    return { operator: shown(found), code, expiresAt: stored.expiresAt };
  }

  /** Where the row is full, the operator who was revoked first is forgotten. */
  async function makeRoom(tenant: string): Promise<void> {
    const all = Object.values(await read(tenant));
    const [oldest] = all
      .filter(({ revokedAt }) => revokedAt !== undefined)
      .sort((one, other) => ((one.revokedAt ?? '') < (other.revokedAt ?? '') ? -1 : 1));
    if (all.length < maximumOperators || !oldest) return;
    await update(tenant, {
      UpdateExpression: 'REMOVE operators.#id',
      ConditionExpression: 'attribute_exists(operators.#id.revokedAt)',
      ExpressionAttributeNames: { '#id': oldest.id },
    });
  }

  return {
    async authenticate(token = '') {
      const owner = await named(token);
      const sessions = Object.entries(owner?.found.sessions ?? {}).map(([id, one]) => ({ id, ...one }));
      const [session] = matching(sessions, token).filter(alive);
      if (!owner || !session) throw new Fault('session_invalid', 'Sign in to the console again.');
      const { id, expiresAt } = session;
      return { tenant: { id: owner.tenant }, operator: shown(owner.found), id, expiresAt };
    },

    async spend(code) {
      const owner = await named(code);
      const { invitation } = owner?.found ?? {};
      const [open] = matching(invitation ? [invitation] : [], code).filter(alive);
      const session =
        owner &&
        open &&
        (await begin(owner.tenant, owner.found, {
          stillSo: ['operators.#id.invitation.sha256 = :spent'], // of two who spend it at once, one
          values: { ':spent': open.sha256 },
          spent: ['operators.#id.invitation'],
        }));
      if (!session) throw new Fault('invitation_invalid', 'Ask for another link: each works once, for 15 minutes.');
      return session;
    },

    async signIn(told) {
      const email = emailAddress.safeParse(told).data;
      if (email === undefined) return undefined;
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: emailKeyOf(email), ConsistentRead: true }),
      );
      if (!Item) return undefined;
      const { tenant, operatorId: id } = place.parse(unmarshall(Item));
      const found = (await read(tenant))[id];
      if (!found || found.revokedAt || found.email !== email) return undefined;
      return begin(tenant, found);
    },

    async signOut({ tenant, operator: { id }, id: session }) {
      await update(tenant.id, {
        UpdateExpression: 'REMOVE operators.#id.sessions.#session',
        ConditionExpression: 'attribute_exists(operators.#id.sessions.#session)',
        ExpressionAttributeNames: { '#id': id, '#session': session },
      });
    },

    list: async (tenant) =>
      Object.values(await read(tenant))
        .sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1))
        .map((one) => ({ ...shown(one), ...(one.revokedAt && { revokedAt: one.revokedAt }) })),

    async invite(tenant, { name, role, email }) {
      const id = `o_${randomBytes(6).toString('hex')}`;
      const address = email === undefined ? undefined : emailAddress.parse(email);
      const made = operator.parse({ id, name, role, createdAt: now().toISOString(), email: address, sessions: {} });
      await update(tenant, {
        UpdateExpression: 'SET operators = :none',
        ConditionExpression: 'attribute_not_exists(operators)', // the tenant's first
        ExpressionAttributeValues: marshall({ ':none': {} }),
      });
      await makeRoom(tenant);
      const writes: TransactWriteItem[] = [
        {
          Update: {
            TableName: table,
            Key: keyOf(tenant),
            UpdateExpression: 'SET operators.#id = :made',
            ConditionExpression: 'size(operators) < :maximum',
            ExpressionAttributeNames: { '#id': id },
            ExpressionAttributeValues: marshall(
              { ':made': made, ':maximum': maximumOperators },
              { removeUndefinedValues: true },
            ),
          },
        },
      ];
      if (address !== undefined) {
        const Item = { ...emailKeyOf(address), ...marshall({ tenant, operatorId: id }) };
        writes.push({ Put: { TableName: table, Item, ConditionExpression: 'attribute_not_exists(id)' } });
      }
      if (await transact(client, writes)) {
        const detail = `${tenant} has ${maximumOperators} operators, or there is one with this address: revoke that one first.`;
        throw new Fault('state_conflict', detail);
      }
      return invited(tenant, made);
    },

    inviteAgain: async (tenant, id) => invited(tenant, await mustFind(tenant, id)),

    async revoke(tenant, id) {
      const { email } = await mustFind(tenant, id);
      await update(tenant, {
        UpdateExpression:
          'SET operators.#id.revokedAt = :at, operators.#id.sessions = :none REMOVE operators.#id.invitation, operators.#id.email',
        ConditionExpression: 'attribute_exists(operators.#id)',
        ExpressionAttributeNames: { '#id': id },
        ExpressionAttributeValues: marshall({ ':at': now().toISOString(), ':none': {} }),
      });
      if (email === undefined) return;
      const ofOperator = {
        ConditionExpression: 'operatorId = :id', // another operator's by now
        ExpressionAttributeValues: marshall({ ':id': id }),
      };
      await unlessConditionFails(
        client.send(new DeleteItemCommand({ TableName: table, Key: emailKeyOf(email), ...ofOperator })),
      );
    },

    async signOutEverywhere(tenant, id) {
      await mustFind(tenant, id);
      await update(tenant, {
        UpdateExpression: 'SET operators.#id.sessions = :none',
        ConditionExpression: 'attribute_exists(operators.#id)',
        ExpressionAttributeNames: { '#id': id },
        ExpressionAttributeValues: marshall({ ':none': {} }),
      });
    },
  };
}

function shown({ id, name, role }: Operator): Operator {
  return { id, name, role };
}
