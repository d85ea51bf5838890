import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { type Manifest, manifest, type Weights } from './manifest.ts';
import { type Model, ModelsRefused, modelOf } from './model.ts';

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
      return modelOf(contract, (values, shape) => runSession(session, contract.input.name, values, shape));
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

async function runSession(
  session: ort.InferenceSession,
  input: string,
  values: Float32Array,
  shape: readonly number[],
): Promise<Record<string, unknown>> {
  const outputs = await session.run({ [input]: new ort.Tensor('float32', values, shape) });
  return Object.fromEntries(Object.entries(outputs).map(([output, { data }]) => [output, data]));
}
