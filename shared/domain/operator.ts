import * as z from 'zod';
import type { Later } from './later.ts';

/** What an operator may do: a viewer sees verdicts, a reviewer also captures, and decides, retries and erases. */
export const operatorRole = z.enum(['viewer', 'reviewer']);
export type OperatorRole = z.infer<typeof operatorRole>;

/** The role of a stored operator. One of a later version may nothing here. */
export type StoredRole = OperatorRole | Later;

const ranks: readonly StoredRole[] = operatorRole.options;

/** Whether a role has what a route needs: a reviewer may whatever a viewer may. */
export function hasRole(role: StoredRole, needed: OperatorRole): boolean {
  return ranks.indexOf(role) >= ranks.indexOf(needed);
}

/** Characters of a name. With the operator's id behind it, it is the `reviewer` of a review, which takes 128. */
const longestName = 100;

/** What an operator is called, in histories of reviews and looks. */
export const operatorName = z
  .string()
  .trim()
  .min(1)
  .max(longestName)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'must be 1 to 100 characters of plain text');

/** An address as it is given and compared: providers spell one in different cases. */
export const emailAddress = z.string().trim().toLowerCase().pipe(z.email().max(254));

/** Id of an operator: `o_` and 12 hexadecimal digits. */
export const operatorId = z.string().regex(/^o_[0-9a-f]{12}$/);

/** A person who may use the console of one tenant. */
export interface Operator {
  readonly id: string;
  readonly name: string;
  readonly role: StoredRole;
}

/** A sign-in that is alive. */
export interface Session {
  readonly tenant: { readonly id: string };
  readonly operator: Operator;
  /** Names the session among those of its operator. */
  readonly id: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** A session that has just begun, and the only time that what opens it is seen: stored is its hash. */
export interface BegunSession extends Session {
  readonly token: string;
}

/** What reviews and looks call an operator: two may have one name. */
export function signatureOf({ name, id }: Pick<Operator, 'name' | 'id'>): string {
  return `${name} (${id})`;
}
