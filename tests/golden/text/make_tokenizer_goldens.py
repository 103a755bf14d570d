# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""Small tokenizers of every supported form, and what the official `tokenizers` engine makes of 10,000 hard lines.

    python3 make_tokenizer_goldens.py

Writes lines.jsonl (one JSON string a line), <name>.json (a tokenizer.json) and <name>.txt: for each line the 64-bit FNV-1a hash, as 16
hexadecimal digits, of "ids|offsets|decoded|decoded without special tokens", with ids joined by commas and offsets as begin-end in bytes;
and <name>.first.jsonl, the same in full for the first lines, so that a failure can be read. Versions are in versions.json.
"""
import json
import pathlib
import platform
import random

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
SPECIALS = ["<|begin|>", "<|end|>", "<|eot|>", "<|eot|>x"]
WORDS = ("the of and a to in is you that it he was for on are as with his they I at be this have from or one had by word but not what all were we when your can "
         "said there use an each which she do how their if will up other about out many then them these so some her would make like him into time has look two more "
         "write go see number no way could people my than first water been call who oil its now find long down day did get come made may part hello world").split()
OTHERS = ["naïve", "Straße", "déjà-vu", "ÅNGSTRÖM", "привет", "мир", "Ελλάδα", "שלום", "مرحبا", "नमस्ते", "ไทย", "日本語", "テスト", "中文字", "한국어", "한글",
          "ﬁne", "Ⅷ", "½", "x²", "e\u0301te\u0301", "a\u0323\u0302", "o\u0308\u0304", "\u1100\u1161\u11a8", "\u0958", "\u212b", "\u2126", "🙂", "👩‍👩‍👧", "🇫🇷", "👍🏽",
          "can't", "I'LL", "we’ve", "'ſ", "it'S", "don't", "12", "1234567", "3.14", "٣٤", "१२३", "0x1F", "foo_bar", "a.b.c", "C++", "->", "!!!", "...", "#hash",
          "https://a.b/c?d=e", "{\"k\": [1, 2]}", "if (x < 3) {", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u202e", "\x00", "\x07", "\x1b[0m", "\x7f", "\u180e", "▁", "▁▁x"]
SPACES = [" ", " ", " ", " ", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n ", "\u00a0", "\u2003", "\u3000", "\u0085", "\u2028", "\u202f", "\u180e", " \t ", ""]


def make_lines(rng):
    lines = ["", " ", "  ", "\n", "▁", "hello", " hello", "hello ", "a<|eot|>b", "<|begin|><|end|>", "<|eot|>x<|eot|> x", "a  <|pad|>  b", "xmaskx mask (mask)", "1234567890"]
    while len(lines) < 10_000:
        parts = []
        for _ in range(rng.choice((1, 2, 3, 4, 6, 9))):
            kind = rng.random()
            if kind < 0.55:
                word = rng.choice(WORDS)
                parts.append(rng.choice((word, word.capitalize(), word.upper(), word + rng.choice(",.;:!?"))))
            elif kind < 0.85:
                parts.append(rng.choice(OTHERS))
            elif kind < 0.92:
                parts.append(rng.choice(SPECIALS + ["<|pad|>", "mask", "<|e", "|>"]))
            else:
                low, high = rng.choice(((0x20, 0x7e), (0xa0, 0x17f), (0x391, 0x3c9), (0x410, 0x44f), (0x5d0, 0x5ea), (0x905, 0x939), (0x4e00, 0x4f00), (0xac00, 0xad00),
                                        (0x300, 0x340), (0x1f600, 0x1f64f), (0, 0x1f), (0x2000, 0x206f), (0x1d400, 0x1d454)))
                parts.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 5))))
            parts.append(rng.choice(SPACES))
        lines.append("".join(parts))
    return lines


def corpus():
    rng = random.Random(3)
    return [" ".join(rng.choice(WORDS + OTHERS) for _ in range(20)) for _ in range(600)]


def byte_level(pattern, **options):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)], **options)


def train(tokenizer, alphabet, extra=(), size=700):
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=size, special_tokens=list(extra), initial_alphabet=alphabet, show_progress=False))
    return tokenizer


def with_specials(tokenizer):
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in SPECIALS])
    tokenizer.add_tokens([AddedToken("<|pad|>", lstrip=True, rstrip=True, normalized=False), AddedToken("mask", single_word=True, normalized=True)])
    return tokenizer


def bos(tokenizer, token):
    return processors.TemplateProcessing(single=f"{token} $A", special_tokens=[(token, tokenizer.token_to_id(token))])


def llama3():
    t = Tokenizer(models.BPE(ignore_merges=True))
    t.pre_tokenizer, t.decoder = byte_level(LLAMA3), decoders.ByteLevel()
    with_specials(train(t, pre_tokenizers.ByteLevel.alphabet()))
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), bos(t, "<|begin|>")])
    return t


def gpt2(prefix):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=prefix), decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=prefix)
    return with_specials(train(t, pre_tokenizers.ByteLevel.alphabet()))


def qwen():
    t = Tokenizer(models.BPE())
    t.normalizer, t.pre_tokenizer, t.decoder = normalizers.NFC(), byte_level(QWEN), decoders.ByteLevel()
    return with_specials(train(t, pre_tokenizers.ByteLevel.alphabet()))


def smol():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    return with_specials(train(t, pre_tokenizers.ByteLevel.alphabet()))


def sentencepiece(scheme):
    """Llama-2's forms: Prepend and Replace (scheme None), or Metaspace with a prepend scheme."""
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    t = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    if scheme is None:
        t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    else:
        t.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme=scheme, split=scheme == "always")
        t.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", prepend_scheme=scheme)])
    t.train_from_iterator([line.replace(" ", " ") for line in corpus()], trainers.BpeTrainer(
        vocab_size=900, special_tokens=["<unk>", "<s>", "</s>"] + bytes_, limit_alphabet=90, show_progress=False))
    data = json.loads(t.to_str())  # bytes are ordinary tokens of the model, not added ones
    data["added_tokens"] = [a for a in data["added_tokens"] if not a["content"].startswith("<0x")]
    if scheme == "first":  # the older notation of merges
        data["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"] if " " not in "".join(m)]
    t = with_specials(Tokenizer.from_str(json.dumps(data)))
    t.post_processor = bos(t, "<s>")
    return t


