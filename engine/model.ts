import type { PixelInput } from './manifest.ts';
import { newPatch, type Patch, toTensor } from './pixels.ts';

/** The pack is not what its manifest says, or says nothing readable: a deployment mistake, never a capture's fault. */
export class ModelsRefused extends Error {
  override readonly name = 'ModelsRefused';
}

/** The least that is said of weights: how they are fed. */
interface Fed {
  readonly input: PixelInput;
}

/** One set of weights, ready to run. */
export interface Model<Contract extends Fed = Fed> {
  readonly contract: Contract;
  /** `paint` fills a black patch of the input's size with what the model shall see. Answers every output by name. */
  readonly run: (paint: (patch: Patch) => void) => Promise<Readonly<Record<string, Float32Array>>>;
}

/** What a session of onnxruntime does, in Node or in a browser: a tensor of float32 in, every output by its name. */
export type Infer = (values: Float32Array, shape: readonly number[]) => Promise<Readonly<Record<string, unknown>>>;

/** The weights behind `infer`, fed as their contract says. */
export function modelOf<Contract extends Fed>(contract: Contract, infer: Infer): Model<Contract> {
  const { width, height, channels } = contract.input;
  const shape = [1, channels === 'grey' ? 1 : 3, height, width];
  /** Patches of earlier runs, one for each that ran at the same time. */
  const spare: Patch[] = [];
  return {
    contract,
    run: async (paint) => {
      const patch = spare.pop() ?? newPatch(width, height);
      try {
        patch.values.fill(0);
        paint(patch);
        const outputs = await infer(toTensor(patch, contract.input), shape);
        return Object.fromEntries(
          Object.entries(outputs).map(([output, data]) => {
            if (!(data instanceof Float32Array)) throw new ModelsRefused(`Output ${output} is not float32`);
            return [output, data];
          }),
        );
      } finally {
        spare.push(patch);
      }
    },
  };
}

/** An output the contract names; a pack that promises one its model lacks is refused when first used. */
export function outputOf(outputs: Readonly<Record<string, Float32Array>>, name: string): Float32Array {
  const output = outputs[name];
  if (!output) throw new ModelsRefused(`The model has no output named ${name}`);
  return output;
}
