import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CopyleftPackage } from './copyleft.ts';
import { type LockedPackage, type Lockfile, lockedPackageAt, topLevel } from './lockfile.ts';

const preamble = `# Source of the GPL, LGPL and MPL works in this function

The packages below contain works under the GNU General Public License, the GNU Lesser General Public License and the
Mozilla Public License. The texts are in \`licences/\`. Nothing of these works was changed; each is a file of its own
that the function loads, and another build of it may be put in its place.

**Offer.** The party that gives you this function, in whatever form, offers you and any third party, for at least three
years from the day it last gave it, a complete machine-readable copy of the source code that corresponds to the builds
below, the scripts that control their compilation included, for no more than the cost of physically making that copy.
Ask that party at the address under which it offers the function or the service behind it. The upstream projects publish
the source at the addresses below. Deploying Bonafide into an account of one's own gives it to no other party.
`;

/** `SOURCE-OFFER.md`: the written offer, and exactly which builds it is for. `modules` is where the packages lie. */
export async function sourceOffer(
  packages: readonly CopyleftPackage[],
  lockfile: Lockfile,
  modules: string,
): Promise<string> {
  const sections = packages.map(async (part) =>
    section(part, lockedPackageAt(lockfile, topLevel(part.name)), await hashes(part, modules)),
  );
  return [preamble, ...(await Promise.all(sections))].join('\n');
}

function section(part: CopyleftPackage, locked: LockedPackage, files: readonly string[]): string {
  if (locked.version !== part.version) {
    throw new Error(
      `The source offer is for ${part.name} ${part.version}, package-lock.json has ${locked.version}: bring its row in tools/release/copyleft.ts up to date`,
    );
  }
  const works = part.works.map(
    ({ name, version, licence, source }) => `| ${name} | ${version} | ${licence} | ${source} |`,
  );
  return `## ${part.name} ${part.version}

Licence: ${locked.licence}; texts: ${part.texts.map((text) => `\`licences/${text}.txt\``).join(', ')}.
Package: https://www.npmjs.com/package/${part.name}/v/${part.version}, ${locked.integrity}
${files.join('\n')}

Source: ${part.source}
Build: ${part.build}

| work | version | licence | source |
|---|---|---|---|
${works.join('\n')}
`;
}

const hashes = (part: CopyleftPackage, modules: string): Promise<string[]> =>
  Promise.all(
    part.binaries.map(async (file) => {
      const bytes = await readFile(path.join(modules, part.name, file));
      return `\`${file}\`: sha256 ${createHash('sha256').update(bytes).digest('hex')}`;
    }),
  );
