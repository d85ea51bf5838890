import { afterAll, beforeAll, describe } from 'vitest';
import { type RunningStack, remove, startLocalStack } from '../journeys/local-stack.ts';
import { services } from './document-examples.ts';
import { documentPrograms } from './document-programs.ts';

/* One Smart Lab's document, taken at its word: its nine programs against `npm start`. */

let running: RunningStack;
beforeAll(async () => {
  running = await startLocalStack();
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

describe('the document’s own programs', () => {
  documentPrograms(services, () => running);
});
