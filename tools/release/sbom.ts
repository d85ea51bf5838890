import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { type Manifest, type WeightsFile, weightsOf } from '../../engine/manifest.ts';
import type { CopyleftPackage, Work } from './copyleft.ts';
import { dependenciesOf, type LockedPackage, type Lockfile, lockedPackageAt, topLevel } from './lockfile.ts';

export interface SbomParts {
  readonly lockfile: Lockfile;
  /** Names of the packages that lie in the asset's node_modules as they were published. */
  readonly beside: readonly string[];
  readonly copyleft: readonly CopyleftPackage[];
  readonly models: Manifest;
}

/**
 * `sbom.cdx.json`, CycloneDX 1.6: every package that the engine's function carries or may be bundled from, the works
 * compiled into them, and the models. It has no date and no serial number: the same parts give the same bytes.
 */
export function sbomOf({ lockfile, beside, copyleft, models }: SbomParts): string {
  const bom = new Models.Bom();
  const { version, license } = lockfile.packages[''] ?? {};
  const product = new Models.Component(Enums.ComponentType.Application, 'bonafide', { bomRef: 'bonafide' });
  if (version) product.version = version;
  if (license) product.licenses.add(licenceOf(license));
  bom.metadata.component = product;

  const placesBeside = beside.map(topLevel);
  const components = new Map<string, Models.Component>();
  for (const place of new Set([...placesBeside, ...bundledPlaces(lockfile, placesBeside)])) {
    const how = placesBeside.includes(place) ? 'in node_modules' : 'bundled, in whole or in part';
    components.set(place, packageComponent(lockedPackageAt(lockfile, place), how));
  }
  for (const [place, component] of components) {
    for (const dependency of dependenciesOf(lockfile, place)) {
      const needed = components.get(dependency);
      if (needed) component.dependencies.add(needed.bomRef);
    }
    bom.components.add(component);
    product.dependencies.add(component.bomRef);
  }
  for (const { name, works } of copyleft) {
    for (const work of works) components.get(topLevel(name))?.components.add(workComponent(name, work));
  }
  for (const weights of weightsOf(models)) bom.components.add(modelComponent(weights, models.version));
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

/** What the project depends on and all that depends on in turn, without what lies beside the bundle. */
function bundledPlaces(lockfile: Lockfile, beside: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = dependenciesOf(lockfile, '');
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (found.has(place) || beside.includes(place)) continue;
    found.add(place);
    waiting.push(...dependenciesOf(lockfile, place));
  }
  return found;
}

function packageComponent({ name, version, integrity, licence }: LockedPackage, how: string): Models.Component {
  const [bare = name, group] = name.split('/').reverse();
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const component = new Models.Component(Enums.ComponentType.Library, bare, { version, purl, bomRef: purl });
  if (group) component.group = group;
  if (licence) component.licenses.add(licenceOf(licence));
  const sha512 = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
  component.hashes.set(Enums.HashAlgorithm['SHA-512'], sha512);
  component.properties.add(new Models.Property('bonafide:carried', how));
  return component;
}

function workComponent(within: string, { name, version, licence, source }: Work): Models.Component {
  const component = new Models.Component(Enums.ComponentType.Library, name, { version, bomRef: `${within}#${name}` });
  component.licenses.add(licenceOf(licence));
  const { SourceDistribution } = Enums.ExternalReferenceType;
  component.externalReferences.add(new Models.ExternalReference(source, SourceDistribution));
  return component;
}

function modelComponent(weights: WeightsFile, packVersion: number): Models.Component {
  const { name, file, sha256, licence, provenance, published } = weights;
  const component = new Models.Component(Enums.ComponentType.MachineLearningModel, file, {
    version: String(packVersion),
    description: `${name}. ${provenance}`,
    bomRef: `models/${file}`,
  });
  component.licenses.add(licenceOf(licence));
  component.hashes.set(Enums.HashAlgorithm['SHA-256'], sha256);
  if (published) {
    const url = `https://www.npmjs.com/package/${published.package}/v/${published.version}`;
    const { Distribution } = Enums.ExternalReferenceType;
    component.externalReferences.add(
      new Models.ExternalReference(url, Distribution, {
        comment: `${published.file}, sha256 ${published.sha256} as published`,
      }),
    );
  }
  return component;
}

const licences = new Contrib.License.Factories.LicenseFactory(() => undefined);

/** An SPDX expression, an SPDX id, or else the name that a work gives its licence. */
const licenceOf = (licence: string): Models.License =>
  / (AND|OR|WITH) /.test(licence) ? new Models.LicenseExpression(licence) : licences.makeDisjunctive(licence);
