"""Writes what the product needs of a checkpoint: digits.onnx, and the numbers its tests hold the TypeScript to.

    python export.py --checkpoint FILES --out digits.onnx [--golden FILE]

Several files, with commas between them, are exported as their mean, said to be what the last of them says.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from features import features
from scoring import greedy, length_log_probability, string_log_probability
from weights import load


def golden_samples(count=12000):
    """1.5 s that any language makes the same way: two chirps, a pause, and noise from a 32-bit generator."""
    state, noise = 1, np.empty(count)
    for index in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        noise[index] = state / 2**31 - 1
    times = np.arange(count) / 8000
    chirps = np.sin(2 * np.pi * (200 + 700 * times) * times) + 0.5 * np.sin(2 * np.pi * (1500 + 400 * times) * times)
    loudness = np.where((times > 0.6) & (times < 0.8), 0.0, 0.2)
    return (loudness * chirps + 0.01 * noise).astype(np.float32)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--golden", type=Path)
    options = parser.parse_args()
    files = options.checkpoint.split(",")
    about = torch.load(files[-1])["about"]
    network, _ = load(files)
    network.eval()

    mel = features(golden_samples())
    torch.onnx.export(
        network,
        torch.from_numpy(mel)[None],
        str(options.out),
        input_names=["mel"],
        output_names=["log_probabilities"],
        dynamic_axes={"mel": {1: "frames"}, "log_probabilities": {1: "steps"}},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(options.out)
    onnx.checker.check_model(model)
    model.doc_string = json.dumps(about)
    onnx.save(model, options.out)

    session = onnxruntime.InferenceSession(str(options.out), providers=["CPUExecutionProvider"])
    (logs,) = session.run(None, {"mel": mel[None]})
    with torch.no_grad():
        difference = np.abs(logs - network(torch.from_numpy(mel)[None]).numpy()).max()
    assert difference < 1e-3, f"ONNX and PyTorch differ by {difference}"

    if options.golden:
        # Scores of a made-up output, so that they do not change when the network does.
        made_up = np.random.default_rng(3).normal(0, 3, (14, 11))
        made_up -= np.log(np.exp(made_up).sum(axis=1, keepdims=True))
        made_up = np.round(made_up, 4)
        strings = [[], [4], [4, 4], [1, 2, 3], [9, 9, 0, 0], [5] * 7, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
        golden = {
            "features": {"frames": len(mel), "first": np.round(mel[:4].ravel().astype(float), 5).tolist(),
                         "every_997th": np.round(mel.ravel()[::997].astype(float), 5).tolist()},
            "scoring": {
                "log_probabilities": made_up.tolist(),
                "greedy": greedy(made_up),
                "strings": [
                    {"digits": digits, "string": score(string_log_probability(made_up, digits)),
                     "length": score(length_log_probability(made_up, len(digits)))} for digits in strings
                ],
            },
        }  # fmt: skip
        options.golden.write_text(json.dumps(golden) + "\n")
    data = options.out.read_bytes()
    print(len(data), "bytes, sha256", hashlib.sha256(data).hexdigest())
    print(json.dumps({key: value for key, value in about.items() if "voices" not in key}))


def score(value):
    """JSON has no infinity: null is impossible."""
    return round(float(value), 6) if np.isfinite(value) else None


if __name__ == "__main__":
    main()
