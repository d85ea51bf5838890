import { PbfReader, PbfWriter } from 'pbf';

/** Field numbers of onnx.proto, as far as they are touched; every other field travels as the bytes it came in. */
const fields = {
  model: { graph: 7 },
  graph: { node: 1, initializer: 5, output: 12 },
  node: { input: 1, output: 2, name: 3, operator: 4, attribute: 5 },
  attribute: { name: 1, integer: 3, type: 20 },
  tensor: { dimensions: 1, type: 2, name: 8, raw: 9 },
  value: { name: 1 },
} as const;
const float32 = 1;
const integerAttribute = 2;
/** What a weight this small adds to a sum of pixels is lost in rounding: answers stay the same to the last bit. */
const negligible = 1e-15;
/** Channels that onnxruntime's convolutions compute at once: 16 with AVX-512, 8 with AVX2. */
const block = 16;

/** The same model in fewer milliseconds, as the manifest pins it. What each step saves is in `engine/notes/pixels.md`. */
export const fasterWeights = (model: Uint8Array): Uint8Array => withoutNegligible(withoutPrelu(inWholeBlocks(model)));

/**
 * An ONNX model in which constants nearer to zero than any that count are zero. Products of tiny weights are subnormal
 * numbers, with which an Intel processor computes a hundred times as slowly; of zeros they are zero.
 */
export function withoutNegligible(model: Uint8Array): Uint8Array {
  const isNegligible = (value: number) => Math.abs(value) < negligible;
  return rewriteGraph(model, ({ tensors }, { constants }) => {
    for (const [name, { dimensions, values }] of tensors) {
      if (!values?.some((value) => isNegligible(value) && !Object.is(value, 0))) continue;
      constants.set(name, { dimensions, values: values.map((value) => (isNegligible(value) ? 0 : value)) });
    }
  });
}

/**
 * An ONNX model in which depthwise convolutions have whole blocks of channels. Those that are added are zero, from the
 * convolution that writes them to the ones that read them, with weights of zero. onnxruntime leaves its blocked layout
 * for a depthwise convolution of 13 channels, not for one of 16; other convolutions it fills up by itself. What comes out
 * differs in the seventh digit.
 */
export function inWholeBlocks(model: Uint8Array): Uint8Array {
  return rewriteGraph(model, (graph, changes) => {
    for (const writer of graph.nodes.filter((node) => isMixing(node, graph))) {
      const [channels = 0] = weightsOf(writer, graph)?.dimensions ?? [];
      const path = channels % block === 0 ? undefined : pathOf(writer, channels, graph);
      const depthwise = path?.between.filter(({ operator }) => operator === 'Conv') ?? [];
      if (!path || depthwise.length === 0) continue;
      const whole = Math.ceil(channels / block) * block;
      for (const { inputs } of [writer, ...path.between])
        for (const name of inputs.slice(1)) change(name, graph, changes, (tensor) => widened(tensor, 0, whole));
      for (const { inputs } of path.readers)
        change(inputs[1] ?? '', graph, changes, (tensor) => widened(tensor, 1, whole));
      for (const { outputs, bytes } of depthwise) changes.nodes.set(outputs[0] ?? '', [inGroups(bytes, whole)]);
    }
  });
}

/**
 * What stands between a convolution and the next ones that mix its channels, and those; undefined where anything else
 * reads the channels.
 */
function pathOf(writer: Node, channels: number, graph: Graph): { between: Node[]; readers: Node[] } | undefined {
  const [between, readers]: [Node[], Node[]] = [[], []];
  const names = [...writer.outputs];
  for (const name of names) {
    const reading = graph.nodes.filter(({ inputs }) => inputs.includes(name));
    if (reading.length === 0 || graph.outputs.includes(name)) return undefined;
    for (const node of reading) {
      const isDepthwise = node.operator === 'Conv' && node.group === channels;
      if (isMixing(node, graph)) readers.push(node);
      else if (isDepthwise || node.operator === 'Relu' || node.operator === 'PRelu') {
        between.push(node);
        names.push(...node.outputs);
      } else return undefined;
    }
  }
  return { between, readers };
}

/** With zeros behind what is there. */
function widened({ dimensions, values }: Constant, axis: 0 | 1, length: number): Constant {
  const rows = axis === 0 ? 1 : (dimensions[0] ?? 1);
  const row = values.length / rows;
  const wideRow = (row / (dimensions[axis] ?? 1)) * length;
  const wide = new Float32Array(rows * wideRow);
  for (let at = 0; at < rows; at += 1) wide.set(values.subarray(at * row, (at + 1) * row), at * wideRow);
  return { dimensions: dimensions.with(axis, length), values: wide };
}

