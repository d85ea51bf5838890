/*
 * Verifies two photos again and again, each as soon as the decoders have started, and prints how often V8's collector
 * walked all of the heap. In a process of its own: a test runner's heap is too large for the pictures to count.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { openEngine } from '../../engine/engine.ts';
import { modelsDirectory } from './engine.ts';
import { idCard, selfieOfPair } from './people.ts';

interface GarbageCollection {
  readonly detail: { readonly kind: number };
}

const verifications = 30;
const engine = await openEngine({ modelsDirectory: await modelsDirectory() });
const [selfie, card] = [await selfieOfPair(), await idCard()];
let walks = 0;
const observer = new PerformanceObserver((list) => {
  const kinds = list.getEntries().map((entry) => (entry as PerformanceEntry & GarbageCollection).detail.kind);
  walks += kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
});
for (let run = -5; run < verifications; run += 1) {
  if (run === 0) observer.observe({ entryTypes: ['gc'] });
  await engine.analysePhotos(selfie, card, {});
  await engine.prepared();
}
await setImmediate();
console.log(JSON.stringify({ verifications, walks }));
process.exit();