def gemma():
    t = sentencepiece(None)
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return t


def fnv(text):
    value = 0xcbf29ce484222325
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * 0x100000001b3) & (2**64 - 1)
    return value


def main():
    lines = make_lines(random.Random(5))
    (HERE / "lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = {"llama3": llama3(), "gpt2": gpt2(False), "gpt2_prefix": gpt2(True), "qwen": qwen(), "smol": smol(), "llama2": sentencepiece(None),
            "metaspace_first": sentencepiece("first"), "metaspace_always": sentencepiece("always"), "metaspace_never": sentencepiece("never"), "gemma": gemma()}
    for name, tokenizer in made.items():
        path = HERE / f"{name}.json"
        path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
        tokenizer = Tokenizer.from_file(str(path))
        hashes, first = [], []
        for index, line in enumerate(lines):
            encoding = tokenizer.encode(line)
            at = [0]
            for character in line:
                at.append(at[-1] + len(character.encode("utf-8")))
            offsets = [(at[b], at[e]) for b, e in encoding.offsets]
            decoded, skipped = (tokenizer.decode(encoding.ids, skip_special_tokens=skip) for skip in (False, True))
            text = "|".join((",".join(map(str, encoding.ids)), ",".join(f"{b}-{e}" for b, e in offsets), decoded, skipped))
            hashes.append(f"{fnv(text):016x}\n")
            if index < 200:
                first.append(json.dumps(text) + "\n")
        (HERE / f"{name}.txt").write_text("".join(hashes))
        (HERE / f"{name}.first.jsonl").write_text("".join(first))
        print(name, tokenizer.get_vocab_size(), len(hashes))
    (HERE / "versions.json").write_text(json.dumps({"python": platform.python_version(), "tokenizers": tokenizers.__version__}) + "\n")


if __name__ == "__main__":
    main()
