import type { KeptOutcome } from '../../shared/domain/outcome.ts';
import type { Outcomes } from '../../shared/domain/ports.ts';

/** Outcomes in memory, in the order in which they were kept, repeats too. */
export interface MemoryOutcomes extends Pick<Outcomes, 'keep'> {
  readonly all: () => readonly KeptOutcome[];
}

export function memoryOutcomes(): MemoryOutcomes {
  const rows: KeptOutcome[] = [];
  return { all: () => [...rows], keep: async (outcome) => void rows.push(outcome) };
}