/**
 * An ONNX model (opset 7 or later) with every PRelu written as what it is: x + relu((slope − 1) · x). The product is a
 * depthwise convolution of single pixels, which stays in the blocked layout of the convolutions around it. Where slopes
 * are above 1, the term is taken away from those channels: another such convolution gives it the sign.
 *
 * onnxruntime's PRelu asks of each number whether it is positive, and on a picture, unlike on a constant, the processor
 * guesses wrong half of the time. Here nothing is asked. What comes out differs in the seventh digit.
 */
export function withoutPrelu(model: Uint8Array): Uint8Array {
  return rewriteGraph(model, (graph, changes) => {
    for (const { inputs, outputs } of graph.nodes.filter(({ operator }) => operator === 'PRelu')) {
      const [input = '', slope = ''] = inputs;
      const [output = ''] = outputs;
      const { values } = constantOf(slope, graph, changes);
      const perChannel = (of: (slope: number) => number) => ({
        dimensions: [values.length, 1, 1, 1],
        values: values.map(of),
      });
      const isSteep = values.some((value) => value > 1);
      change(slope, graph, changes, () => perChannel((value) => -Math.abs(value - 1)));
      if (isSteep)
        changes.added.set(
          `${output}/signs`,
          perChannel((value) => (value > 1 ? -1 : 1)),
        );
      changes.nodes.set(output, [
        writeNode('Conv', [input, slope], `${output}/product`, values.length),
        writeNode('Relu', [`${output}/product`], `${output}/rest`),
        ...(isSteep
          ? [writeNode('Conv', [`${output}/rest`, `${output}/signs`], `${output}/signed`, values.length)]
          : []),
        writeNode('Add', [isSteep ? `${output}/signed` : `${output}/rest`, input], output),
      ]);
    }
  });
}

interface Tensor {
  readonly dimensions: readonly number[];
  /** Where the tensor stores its values as raw float32. */
  readonly values: Float32Array | undefined;
}
type Constant = Tensor & { readonly values: Float32Array };

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Of a convolution: 1 mixes all channels; as many as there are channels mixes none (depthwise). */
  readonly group: number;
  readonly bytes: Uint8Array;
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly outputs: readonly string[];
}

/** What is written in place of tensors of these names and of the nodes that write these outputs, and what is added. */
interface Changes {
  readonly constants: Map<string, Constant>;
  readonly added: Map<string, Constant>;
  readonly nodes: Map<string, Uint8Array[]>;
}

const weightsOf = ({ inputs }: Node, { tensors }: Graph): Tensor | undefined => tensors.get(inputs[1] ?? '');

/** A convolution that mixes all its channels. */
const isMixing = (node: Node, graph: Graph): boolean =>
  node.operator === 'Conv' && node.group === 1 && weightsOf(node, graph) !== undefined;

function constantOf(name: string, graph: Graph, changes: Changes): Constant {
  const { dimensions, values } = changes.constants.get(name) ?? graph.tensors.get(name) ?? {};
  if (!dimensions || !values)
    throw new Error(`${name} is not a constant of raw float32: it cannot be written otherwise`);
  return { dimensions, values };
}

function change(name: string, graph: Graph, changes: Changes, by: (constant: Constant) => Constant): void {
  if (graph.nodes.filter(({ inputs }) => inputs.includes(name)).length > 1)
    throw new Error(`${name} is a constant of several nodes: it cannot be written otherwise for one`);
  changes.constants.set(name, by(constantOf(name, graph, changes)));
}

function rewriteGraph(model: Uint8Array, decide: (graph: Graph, changes: Changes) => void): Uint8Array {
  return rewrite(model, (tag, bytes) => {
    if (tag !== fields.model.graph) return undefined;
    const graph = contentOf(bytes);
    const changes: Changes = { nodes: new Map(), constants: new Map(), added: new Map() };
    const { nodes, constants, added } = changes;
    decide(readGraph(graph), changes);
    const rewritten = rewrite(graph, (inGraph, part) => {
      if (inGraph === fields.graph.node) return nodes.get(readNode(contentOf(part)).outputs[0] ?? '');
      if (inGraph !== fields.graph.initializer) return undefined;
      const tensor = contentOf(part);
      const constant = constants.get(readTensor(tensor).name);
      return constant && [inPlaceOf(tensor, constant)];
    });
    const tensors = [...added].map(([name, constant]) => field(fields.graph.initializer, writeTensor(name, constant)));
    return [Buffer.concat([rewritten, ...tensors])];
  });
}

