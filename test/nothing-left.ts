import { afterAll, expect } from 'vitest';

/** What the files of a process share besides modules. */
function shared() {
  const { VIPSHOME: _, ...environment } = process.env; // libvips sets it when it is loaded
  return { directory: process.cwd(), environment, fetch: globalThis.fetch };
}

const before = shared();
afterAll(() => expect(shared(), 'a file of tests leaves its process as it found it').toEqual(before));
