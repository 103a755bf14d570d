# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""Trains the shipped checkpoint: a byte-level BPE tokenizer and a small LLaMA of the Llama-3.1 kind, on corpus.txt.

    python3 make_corpus.py && python3 train.py [--out mini] [--steps 3000] [--threads 2]

Needs torch, transformers and tokenizers; about 8 minutes for 2500 steps on one thread. The seed is fixed; versions, settings and accuracies are
written to training.json in the folder.
"""
import argparse
import json
import math
import pathlib
import platform
import random
import re
import time

import tokenizers
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from make_corpus import ANIMALS

HERE = pathlib.Path(__file__).parent
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BOS, EOS = "<|begin_of_text|>", "<|end_of_text|>"
ANSWER = re.compile(r"(?:with|after|near|chase) (?:my|our|their|the)( \w+)\.")


def train_tokenizer(lines):
    """Byte-level BPE in the form of Llama 3's tokenizer.json."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=640, special_tokens=[BOS, EOS], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))])])
    return tokenizer


def make_model(vocabulary):
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=vocabulary, hidden_size=128, intermediate_size=384, num_hidden_layers=6, num_attention_heads=8, num_key_value_heads=4,
        max_position_embeddings=512, rope_theta=10000.0, rms_norm_eps=1e-5, tie_word_embeddings=True, bos_token_id=0, eos_token_id=1,
        rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                      "original_max_position_embeddings": 64}))


def encode(tokenizer, line):
    """-> ids with BOS and EOS, and the loss weight of each token: 6 for an answer that only the context tells."""
    encoding = tokenizer.encode(line)
    weights = [1.0] * len(encoding.ids)
    for match in ANSWER.finditer(line):
        if match.group(1).strip() not in ANIMALS:
            continue
        for i, (begin, end) in enumerate(encoding.offsets):
            if end > begin and begin >= match.start(1) and end <= match.end(1):
                weights[i] = 6.0
    return encoding.ids + [1], weights + [1.0]


def accuracy(model, tokenizer, prompts):
    """Share of prompts whose arg-max continuation is the whole answer."""
    right = 0
    model.eval()
    with torch.no_grad():
        for entry in prompts:
            ids = tokenizer.encode(entry["prompt"]).ids
            answer = tokenizer.encode(entry["answer"], add_special_tokens=False).ids
            good = True
            for token in answer:
                good = good and int(model(torch.tensor([ids])).logits[0, -1].argmax()) == token
                ids = ids + [token]
            right += good
    model.train()
    return right / len(prompts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "mini")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)

    lines = (HERE / "corpus.txt").read_text(encoding="utf-8").splitlines()
    prompts = [json.loads(line) for line in (HERE / "heldout.jsonl").read_text(encoding="utf-8").splitlines()]
    tokenizer = train_tokenizer(lines)
    for animal in ANIMALS:
        assert len(tokenizer.encode(" " + animal, add_special_tokens=False).ids) == 1, animal
    data = sorted((encode(tokenizer, line) for line in lines), key=lambda pair: len(pair[0]))
    model = make_model(tokenizer.get_vocab_size())
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(data)} documents, {sum(len(d[0]) for d in data)} tokens", flush=True)

    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, betas=(0.9, 0.95), weight_decay=0.05)
    warmup = 100
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warmup) * 0.5
                                                 * (1 + math.cos(math.pi * min(1.0, step / options.steps))) + 0.02)
    start = time.time()
    for step in range(options.steps):
        at = rng.randrange(len(data) - options.batch)  # neighbours in length: little padding
        batch = data[at:at + options.batch]
        width = max(len(ids) for ids, _ in batch)
        ids = torch.tensor([i + [1] * (width - len(i)) for i, _ in batch])
        weights = torch.tensor([w + [0.0] * (width - len(w)) for _, w in batch])
        logits = model(ids).logits[:, :-1]
        losses = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1), reduction="none")
        loss = (losses * weights[:, 1:].reshape(-1)).sum() / weights[:, 1:].sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 250 == 249:
            print(f"step {step + 1} loss {loss.item():.4f} held-out {accuracy(model, tokenizer, prompts[:60]):.3f} "
                  f"{time.time() - start:.0f} s", flush=True)

    model = model.to(torch.bfloat16)
    model.config.torch_dtype = torch.bfloat16
    options.out.mkdir(parents=True, exist_ok=True)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, clean_up_tokenization_spaces=False)
    wrapped.save_pretrained(options.out)
    model.save_pretrained(options.out)
    results = {"held-out, float32": accuracy(model.float(), tokenizer, prompts), "held-out, bfloat16": accuracy(model.bfloat16(), tokenizer, prompts),
               "prompts": len(prompts), "steps": options.steps, "batch": options.batch, "rate": options.rate, "seed": options.seed,
               "seconds": round(time.time() - start), "python": platform.python_version(), "torch": torch.__version__,
               "transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    (options.out / "training.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
