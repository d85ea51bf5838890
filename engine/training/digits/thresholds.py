"""Where to put the thresholds: what a checkpoint makes of voices it never heard, right strings and wrong ones.

    python thresholds.py --checkpoint FILE --data DIR --synthetic DIR --speakers theo --voices am_michael,bf_emma,awb

For choosing, so on voices that are held out of that checkpoint but are not the ones the shipped figures are made on.
Strings of six, joined as tools/evaluate/digits.ts does, each clean and once more through a room, noise and a line; and
the sentences of held-out synthetic voices.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from corpus import recordings, synthetic
from features import features
from mixing import Mixer
from scoring import greedy, length_log_probability, string_log_probability
from weights import load


def joined(mixer, digits, said):
    random = mixer.random
    parts = [random.normal(0, 5, 2000)]
    for digit in said:
        samples = mixer.pick(digits[str(digit)]).astype(float)
        parts += [samples / (np.abs(samples).max() + 1) * 9800, random.normal(0, 5, random.integers(480, 1400))]
    return np.concatenate([*parts, random.normal(0, 5, 2000)])


def trial(network, sound, said, random):
    with torch.no_grad():
        logs = network(torch.from_numpy(features(sound))[None])[0].numpy().astype(float)
    length = length_log_probability(logs, len(said))
    relative = lambda digits: string_log_probability(logs, digits) - length  # noqa: E731
    wrong = []
    for place in range(len(said)):
        other = list(said)
        other[place] = int(other[place] + random.integers(1, 10)) % 10
        wrong.append(relative(other))
    missing = said[:-1] if random.random() < 0.5 else said[1:]
    shorter = length_log_probability(logs, len(missing))
    return {
        "length": length,
        "genuine": relative(said),
        "wrong": wrong,
        "missing": (string_log_probability(logs, missing) - shorter, shorter),
        "exact": greedy(logs) == said,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--synthetic", type=Path, required=True)
    parser.add_argument("--speakers", required=True)
    parser.add_argument("--voices", default="")
    parser.add_argument("--strings", type=int, default=150)
    options = parser.parse_args()
    torch.set_num_threads(1)
    saved = torch.load(options.checkpoint)
    network, _ = load([options.checkpoint])
    network.eval()

    machines = synthetic(options.synthetic)
    held = [voice for voice in options.voices.split(",") if voice]
    sets = {}
    for speaker in options.speakers.split(","):
        assert speaker in saved["about"]["held_out_speakers"], f"{speaker} was trained on"
        mixer = Mixer([u for u in recordings(options.data) if u.voice == speaker], machines, 99)
        said = [[int(mixer.random.integers(10)) for _ in range(6)] for _ in range(options.strings)]
        clean = [(joined(mixer, mixer.people[speaker], digits), digits) for digits in said]
        sets[speaker] = clean
        sets[f"{speaker}, phone"] = [(mixer.recorded(sound), digits) for sound, digits in clean]
    if held:
        own = [u for u in machines if len(u.label) > 3 and any(voice in u.voice for voice in held)]
        sets["held-out voices"] = [(u.samples, [int(digit) for digit in u.label]) for u in own[:120]]

    random = np.random.default_rng(5)
    thresholds = [-4, -5, -6, -7, -8, -9, -10, -12]
    for name, strings in sets.items():
        trials = [trial(network, sound, digits, random) for sound, digits in strings]
        lengths = np.array([t["length"] for t in trials])
        print(f"{name}: {len(trials)} strings, transcript exact {np.mean([t['exact'] for t in trials]):.1%};",
              "ln P(length) percentiles 1 2 5 10:", np.percentile(lengths, [1, 2, 5, 10]).round(1).tolist())  # fmt: skip
        for weight in (1, 1.5, 2, 3):
            row = []
            for threshold in thresholds:
                genuine = np.mean([t["genuine"] + weight * t["length"] >= threshold for t in trials])
                wrong = np.mean([w + weight * t["length"] >= threshold for t in trials for w in t["wrong"]])
                missing = np.mean([t["missing"][0] + weight * t["missing"][1] >= threshold for t in trials])
                row.append(f"{threshold}: {genuine:.1%}/{wrong:.1%}/{missing:.1%}")
            print(f"  {weight} x length: genuine/one wrong/one missing at", ", ".join(row))


if __name__ == "__main__":
    main()
