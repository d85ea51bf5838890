import { PbfReader, PbfWriter } from 'pbf';

/** Field numbers of onnx.proto, as far as they are touched; every other field travels as the bytes it came in. */
const fields = {
  model: { graph: 7 },
  graph: { node: 1, initializer: 5 },
  node: { input: 1, output: 2, name: 3, operator: 4 },
  tensor: { dimensions: 1, type: 2, name: 8, raw: 9 },
} as const;
const float32 = 1;
/** What a weight this small adds to a sum of pixels is lost in rounding: answers stay the same to the last bit. */
const negligible = 1e-15;

/** The same model in fewer milliseconds, as the manifest pins it. What each step saves is in `engine/notes/pixels.md`. */
export const fasterWeights = (model: Uint8Array): Uint8Array => withoutNegligible(withoutPrelu(model));

/**
 * An ONNX model in which constants nearer to zero than any that count are zero. Products of tiny weights are subnormal
 * numbers, with which an Intel processor computes a hundred times as slowly; of zeros they are zero.
 */
export function withoutNegligible(model: Uint8Array): Uint8Array {
  return rewrite(model, (tag, bytes) => {
    if (tag !== fields.model.graph) return undefined;
    return [
      rewrite(contentOf(bytes), (inGraph, initializer) =>
        inGraph === fields.graph.initializer ? [zeroNegligible(contentOf(initializer))] : undefined,
      ),
    ];
  });
}

function zeroNegligible(tensor: Uint8Array): Uint8Array {
  const { raw, type } = readTensor(tensor);
  if (!raw || type !== float32) return tensor;
  return rewrite(tensor, (tag) => {
    if (tag !== fields.tensor.raw) return undefined;
    const values = Buffer.from(raw);
    for (let at = 0; at < values.length; at += 4) {
      if (Math.abs(values.readFloatLE(at)) < negligible) values.writeFloatLE(0, at);
    }
    return [values];
  });
}

/**
 * An ONNX model (opset 7 or later) with every PRelu written as what it is: slope · x + (1 − slope) · relu(x).
 *
 * onnxruntime's PRelu asks of each number whether it is positive, and on a picture, unlike on a constant, the processor
 * guesses wrong half of the time. Relu, Mul and Add ask nothing. What comes out differs in the seventh digit.
 */
export function withoutPrelu(model: Uint8Array): Uint8Array {
  return rewrite(model, (tag, bytes) => (tag === fields.model.graph ? [rewriteGraph(contentOf(bytes))] : undefined));
}

function rewriteGraph(graph: Uint8Array): Uint8Array {
  const slopes = new Map<string, Tensor>();
  each(graph, (tag, bytes) => {
    if (tag !== fields.graph.initializer) return;
    const tensor = readTensor(contentOf(bytes));
    slopes.set(tensor.name, tensor);
  });
  const rests: Uint8Array[] = [];
  const rewritten = rewrite(graph, (tag, bytes) => {
    if (tag !== fields.graph.node) return undefined;
    const node = readNode(contentOf(bytes));
    if (node.operator !== 'PRelu') return undefined;
    const [input = '', slope = ''] = node.inputs;
    const [output = ''] = node.outputs;
    const tensor = slopes.get(slope);
    if (!tensor) throw new Error(`The slope of ${output} is not a constant: this PRelu cannot be written otherwise`);
    const rest = `${output}/rest`;
    rests.push(field(fields.graph.initializer, writeTensor(rest, tensor)));
    return [
      writeNode('Relu', [input], `${output}/relu`),
      writeNode('Mul', [input, slope], `${output}/all`),
      writeNode('Mul', [`${output}/relu`, rest], `${output}/positive`),
      writeNode('Add', [`${output}/all`, `${output}/positive`], output),
    ];
  });
  return Buffer.concat([rewritten, ...rests]);
}

interface Tensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly type: number;
  /** Little-endian float32, where the tensor stores its values so. */
  readonly raw: Uint8Array | undefined;
}

function readTensor(bytes: Uint8Array): Tensor {
  const { dimensions, type, name, raw } = fields.tensor;
  const tensor = { name: '', dimensions: [] as number[], type: 0, raw: undefined as Uint8Array | undefined };
  return new PbfReader(bytes).readFields((tag, into, pbf) => {
    if (tag === dimensions) pbf.readPackedVarint(into.dimensions);
    else if (tag === type) into.type = pbf.readVarint();
    else if (tag === name) into.name = pbf.readString();
    else if (tag === raw) into.raw = pbf.readBytes();
  }, tensor);
}

function readNode(bytes: Uint8Array): { operator: string; inputs: string[]; outputs: string[] } {
  const node = { operator: '', inputs: [] as string[], outputs: [] as string[] };
  return new PbfReader(bytes).readFields((tag, into, pbf) => {
    if (tag === fields.node.input) into.inputs.push(pbf.readString());
    else if (tag === fields.node.output) into.outputs.push(pbf.readString());
    else if (tag === fields.node.operator) into.operator = pbf.readString();
  }, node);
}

/** 1 − slope, of the same shape. */
function writeTensor(name: string, { raw, type, dimensions }: Tensor): Uint8Array {
  if (!raw || type !== float32) throw new Error(`${name}: a slope is expected as raw float32`);
  const values = Buffer.from(raw);
  for (let at = 0; at < values.length; at += 4) values.writeFloatLE(1 - values.readFloatLE(at), at);
  const pbf = new PbfWriter();
  pbf.writePackedVarint(fields.tensor.dimensions, [...dimensions]);
  pbf.writeVarintField(fields.tensor.type, type);
  pbf.writeStringField(fields.tensor.name, name);
  pbf.writeBytesField(fields.tensor.raw, values);
  return pbf.finish();
}

function writeNode(operator: string, inputs: readonly string[], output: string): Uint8Array {
  const pbf = new PbfWriter();
  for (const input of inputs) pbf.writeStringField(fields.node.input, input);
  pbf.writeStringField(fields.node.output, output);
  pbf.writeStringField(fields.node.name, output);
  pbf.writeStringField(fields.node.operator, operator);
  return pbf.finish();
}

/** Every field with its whole encoding, tag and length included. */
function each(message: Uint8Array, visit: (tag: number, bytes: Uint8Array) => void): void {
  const pbf = new PbfReader(message);
  while (pbf.pos < pbf.length) {
    const from = pbf.pos;
    const tag = pbf.readVarint();
    pbf.skip(tag);
    visit(tag >> 3, message.subarray(from, pbf.pos));
  }
}

/** The message with some fields replaced by others of the same number; what is not replaced stays as it was. */
function rewrite(
  message: Uint8Array,
  replace: (tag: number, bytes: Uint8Array) => Uint8Array[] | undefined,
): Uint8Array {
  const parts: Uint8Array[] = [];
  each(message, (tag, bytes) => {
    parts.push(...(replace(tag, bytes)?.map((content) => field(tag, content)) ?? [bytes]));
  });
  return Buffer.concat(parts);
}

function contentOf(bytes: Uint8Array): Uint8Array {
  const pbf = new PbfReader(bytes);
  pbf.readVarint();
  return pbf.readBytes();
}

function field(tag: number, content: Uint8Array): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeBytesField(tag, content);
  return pbf.finish();
}
