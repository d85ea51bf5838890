"""Reads a network back: a checkpoint of train.py, or a digits.onnx that export.py wrote of one."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from network import Digits


def load(paths):
    """Answers the mean of the networks of these files, and whether their normalisations are frozen: in a digits.onnx they
    are part of the convolutions, and stay so in what is trained from it."""
    networks, frozen = [], False
    for path in paths:
        network = Digits()
        if Path(path).suffix == ".onnx":
            network.load_state_dict(exported(path, network.state_dict()))
            frozen = True
        else:
            saved = torch.load(path)
            network.load_state_dict(saved["network"])
            frozen = frozen or saved["frozen"]
        networks.append(network)
    mean = networks[0].state_dict()
    for name, value in mean.items():
        if value.dtype.is_floating_point:
            value.copy_(torch.stack([network.state_dict()[name] for network in networks]).mean(dim=0))
    return networks[0], frozen


def exported(path, state):
    graph = onnx.load(path).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}

    def inputs(operator):
        return [[values[name] for name in node.input if name in values] for node in graph.node if node.op_type == operator]

    for block, (weight, bias) in enumerate(inputs("Conv")):
        state[f"spectrogram.{block}.0.weight"] = weight
        state[f"spectrogram.{block}.1.bias"] = bias
        state[f"spectrogram.{block}.1.running_var"] = np.full(len(bias), 1 - 1e-5, np.float32)
    (mixing,), (output,) = [found for found in inputs("MatMul") if found]
    (mixing_bias,), (output_bias,) = [found for found in inputs("Add") if found]
    state.update({"mixing.0.weight": mixing.T, "mixing.0.bias": mixing_bias})
    state.update({"output.1.weight": output.T, "output.1.bias": output_bias})
    (recurrent,) = inputs("GRU")
    for direction, suffix in enumerate(("", "_reverse")):
        biases = np.split(recurrent[2][direction], 2)
        for name, value in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (*(each[direction] for each in recurrent[:2]), *biases)):
            state[f"recurrent.{name}_l0{suffix}"] = torch_gates(value)
    return {name: torch.from_numpy(np.array(value)) for name, value in state.items()}


def torch_gates(values):
    """ONNX orders the gates update, reset, new; PyTorch reset, update, new."""
    update, reset, new = np.split(values, 3)
    return np.concatenate([reset, update, new])
