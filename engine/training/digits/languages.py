"""How each language says the ten digits: spelled for espeak-ng, flite and festival, in phonemes for Kokoro."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    # Ten digits: the usual word, then others that mean the same.
    words: list[list[str]]
    espeak_voices: list[str]
    festival_voices: list[str]
    # Ten digits in Kokoro's phonemes: the usual ways to say the word, then how it sounds in mouths that learned the
    # language second, or late. A second word for a digit is a row of its own, after the ten: (digit, usual, other).
    phonemes: list[tuple[int, list[str], list[str]]]


# Kokoro's own letters: A as in day, I as in my, O as in go (US), Q as in go (GB), ʧ as in chip, ʣ as in Italian zero.
LANGUAGES = {
    "en": Language(
        words=[["zero", "oh"], ["one"], ["two"], ["three"], ["four"], ["five"], ["six"], ["seven"], ["eight"], ["nine"]],
        espeak_voices=["en-us", "en-gb", "en-gb-scotland", "en-029", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc"],
        festival_voices=["kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts"],
        phonemes=[
            (0, ["zˈɪɹO", "zˈɪəɹQ", "zˈiɹO"], ["sˈiɹO", "zˈɛɹO", "zˈiɾo", "zˈeʁo", "dzˈɛɾo"]),
            (1, ["wˈʌn"], ["wˈɒn", "wˈan"]),
            (2, ["tˈu", "tˈuː"], ["tˈʊ", "tˈyː"]),
            (3, ["θɹˈi", "θɹˈiː"], ["tɹˈi", "sɹˈi", "fɹˈi", "θɾˈi", "sʁˈi", "tɾˈi"]),
            (4, ["fˈɔɹ", "fˈɔː"], ["fˈɔɾ", "fˈoɹ", "fˈɔʁ"]),
            (5, ["fˈIv"], ["fˈIf", "fˈɑɪv", "fˈaiv"]),
            (6, ["sˈɪks"], ["sˈiks"]),
            (7, ["sˈɛvən", "sˈɛvᵊn"], ["sˈɛvɛn", "sˈɛbən"]),
            (8, ["ˈAt"], ["ˈɛɪt", "ˈeːt", "ˈeɪ"]),
            (9, ["nˈIn"], ["nˈɑɪn", "nˈain"]),
            (0, ["ˈO", "ˈQ"], ["ˈo"]),
        ],
    ),
    "es": Language(
        words=[["cero"], ["uno"], ["dos"], ["tres"], ["cuatro"], ["cinco"], ["seis"], ["siete"], ["ocho"], ["nueve"]],
        espeak_voices=["es", "es-419"],
        festival_voices=[],
        phonemes=[
            (0, ["sˈeɾo", "θˈeɾo"], ["sˈɛɾo", "sˈeɹO", "tsˈeɾo"]),
            (1, ["ˈuno"], ["ˈunO", "ˈunu"]),
            (2, ["dˈos", "ðˈos"], ["dˈɔs", "dˈOs", "dˈoh"]),
            (3, ["tɾˈes"], ["tɹˈes", "tʁˈɛs", "tɾˈɛs", "tɾˈeh"]),
            (4, ["kwˈatɾo"], ["kwˈatɹO", "kwˈatʁo", "kwˈatːɾo"]),
            (5, ["sˈinko", "θˈinko", "sˈiŋko", "θˈiŋko"], ["sˈɪŋkO", "tsˈiŋko"]),
            (6, ["sˈejs", "sˈeɪs"], ["sˈAs", "sˈɛis", "sˈejh"]),
            (7, ["sjˈete"], ["sjˈɛte", "sjˈetA", "siˈete"]),
            (8, ["ˈoʧo"], ["ˈOʧO", "ˈɔʧo", "ˈoʃo"]),
            (9, ["nwˈeβe", "nwˈeve"], ["nwˈebe", "nwˈAvA", "nwˈɛve"]),
        ],
    ),
    "fr": Language(
        words=[["zéro"], ["un"], ["deux"], ["trois"], ["quatre"], ["cinq"], ["six"], ["sept"], ["huit"], ["neuf"]],
        espeak_voices=["fr-fr", "fr-be", "fr-ch"],
        festival_voices=[],
        phonemes=[
            (0, ["zeʁˈo"], ["zeɹˈO", "zeɾˈo", "zˈeʁo"]),
            (1, ["ˈœ̃", "ˈɛ̃"], ["ˈʌn", "ˈœn"]),
            (2, ["dˈø"], ["dˈɜ", "dˈu", "dˈø̃"]),
            (3, ["tʁwˈa"], ["tɹwˈɑ", "tɾwˈa", "tʁwˈɑ"]),
            (4, ["kˈatʁ", "kˈatʁə", "kˈat"], ["kˈatɹə", "kˈatɾ"]),
            (5, ["sˈɛ̃k", "sˈæ̃k"], ["sˈæŋk", "sˈank"]),
            (6, ["sˈis"], ["sˈɪs"]),
            (7, ["sˈɛt"], ["sˈet"]),
            (8, ["ɥˈit"], ["wˈit", "yˈit"]),
            (9, ["nˈœf"], ["nˈɜf", "nˈøf"]),
        ],
    ),
    "it": Language(
        words=[["zero"], ["uno"], ["due"], ["tre"], ["quattro"], ["cinque"], ["sei"], ["sette"], ["otto"], ["nove"]],
        espeak_voices=["it"],
        festival_voices=["lp_diphone", "pc_diphone"],
        phonemes=[
            (0, ["ʣˈɛɾo", "ʣˈero"], ["zˈɛɾo", "zˈɛɹO", "ʦˈɛɾo"]),
            (1, ["ˈuno"], ["ˈunO"]),
            (2, ["dˈue"], ["dˈuA", "dˈuɛ"]),
            (3, ["tɾˈe", "trˈe"], ["tɹˈA", "tʁˈe", "tɾˈɛ"]),
            (4, ["kwˈatːɾo", "kwˈattro"], ["kwˈatɾo", "kwˈatɹO"]),
            (5, ["ʧˈinkwe", "ʧˈiŋkwe"], ["ʧˈɪŋkwA", "ʃˈinkwe"]),
            (6, ["sˈɛi", "sˈɛj"], ["sˈA", "sˈei"]),
            (7, ["sˈɛtːe", "sˈɛtte"], ["sˈɛte", "sˈɛtA", "sˈetːe"]),
            (8, ["ˈɔtːo", "ˈɔtto"], ["ˈɔto", "ˈOtO", "ˈotːo"]),
            (9, ["nˈɔve"], ["nˈOvA", "nˈove"]),
        ],
    ),
}
