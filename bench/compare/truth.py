# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""AttnLRP of a LLaMA checkpoint in float64, for judging others by: MODEL_DIR THREADS IDS_JSON OUT.npz.

Written from docs/math.md on PyTorch's autograd; shares no code with transformers, LXT or lrpxx. A rule is an ordinary gradient with a factor held
constant (identity) or halved (uniform). One layer at a time is in memory, weights widened as they are needed; layers are run again on the way back.
"""
import json
import math
import os
import sys

import numpy
import torch
from safetensors import safe_open


class Weights:
    def __init__(self, folder):
        self.files = {}
        for name in sorted(os.listdir(folder)):
            if name.endswith(".safetensors"):
                file = safe_open(os.path.join(folder, name), "pt")
                self.files.update({key: file for key in file.keys()})

    def as_stored(self, name):
        return self.files[name].get_tensor(name)

    def __call__(self, name):
        return self.as_stored(name).double() if name in self.files else None


def half(x):
    """The value of x, and half of its gradient."""
    return 0.5 * x + 0.5 * x.detach()


def norm(x, weight, eps):
    return weight * (x * torch.rsqrt((x.detach() ** 2).mean(-1, keepdim=True) + eps))


def frequencies(config, head_dim):
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = rope.get("rope_theta") or config.get("rope_theta", 10000.0)
    plain = theta ** (-2 * torch.arange(head_dim // 2, dtype=torch.float64) / head_dim)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "default":
        return plain
    if kind == "linear":
        return plain / rope["factor"]
    if kind != "llama3":
        sys.exit(f"truth: rope_type {kind} is not known here")
    turns = rope["original_max_position_embeddings"] * plain / (2 * math.pi)
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    t = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - t) * plain / rope["factor"] + t * plain


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def layer(x, weights, base, config, cos, sin):
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    tokens = x.shape[0]

    def linear(name, y):
        z = y @ weights(f"{base}.{name}.weight").T
        bias = weights(f"{base}.{name}.bias")
        return z if bias is None else z + bias

    def split(y, count):
        return y.view(tokens, count, -1).transpose(0, 1)

    h = norm(x, weights(f"{base}.input_layernorm.weight"), config["rms_norm_eps"])
    q = rotate(split(linear("self_attn.q_proj", h), heads), cos, sin)
    k = rotate(split(linear("self_attn.k_proj", h), groups), cos, sin)
    v = split(linear("self_attn.v_proj", h), groups)
    mask = torch.full((tokens, tokens), -math.inf, dtype=torch.float64).triu(1)
    mixed = []
    for head in range(heads):
        group = head // (heads // groups)
        scores = half(q[head]) @ half(k[group]).T / math.sqrt(q.shape[-1])
        mixed.append(half(torch.softmax(scores + mask, -1)) @ half(v[group]))
    x = x + linear("self_attn.o_proj", torch.cat(mixed, -1))
    h = norm(x, weights(f"{base}.post_attention_layernorm.weight"), config["rms_norm_eps"])
    gate = linear("mlp.gate_proj", h)
    act = gate * torch.sigmoid(gate.detach())
    return x + linear("mlp.down_proj", half(act) * half(linear("mlp.up_proj", h)))


def explain(folder, ids, target=None):
    """Target, relevance at the embedding [T] and in every layer's output [L, T]."""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    weights = Weights(folder)
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    angles = torch.arange(len(ids), dtype=torch.float64)[:, None] * frequencies(config, head_dim)
    cos, sin = angles.cos(), angles.sin()
    embedding = weights.as_stored("model.embed_tokens.weight")
    stream = [embedding[ids].double()]
    with torch.no_grad():
        for index in range(config["num_hidden_layers"]):
            stream.append(layer(stream[-1], weights, f"model.layers.{index}", config, cos, sin))
    last = stream[-1][-1].clone().requires_grad_(True)
    tied = config.get("tie_word_embeddings", False) or "lm_head.weight" not in weights.files
    head = embedding if tied else weights.as_stored("lm_head.weight")
    final = norm(last, weights("model.norm.weight"), config["rms_norm_eps"])
    if target is None:
        logits = torch.cat([part.double() @ final.detach() for part in head.split(8192)])
        target = int(logits.argmax())
    (head[target].double() @ final).backward()
    c = torch.zeros_like(stream[-1])
    c[-1] = last.grad
    residual = []
    for index in reversed(range(config["num_hidden_layers"])):
        residual.append((stream[index + 1] * c).sum(-1))
        x = stream[index].requires_grad_(True)
        layer(x, weights, f"model.layers.{index}", config, cos, sin).backward(c)
        c, x.grad = x.grad, None
        stream[index] = x.detach()
        stream.pop()
    return target, (stream[0] * c).sum(-1).numpy(), torch.stack(residual[::-1]).numpy()


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[2]))
    target, embedding, residual = explain(sys.argv[1], json.loads(sys.argv[3]))
    numpy.savez(sys.argv[4], target=target, embedding=embedding, residual=residual)
