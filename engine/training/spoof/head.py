"""A linear head on the backbone's features: the model, and one for each source that has never seen that source.

    python head.py --views DIR --out DIR

DIR of --views holds features.f32, [views, features] as little-endian float32, and views.json: of each view label, species,
number of its source and whether it was simulated. Writes spoof.onnx, and without-N.onnx for source N.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

from backbone import FEATURES, backbone, read_weights, save

# Of the weights, whose features have deviation 1. Views weigh 1 in all.
RIDGE = 0.01
# Deviations: what no training view has shows nothing but that it is unknown.
LIMIT = 4.0


def weights_of(views):
    """Each label counts half. Within it each source, species, and real beside simulated attacks, count alike."""
    groups = [(view["label"], view["source"], view["species"], view["simulated"]) for view in views]
    sizes = Counter(groups)
    labels = Counter(group[0] for group in sizes)
    return np.array([0.5 / labels[group[0]] / sizes[group] for group in groups])


def fit(features, live, weights):
    """Logistic regression by Newton's method; it has one optimum. Answers mean, deviation, slopes and intercept."""
    mean = features.mean(axis=0)
    deviation = features.std(axis=0) + 1e-4
    inputs = np.hstack([np.clip((features - mean) / deviation, -LIMIT, LIMIT), np.ones((len(features), 1))])
    ridge = np.full(inputs.shape[1], RIDGE)
    ridge[-1] = 0
    signs = np.where(live, 1.0, -1.0)

    def loss(slopes):
        return weights @ np.logaddexp(0, -signs * (inputs @ slopes)) + 0.5 * ridge @ slopes**2

    slopes = np.zeros(inputs.shape[1])
    best = loss(slopes)
    for _ in range(100):
        probability = 1 / (1 + np.exp(-(inputs @ slopes)))
        gradient = inputs.T @ (weights * (probability - live)) + ridge * slopes
        curvature = (inputs.T * (weights * probability * (1 - probability))) @ inputs + np.diag(ridge + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-6 and loss(slopes - size * step) > best:
            size /= 2
        slopes = slopes - size * step
        before, best = best, loss(slopes)
        if before - best < 1e-10:
            break
    return mean, deviation, slopes[:-1], slopes[-1]


def write_model(weights, fitted, about, path):
    """`classes` [n, 2]: the first is a person before the camera, the second, always 0, is not."""
    mean, deviation, slopes, intercept = fitted
    graph = backbone(weights)
    graph.node("Sub", ["features", graph.constant("head/mean", mean.astype(np.float32))], "head/centred")
    graph.node("Div", ["head/centred", graph.constant("head/deviation", deviation.astype(np.float32))], "head/scaled")
    limits = [graph.constant("head/low", np.float32(-LIMIT)), graph.constant("head/high", np.float32(LIMIT))]
    graph.node("Clip", ["head/scaled", *limits], "head/limited")
    kernel = np.stack([slopes, np.zeros(FEATURES)], axis=1).astype(np.float32)
    bias = np.array([intercept, 0], np.float32)
    gemm = ["head/limited", graph.constant("head/kernel", kernel), graph.constant("head/bias", bias)]
    graph.node("Gemm", gemm, "classes")
    save(graph, "classes", 2, about, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--views", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    views = json.loads((options.views / "views.json").read_text())
    features = np.fromfile(options.views / "features.f32", "<f4").reshape(len(views), FEATURES).astype(np.float64)
    weights = read_weights()
    sources = sorted({view["source"] for view in views})
    for name, left_out in [("spoof.onnx", None), *((f"without-{source}.onnx", source) for source in sources)]:
        kept = [number for number, view in enumerate(views) if view["source"] != left_out]
        seen = [views[number] for number in kept]
        live = np.array([view["label"] == "bona_fide" for view in seen])
        if live.all() or not live.any():
            raise SystemExit(f"Without the source {left_out}, one label has no view that the quality gate takes.")
        about = f"trained on {len(seen)} views of {len({view['source'] for view in seen})} sources"
        write_model(weights, fit(features[kept], live, weights_of(seen)), about, options.out / name)


if __name__ == "__main__":
    main()
