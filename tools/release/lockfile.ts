import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

export const root = path.join(import.meta.dirname, '../..');

const entry = z.looseObject({
  version: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
});
const lockfile = z.object({ lockfileVersion: z.int(), packages: z.record(z.string(), entry) });
export type Lockfile = z.infer<typeof lockfile>;

/** A package of the lockfile: exactly what is installed. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly licence: string | undefined;
  /** Places of what it depends on: keys of the lockfile. */
  readonly dependencies: readonly string[];
}

export const readLockfile = async (): Promise<Lockfile> =>
  lockfile.parse(JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')));

/** Where a package lies that everything may import: a key of the lockfile. */
export const topLevel = (name: string): string => `node_modules/${name}`;

/** The package at a place of the lockfile; refuses one that is not pinned. */
export function lockedPackageAt(locked: Lockfile, place: string): LockedPackage {
  const { version, integrity, license } = locked.packages[place] ?? {};
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  if (!version || !integrity) throw new Error(`package-lock.json does not pin ${name}`);
  return { name, version, integrity, licence: license, dependencies: dependenciesOf(locked, place) };
}

/** Places of the packages that the one at `place` depends on; '' is the project itself. */
export function dependenciesOf({ packages }: Lockfile, place: string): string[] {
  const names = Object.keys(packages[place]?.dependencies ?? {});
  return names.map((name) => nearest(packages, place, name)).filter((found) => found !== undefined);
}

/** As Node looks for it: in the importer's own node_modules, then in those of the directories above. */
function nearest(packages: Lockfile['packages'], importer: string, name: string): string | undefined {
  const place = importer === '' ? topLevel(name) : `${importer}/${topLevel(name)}`;
  if (packages[place]) return place;
  if (importer === '') return undefined;
  return nearest(packages, importer.slice(0, Math.max(0, importer.lastIndexOf('/node_modules/'))), name);
}
