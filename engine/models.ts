import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { type Manifest, manifest, type Weights } from './manifest.ts';
import { newPatch, type Patch, toTensor } from './pixels.ts';

/** The pack is not what its manifest says, or says nothing readable: a deployment mistake, never a capture's fault. */
export class ModelsRefused extends Error {
  override readonly name = 'ModelsRefused';
}

/** One set of weights, ready to run. */
export interface Model<Contract extends Weights = Weights> {
  readonly contract: Contract;
  /** `paint` fills a black patch of the input's size with what the model shall see. Answers every output by name. */
  readonly run: (paint: (patch: Patch) => void) => Promise<Readonly<Record<string, Float32Array>>>;
}

export interface ModelPack {
  readonly manifest: Manifest;
  /** Loads on first use, once: a check pays only for the weights it needs. */
  readonly open: <Contract extends Weights>(contract: Contract) => Promise<Model<Contract>>;
  /** For weights that are not fed pixels: the bare session, opened and kept the same way. */
  readonly openSession: (weights: SessionWeights) => Promise<ort.InferenceSession>;
}

type SessionWeights = Pick<Weights, 'file' | 'sha256'> & { readonly input: Pick<Weights['input'], 'name'> };

/** A model pack: a directory with `manifest.json` and the .onnx files it names. */
export async function openModelPack(directory: string, threads: number): Promise<ModelPack> {
  const pack = await readManifest(directory);
  const sessions = new Map<string, Promise<ort.InferenceSession>>();

  const opened = (weights: SessionWeights): Promise<ort.InferenceSession> => {
    const opening = sessions.get(weights.file) ?? openSession(directory, weights, threads);
    sessions.set(weights.file, opening);
    return opening;
  };

  return {
    manifest: pack,
    open: async (contract) => {
      const session = await opened(contract);
      const patches: Patch[] = [];
      return { contract, run: (paint) => runSession(session, contract, paint, patches) };
    },
    openSession: opened,
  };
}

async function readManifest(directory: string): Promise<Manifest> {
  const file = path.join(directory, 'manifest.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ModelsRefused(`No model pack at ${directory}: cannot read manifest.json`, { cause });
  });
  try {
    return manifest.parse(JSON.parse(text));
  } catch (cause) {
    throw new ModelsRefused(`${file} is not the manifest of a model pack`, { cause });
  }
}

/** The bytes that were hashed are the bytes that are run: the session is made from memory, not from the file again. */
async function openSession(directory: string, weights: SessionWeights, threads: number): Promise<ort.InferenceSession> {
  const bytes = await readFile(path.join(directory, weights.file)).catch((cause: unknown) => {
    throw new ModelsRefused(`The model pack at ${directory} lacks ${weights.file}`, { cause });
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== weights.sha256) {
    throw new ModelsRefused(`${weights.file} has sha256 ${sha256}, its manifest says ${weights.sha256}: not loaded`);
  }
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // Idle threads that spin take the core from libvips and, on Lambda, from the bill.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  if (!session.inputNames.includes(weights.input.name)) {
    throw new ModelsRefused(`${weights.file} has no input named ${weights.input.name}`);
  }
  return session;
}

/** `spare`: patches of earlier runs, one for each that ran at the same time. */
async function runSession(
  session: ort.InferenceSession,
  { input }: Weights,
  paint: (patch: Patch) => void,
  spare: Patch[],
): Promise<Record<string, Float32Array>> {
  const { name, width, height, channels } = input;
  const patch = spare.pop() ?? newPatch(width, height);
  try {
    patch.values.fill(0);
    paint(patch);
    const shape = [1, channels === 'grey' ? 1 : 3, height, width];
    const outputs = await session.run({ [name]: new ort.Tensor('float32', toTensor(patch, input), shape) });
    return Object.fromEntries(
      Object.entries(outputs).map(([output, { data }]) => {
        if (!(data instanceof Float32Array)) throw new ModelsRefused(`Output ${output} is not float32`);
        return [output, data];
      }),
    );
  } finally {
    spare.push(patch);
  }
}

/** An output the contract names; a pack that promises one its model lacks is refused when first used. */
export function outputOf(outputs: Readonly<Record<string, Float32Array>>, name: string): Float32Array {
  const output = outputs[name];
  if (!output) throw new ModelsRefused(`The model has no output named ${name}`);
  return output;
}