function readGraph(bytes: Uint8Array): Graph {
  const [nodes, tensors, outputs]: [Node[], Map<string, Tensor>, string[]] = [[], new Map(), []];
  each(bytes, (tag, part) => {
    if (tag === fields.graph.node) nodes.push(readNode(contentOf(part)));
    else if (tag === fields.graph.output) outputs.push(textOf(contentOf(part), fields.value.name));
    else if (tag === fields.graph.initializer) {
      const { name, ...tensor } = readTensor(contentOf(part));
      tensors.set(name, tensor);
    }
  });
  return { nodes, tensors, outputs };
}

function readTensor(bytes: Uint8Array): Tensor & { readonly name: string } {
  const { dimensions, type, name, raw } = fields.tensor;
  const read = { name: '', dimensions: [] as number[], type: 0, raw: undefined as Uint8Array | undefined };
  const tensor = new PbfReader(bytes).readFields((tag, into, pbf) => {
    if (tag === dimensions) pbf.readPackedVarint(into.dimensions);
    else if (tag === type) into.type = pbf.readVarint();
    else if (tag === name) into.name = pbf.readString();
    else if (tag === raw) into.raw = pbf.readBytes();
  }, read);
  // Copied: a message's bytes begin anywhere, floats do not.
  const values =
    tensor.raw && tensor.type === float32 ? new Float32Array(new Uint8Array(tensor.raw).buffer) : undefined;
  return { name: tensor.name, dimensions: tensor.dimensions, values };
}

function readNode(bytes: Uint8Array): Node {
  const node = { operator: '', inputs: [] as string[], outputs: [] as string[], group: 1 };
  return {
    bytes,
    ...new PbfReader(bytes).readFields((tag, into, pbf) => {
      if (tag === fields.node.input) into.inputs.push(pbf.readString());
      else if (tag === fields.node.output) into.outputs.push(pbf.readString());
      else if (tag === fields.node.operator) into.operator = pbf.readString();
      else if (tag === fields.node.attribute) into.group = groupOf(pbf.readBytes()) ?? into.group;
    }, node),
  };
}

/** Of an attribute, where it is the group of a convolution. */
const groupOf = (attribute: Uint8Array): number | undefined =>
  textOf(attribute, fields.attribute.name) !== 'group'
    ? undefined
    : new PbfReader(attribute).readFields(
        (tag, into, pbf) => {
          if (tag === fields.attribute.integer) into.group = pbf.readVarint();
        },
        { group: 1 },
      ).group;

const textOf = (message: Uint8Array, field: number): string =>
  new PbfReader(message).readFields(
    (tag, into, pbf) => {
      if (tag === field) into.text = pbf.readString();
    },
    { text: '' },
  ).text;

function writeTensor(name: string, { dimensions, values }: Constant): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writePackedVarint(fields.tensor.dimensions, [...dimensions]);
  pbf.writeVarintField(fields.tensor.type, float32);
  pbf.writeStringField(fields.tensor.name, name);
  pbf.writeBytesField(fields.tensor.raw, bytesOf(values));
  return pbf.finish();
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

/** A tensor of the same name with other values, and with other dimensions where those changed. */
function inPlaceOf(tensor: Uint8Array, { dimensions, values }: Constant): Uint8Array {
  const hasThem = readTensor(tensor).dimensions.join() === dimensions.join();
  const packed = new PbfWriter();
  for (const length of dimensions) packed.writeVarint(length);
  const lengths = [packed.finish()];
  return rewrite(tensor, (tag) => {
    if (tag === fields.tensor.raw) return [bytesOf(values)];
    return tag === fields.tensor.dimensions && !hasThem ? lengths.splice(0) : undefined;
  });
}

function writeNode(operator: string, inputs: readonly string[], output: string, group?: number): Uint8Array {
  const pbf = new PbfWriter();
  for (const input of inputs) pbf.writeStringField(fields.node.input, input);
  pbf.writeStringField(fields.node.output, output);
  pbf.writeStringField(fields.node.name, output);
  pbf.writeStringField(fields.node.operator, operator);
  if (group !== undefined) pbf.writeBytesField(fields.node.attribute, writeGroup(group));
  return pbf.finish();
}

function writeGroup(group: number): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeStringField(fields.attribute.name, 'group');
  pbf.writeVarintField(fields.attribute.integer, group);
  pbf.writeVarintField(fields.attribute.type, integerAttribute);
  return pbf.finish();
}

/** A convolution's node, its channels in so many groups. */
const inGroups = (node: Uint8Array, group: number): Uint8Array =>
  rewrite(node, (tag, bytes) =>
    tag === fields.node.attribute && groupOf(contentOf(bytes)) !== undefined ? [writeGroup(group)] : undefined,
  );

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
