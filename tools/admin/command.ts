import type * as z from 'zod';
import { deploymentOwner } from '../../shared/domain/owner.ts';
import { tenantId } from '../../shared/domain/verification.ts';
import type { Deployment } from './deployment.ts';

/** One command of `npm run admin`. */
export interface Command {
  /** How many words it needs after its name. */
  readonly words: number;
  readonly run: (words: readonly string[], context: Context) => Promise<void>;
}

export interface Context {
  /** Not called by a command that changes and reads nothing of a deployment. */
  readonly connect: () => Promise<Deployment>;
  /** A test tenant is meant. */
  readonly test: boolean;
  readonly graceSeconds: number;
  /** Where public keys are: a file or an address. */
  readonly keys: string | undefined;
  /** The address that an identity provider must have verified. */
  readonly email: string | undefined;
  /** How long a breaker stays open. */
  readonly minutes: number;
  /** Times between which events happened. */
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** The time that tables are restored to. */
  readonly at: string | undefined;
  /** A file of events to compare with. */
  readonly against: string | undefined;
}

/** Commands by name: `tenant create`, or of one word. */
export type Commands = Readonly<Record<string, Command>>;

/** The time that a text says, or an error that shows how to say one. */
export function timeIn(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error(`${text} is no time such as 2030-01-31T09:00:00Z`);
  return time;
}

/** A tenant's id, or an error that says what is wrong with it. */
export function tenantNamed(name: string, schema: z.ZodType<string> = tenantId): string {
  const id = schema.safeParse(name);
  if (!id.success) throw new Error(`A tenant's name ${id.error.issues[0]?.message}`);
  return id.data;
}

/** An owner of credentials and webhook addresses: a tenant, or the deployment for every tenant without its own. */
export function ownerNamed(name: string): string {
  return name === deploymentOwner ? name : tenantNamed(name);
}
