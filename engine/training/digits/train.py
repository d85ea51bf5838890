"""Trains the recogniser, on one thread.

    python train.py [--data DIR] --synthetic DIR --out DIR [--hold-out SPEAKERS] --steps N [--stop-after N] [--from FILES]

The seed, the steps and the pinned packages decide the result. --hold-out names recorded speakers, --hold-out-voices
synthetic ones (Kokoro's blends of a named voice included), that take no part.
"""

import argparse
import copy
import json
import math
import multiprocessing
import time
from pathlib import Path

import numpy as np
import torch

from corpus import coded_corpus, recordings, synthetic
from mixing import Mixer
from network import BLANK, Digits
from weights import load

BATCH = 24


def chosen(utterances, speakers, voices):
    """Leaves out held-out people by name, and held-out synthetic voices wherever they appear."""
    return [u for u in utterances if u.person not in speakers and not any(voice in u.voice for voice in voices)]


def produce(queue, recorded, spoken, seed):
    mixer = Mixer(recorded, spoken, seed)
    while True:
        for batch in mixer.batches(BATCH):
            queue.put(batch)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, help="recordings below DIR/digits; without them, synthetic voices alone")
    parser.add_argument("--synthetic", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hold-out", default="")
    parser.add_argument("--hold-out-voices", default="")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--stop-after", type=int, help="of those steps: the rate falls as if all were made")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--from", dest="start", help="checkpoints or exported networks, with commas: their mean")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    speakers = set(filter(None, options.hold_out.split(",")))
    voices = set(filter(None, options.hold_out_voices.split(",")))

    people = recordings(options.data) if options.data else []
    names = {u.voice for u in people}
    machines = synthetic(options.synthetic)
    copies = coded_corpus(options.synthetic)
    recorded = chosen(people + [u for u in copies if u.person in names], speakers, voices)
    spoken = chosen(machines + [u for u in copies if u.voice.partition(":")[1]], speakers, voices)
    print(len(recorded), "recordings of", sorted({u.person for u in recorded}), "and", len(spoken), "synthetic", flush=True)

    network, frozen = load(options.start.split(",")) if options.start else (Digits(), False)
    for block in network.spectrogram if frozen else []:
        block[1].eval()
    print(sum(p.numel() for p in network.parameters()), "parameters", flush=True)
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=1e-3)
    loss_of = torch.nn.CTCLoss(blank=BLANK, zero_infinity=True)

    # One producer, one consumer, first in, first out: the order of the examples does not depend on timing.
    queue = multiprocessing.Queue(8)
    producer = multiprocessing.Process(target=produce, args=(queue, recorded, spoken, options.seed), daemon=True)
    producer.start()

    options.out.mkdir(parents=True, exist_ok=True)

    def save(steps):
        about = {
            "training_speakers": sorted({u.person for u in recorded}),
            "held_out_speakers": sorted(speakers),
            "training_voices": sorted({u.voice for u in spoken}),
            "held_out_voices": sorted(voices),
            "steps": steps,
            "seed": options.seed,
        }
        torch.save({"network": average.state_dict(), "about": about, "frozen": frozen}, options.out / "checkpoint.pt")
        (options.out / "about.json").write_text(json.dumps(about, indent=1))

    began, losses = time.time(), []
    last = options.stop_after or options.steps
    for step in range(last):
        warm = min(1, (step + 1) / (20 if options.start else 150))
        rate = options.rate * warm * (0.5 + 0.5 * math.cos(math.pi * step / options.steps)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        inputs, steps, labels = queue.get()
        logs = network(torch.from_numpy(inputs))
        targets = torch.tensor([int(digit) for label in labels for digit in label])
        lengths = torch.tensor([len(label) for label in labels])
        loss = loss_of(logs.transpose(0, 1), targets, torch.tensor(steps), lengths)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
        optimiser.step()
        losses.append(loss.item())

        keep = min(0.998, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, value in zip(average.state_dict().values(), network.state_dict().values()):
                if mean.dtype.is_floating_point:
                    mean.lerp_(value, 1 - keep)
                else:
                    mean.copy_(value)
        if (step + 1) % 50 == 0:
            state = f"loss {np.mean(losses[-50:]):.4f}  waiting {queue.qsize()}  {time.time() - began:.0f} s"
            print(step + 1, state, flush=True)
        if (step + 1) % 500 == 0:
            save(step + 1)
    save(last)
    producer.terminate()


if __name__ == "__main__":
    main()
