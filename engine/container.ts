import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { format } from '../shared/domain/verdict.ts';
import { copyOf, decodeConfined } from './confined.ts';
import type { ContainerAnswer, ContainerLimits, ContainerRequest } from './container-worker.ts';

/** Some milliseconds are usual. On two of 200 damaged files mediabunny never ends. */
const confinement = { worker: 'container-worker', milliseconds: 8_000, heapMegabytes: 192 } as const;

/** The package's exports name a build that opens files; this one does not, and loads in half the time. */
function mediabunnyScript(): string {
  const described = findPackageJSON('mediabunny', import.meta.url);
  if (!described) throw new Error('mediabunny is not installed');
  return path.join(path.dirname(described), 'dist/bundles/mediabunny.min.cjs');
}

/** The streams of an MP4, MOV or WebM without their container, read by mediabunny in a worker that ends with it. */
export async function readContainer(bytes: Uint8Array, limits: ContainerLimits): Promise<ContainerAnswer> {
  const request: ContainerRequest = { bytes: copyOf(bytes), limits, mediabunnyScript: mediabunnyScript() };
  const answer = await decodeConfined<ContainerAnswer>(request, confinement);
  const isNameless = answer.kind === 'format_unsupported' && !format.safeParse(answer.format).success;
  return isNameless ? { kind: 'unreadable' } : answer;
}
