import { programsOf, program as shown } from '../integrate/programs.ts';

const programs = programsOf('docs/client.md');

/** A whole file that docs/client.md shows. */
export const program = (file: string): string => shown(file, programs);
