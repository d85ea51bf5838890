import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Engine, openEngine } from '../engine/engine.ts';
import { openModelPack } from '../engine/models.ts';
import { packWith } from '../engine/training/spoof/pack.ts';
import { type Capture, ProvenanceRefused, readProvenance } from '../engine/training/spoof/provenance.ts';
import { type View, viewsOf } from '../engine/training/spoof/views.ts';
import { commandLine, misused } from './command-line.ts';
import { decoders } from './evaluate/decoders.ts';
import { mulberry32 } from './evaluate/random.ts';
import { pythonEnvironment } from './python.ts';
import { prepareModels } from './release/engine-assets.ts';
import { root } from './release/lockfile.ts';
import { type Judged, reportOf, reportText } from './train-spoof/report.ts';

const usage = `npm run train:spoof -- --data DIR --out DIR

Trains a spoof model on captures of your own, and says what it does on sources it has not seen. --data holds them, with
provenance.csv (docs/capture-protocol.md). --out becomes a model pack: the shipped one with the new spoof model, for
npm run evaluate -- --models DIR, and -c models=DIR. Needs Python 3.11 or newer and PyPI; nothing is uploaded.
Exits 0 when there is a model, whatever it is worth, and 1 when there is none, saying why.

  --name NAME   the pack's name; own-spoof by default
  --json        the whole report, for programs`;

const kit = path.join(root, 'engine/training/spoof');
/** Numbers of one thread are the same each time. */
const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

async function capturesOf(data: string): Promise<Capture[]> {
  const text = await readFile(path.join(data, 'provenance.csv'), 'utf8').catch(() => {
    throw new ProvenanceRefused(`There is no provenance.csv in ${data}: docs/capture-protocol.md says what it holds`);
  });
  return readProvenance(text, async (file) => {
    const bytes = await readFile(path.join(data, file)).catch(() => undefined);
    return bytes && sha256(bytes).toString('hex');
  });
}

/** Runs one of the kit's programs. */
async function runKit(program: string, ...parameters: string[]): Promise<void> {
  const binaries = await pythonEnvironment(path.join(root, 'build/spoof/python'), path.join(kit, 'requirements.txt'));
  const environment = { env: { ...process.env, ...oneThread } };
  await promisify(execFile)(path.join(binaries, 'python'), [path.join(kit, program), ...parameters], environment).catch(
    (cause: unknown) => {
      const said = (cause as { stderr?: string }).stderr?.trim() || String(cause);
      throw new Error(`${program}: ${said}`, { cause });
    },
  );
}

/** Packs while they are made: the shipped one, one that gives features, one without each source. */
interface Workplace {
  readonly directory: string;
  readonly shipped: string;
}

async function seeAll(data: string, captures: readonly Capture[], { directory, shipped }: Workplace): Promise<View[]> {
  const weights = path.join(directory, 'backbone.onnx');
  await runKit('backbone.py', '--out', weights);
  const pack = { shipped, name: 'features', directory: path.join(directory, 'features') };
  await packWith({ weights, output: 'features', provenance: 'backbone.py' }, pack);
  const eyes = await openModelPack(pack.directory, 1);
  const views: View[] = [];
  for (const [index, capture] of captures.entries()) {
    const bytes = await readFile(path.join(data, capture.file));
    // By the picture, not by its place in the list: what is added later changes no other capture's views.
    const random = mulberry32(sha256(bytes).readUInt32LE());
    views.push(...(await viewsOf(bytes, capture, eyes, random)));
    if ((index + 1) % 100 === 0)
      console.error(`${index + 1} of ${captures.length} captures, ${cpuSeconds()} s of processor time`);
  }
  return views;
}

const cpuSeconds = () => Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1e6);

/** The sources that anything can be learnt from: the N-th is the one that `without-N.onnx` has not seen. */
const sourcesOf = (views: readonly View[]) => [...new Set(views.map(({ source }) => source))].toSorted();

async function trainHeads(views: readonly View[], { directory }: Workplace): Promise<void> {
  const sources = sourcesOf(views);
  const described = views.map(({ features: _, source, ...what }) => ({ ...what, source: sources.indexOf(source) }));
  await writeFile(path.join(directory, 'views.json'), JSON.stringify(described));
  await writeFile(
    path.join(directory, 'features.f32'),
    Buffer.concat(views.map(({ features }) => Buffer.from(features.buffer, features.byteOffset, features.byteLength))),
  );
  await runKit('head.py', '--views', directory, '--out', directory);
}

async function judge(data: string, captures: readonly Capture[], engine: Engine): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const capture of captures) {
    const { finding } = await engine.analyseSelfie(await readFile(path.join(data, capture.file)), {});
    judged.push({ capture, outcome: finding.outcome });
  }
  return judged;
}

/** Every source by the model that was trained without it, and everything by the shipped one. */
async function judgeAll(
  data: string,
  captures: readonly Capture[],
  views: readonly View[],
  { directory, shipped }: Workplace,
) {
  const own: Judged[] = [];
  const sources = sourcesOf(views);
  const bySource = Map.groupBy(captures, ({ source }) => source);
  for (const [source, ofSource] of bySource) {
    const number = sources.indexOf(source);
    const weights = path.join(directory, number < 0 ? 'spoof.onnx' : `without-${number}.onnx`);
    const pack = { shipped, name: 'without one source', directory: path.join(directory, 'without') };
    await packWith({ weights, output: 'classes', provenance: 'head.py' }, pack);
    own.push(...(await judge(data, ofSource, await openEngine({ modelsDirectory: pack.directory, decoders }))));
  }
  return reportOf(own, await judge(data, captures, await openEngine({ modelsDirectory: shipped, decoders })));
}

/** The pack in `out`, and what the report says; everything else is made in `directory`. */
async function trainPack(data: string, out: string, name: string, directory: string) {
  const captures = await capturesOf(data);
  const workplace = { directory, shipped: path.join(directory, 'shipped') };
  await prepareModels(workplace.shipped);
  const views = await seeAll(data, captures, workplace);
  await trainHeads(views, workplace);
  const report = await judgeAll(data, captures, views, workplace);
  const { bonaFide, attack, sources } = report.captures;
  const provenance = `engine/training/spoof on ${bonaFide} bona fide captures, ${attack} attacks, ${sources} sources`;
  const model = { weights: path.join(directory, 'spoof.onnx'), output: 'classes', provenance } as const;
  const { spoofing } = await packWith(model, { shipped: workplace.shipped, name, directory: out });
  await writeFile(path.join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  return { report, sha256: spoofing.models[0]?.sha256 };
}

/** A directory for what is derived from faces: it goes when the program ends, interrupted or not. */
async function passingDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-spoof-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  return directory;
}

async function main(): Promise<number> {
  const { values } = commandLine(usage, {
    options: {
      data: { type: 'string' },
      out: { type: 'string' },
      name: { type: 'string', default: 'own-spoof' },
      json: { type: 'boolean', default: false },
    },
  });
  const { data, out, name, json } = values;
  if (!data || !out) misused(usage, 'Say where the captures are and where the model goes: --data DIR --out DIR.');
  try {
    const { report, sha256 } = await trainPack(data, out, name, await passingDirectory());
    const closing = `${out}: sha256 ${sha256}, ${cpuSeconds()} s of processor time`;
    console.log(json ? JSON.stringify({ ...report, sha256 }, null, 2) : [...reportText(report), closing].join('\n'));
    return 0;
  } catch (error) {
    console.error(`There is no model: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main();
