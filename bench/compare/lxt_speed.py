#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""Times LXT (efficient patches, eager attention) on PyTorch: the shapes of bench/gpu, random weights, forward and backward.

Tried with torch 2.6.0, transformers 4.52.4, lxt 2.1. Parameters are frozen, no cache, no checkpointing.
Two columns: logits of the last row only, as lrpxx forms them, and of every row, as LXT's examples do.
On a card times are taken with CUDA events, on a CPU (for trying the script: --shape tiny) with the clock.
"""
import argparse
import datetime
import platform
import statistics
import sys
import time

SHAPES = {  # layers, hidden, intermediate, heads, key/value heads, vocabulary, tied
    "tiny": (2, 64, 128, 4, 2, 256, True),
    "1b": (16, 2048, 8192, 32, 8, 128256, True),
    "8b": (32, 4096, 14336, 32, 8, 128256, False),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="1b")
    parser.add_argument("--type", choices=["bf16", "f32"], default="bf16", help="of weights and activations alike")
    parser.add_argument("--tokens", default="16,128,512,2048", help="prompt lengths, with commas between")
    parser.add_argument("--attention", choices=["eager", "sdpa"], default="eager")
    parser.add_argument("--repetitions", type=int, default=7, help="the median of these is printed")
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--device", choices=["auto", "cuda", "cpu"], default="auto")
    return parser.parse_args()


def main():
    args = arguments()
    try:
        import torch
        import transformers
        from lxt.efficient import monkey_patch
        from transformers.models.llama import modeling_llama
    except ImportError as missing:
        print(f"SKIPPED: {missing}; needed are torch, transformers and lxt", file=sys.stderr)
        return 77
    device = args.device if args.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        print("SKIPPED: PyTorch finds no CUDA device", file=sys.stderr)
        return 77

    monkey_patch(modeling_llama)
    layers, hidden, neurons, heads, kv_heads, vocabulary, tied = SHAPES[args.shape]
    tokens = [int(count) for count in args.tokens.split(",")]
    config = transformers.LlamaConfig(
        hidden_size=hidden, intermediate_size=neurons, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads,
        vocab_size=vocabulary, tie_word_embeddings=tied, max_position_embeddings=max(8192, *tokens), rope_theta=500000.0,
        attn_implementation=args.attention)
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if args.type == "bf16" else torch.float32)
    with torch.device(device):
        model = modeling_llama.LlamaForCausalLM(config)
    torch.set_default_dtype(before)
    model.eval().requires_grad_(False)

    def one_pass(ids, rows):
        x = model.get_input_embeddings()(ids).requires_grad_(True)
        kept = {"logits_to_keep": 1} if rows == "one" else {}
        logits = model(inputs_embeds=x, use_cache=False, **kept).logits
        logits[0, -1, 7].backward()
        return (x * x.grad).float().sum(-1)

    def milliseconds(ids, rows):
        if device == "cpu":
            begin = time.perf_counter()
            one_pass(ids, rows)
            return (time.perf_counter() - begin) * 1e3
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        one_pass(ids, rows)
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)

    name = torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    print(f"LXT on PyTorch, {datetime.date.today()}, {name}; torch {torch.__version__}, transformers {transformers.__version__}; {args.shape}, {args.type}, "
          f"{args.attention} attention; ms, medians of {args.repetitions}\n")
    print("| tokens | logits of one row | logits of all rows | us a token (one row) | peak GB |")
    print("|---|---|---|---|---|")
    for count in tokens:
        ids = torch.randint(0, vocabulary, (1, count), device=device)
        cells, peak, words = {}, "", {}
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        for rows in ("one", "all"):
            try:
                for _ in range(args.warm_up):
                    relevance = one_pass(ids, rows)
                if not bool(torch.isfinite(relevance).all()) or not bool((relevance != 0).any()):
                    raise SystemExit(f"lxt_speed: relevance over {count} tokens is not finite, or zero everywhere")
                cells[rows] = statistics.median(milliseconds(ids, rows) for _ in range(args.repetitions))
                words[rows] = f"{cells[rows]:.2f}"
            except torch.OutOfMemoryError:
                words[rows] = "out of memory"
                torch.cuda.empty_cache()
            if rows == "one" and device == "cuda":
                peak = f"{torch.cuda.max_memory_allocated() / 1e9:.1f}"
        each = f"{cells['one'] * 1e3 / count:.1f}" if "one" in cells else ""
        print(f"| {count} | {words['one']} | {words['all']} | {each} | {peak or '-'} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
