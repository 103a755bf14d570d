# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""LXT in a process of its own: MODEL_DIR TYPE THREADS; one request a line on standard input, one answer a line on standard output.

A request: {"ids": [...], "target": id or null, "out": file or null}. The answer: seconds and peak memory; relevance goes to `out` as npz.
This is LXT's better setting on a CPU: parameters frozen, sdpa attention, no cache, logits of the last row alone, formed from a matrix and not from a
tensor of three dimensions (for which PyTorch copies the transposed vocabulary matrix). The residual trace is part of what is timed, as it is in lrpxx.
"""
import json
import os
import signal
import sys
import time

import numpy
import torch
from lxt.efficient import monkey_patch
from transformers.models.llama import modeling_llama


def peak_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def reset_peak():
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def explain(model, ids, target):
    """Relevance at the embedding [T] and in every layer's output [L, T], and the seconds of both passes."""
    begin = time.perf_counter()
    x = model.get_input_embeddings()(torch.tensor([ids])).detach().requires_grad_(True)
    kept = []

    def keep(module, inputs, output):
        hidden = output[0] if isinstance(output, tuple) else output
        hidden.retain_grad()
        kept.append(hidden)

    hooks = [layer.register_forward_hook(keep) for layer in model.model.layers]
    hidden = model.model(inputs_embeds=x, use_cache=False).last_hidden_state
    logits = model.lm_head(hidden[0, -1:])
    target = int(logits[0].argmax()) if target is None else target
    middle = time.perf_counter()
    logits[0, target].backward()
    relevance = [(h.detach().float() * h.grad.float()).sum(-1)[0] for h in [x, *kept]]
    end = time.perf_counter()
    for hook in hooks:
        hook.remove()
    return relevance[0].numpy(), torch.stack(relevance[1:]).numpy(), middle - begin, end - middle


def main():
    folder, kind, threads = sys.argv[1:4]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with its standard input
    answers = os.fdopen(os.dup(1), "w")  # what libraries print goes to standard error
    os.dup2(2, 1)
    torch.set_num_threads(int(threads))
    monkey_patch(modeling_llama)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[kind]
    model = modeling_llama.LlamaForCausalLM.from_pretrained(folder, torch_dtype=dtype, attn_implementation="sdpa")
    model.eval().requires_grad_(False)
    for line in sys.stdin:
        request = json.loads(line)
        reset_peak()
        embedding, residual, forward, relevance = explain(model, request["ids"], request["target"])
        answer = {"forward_s": forward, "relevance_s": relevance, "total_s": forward + relevance, "peak_bytes": peak_bytes()}
        if request["out"]:
            numpy.savez(request["out"], embedding=embedding, residual=residual)
        print(json.dumps(answer), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
