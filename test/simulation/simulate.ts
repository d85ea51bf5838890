import * as z from 'zod';
import { commandLine, misused } from '../../tools/command-line.ts';
import { instrumentAwaits } from './instrument-awaits.ts';
import { plantNames } from './plants.ts';

const usage = `npm run simulate -- [options]

Random worlds around the real verbs: uploads, repeated and reordered messages, faults, webhooks, kills at any await.
Every run is drained and judged; docs/simulation.md says by what. Exits 1 at the first run that goes wrong, and tells it.

  --seed N      1 by default
  --runs N      1000 by default
  --from R      the first run of the seed: 1 by default
  --plant P     put a defect around the verbs, to see it caught: ${plantNames.join(', ')}
  --served      only orders: calls of a vendor's API that bring a link and are answered at a webhook
  --trace       print what happens in every run`;

const { values } = commandLine(usage, {
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    plant: { type: 'string' },
    served: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});

const wanted = z
  .object({
    seed: z.coerce.number().int(),
    runs: z.coerce.number().int().positive(),
    from: z.coerce.number().int().nonnegative(),
    plant: z.enum(plantNames).optional(),
  })
  .safeParse(values);

if (!wanted.success) misused(usage, z.prettifyError(wanted.error));

instrumentAwaits(); // before any verb is loaded: hence the import below and not above
const { runAll } = await import('./verdict.ts');
const clean = await runAll({ ...wanted.data, served: values.served, traced: values.trace }, (line) =>
  console.log(line),
);
process.exitCode = clean ? 0 : 1;
