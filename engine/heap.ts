import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 collect garbage later than it would. Pixels are counted as a heap's own, so each verification used to make it
 * walk all of the heap, while models and decoders wait; and a decoder's three workers did so while they started. Both
 * settings hold for the whole process, and are read whenever a heap has been collected or a worker begins. What each is
 * worth is in `docs/decisions/019-decoders.md`.
 */
export function collectLater(): void {
  // A heap may grow to five times what was alive after the last collection; it was about one and a half times.
  setFlagsFromString('--heap-growing-percent=400');
  // Workers begin with so many megabytes, all that those of a decoder may have.
  setFlagsFromString('--initial-heap-size=64');
}
