# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""Random LLaMA checkpoints and what transformers and LXT say of them.

    python3 make_model_goldens.py                      # writes models/<name>/
    python3 make_model_goldens.py --checkpoint DIR --out FILE   # expected values of a real folder, for the prompts below

Needs torch, transformers, lxt and safetensors. Values are float32, of a model that holds the stored (possibly rounded) weights in
float32; relevance is input times LXT's modified gradient with the coefficient 1 at the explained logit. expected.safetensors holds, for
prompt k and method m (attnlrp, cp-lrp):
  k.ids [T], k.target [1], k.position [1] (int32), k.logits [V] at the position, k.hidden [L+1, rows, d] (embedding, then each layer's
  output before the final norm; all rows up to 17 tokens, else the explained row), k.m.embedding [T], k.m.residual [L, T], k.m.head
  [L, T, H] (input of o_proj, summed within the head), k.m.neuron [L, T, F] (input of down_proj); the last two up to 17 tokens, beyond
  that summed over heads and neurons to [L, T].
"""
import argparse
import concurrent.futures
import importlib.metadata
import json
import multiprocessing
import pathlib
import platform
import shutil

import torch
import transformers
from lxt.efficient import monkey_patch
from lxt.efficient.models import llama as lxt_llama
from safetensors.torch import load_file, save_file
from transformers.models.llama import modeling_llama

HERE = pathlib.Path(__file__).parent
LENGTHS = (1, 2, 17, 300)
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
BASE = dict(hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, vocab_size=64,
            rms_norm_eps=1e-5, tie_word_embeddings=False, max_position_embeddings=512, bos_token_id=0, eos_token_id=1)
# name: (changes to BASE, storage type, what the folder looks like)
MODELS = {
    "plain": ({}, torch.float32, {}),
    "gqa4_tied_llama3": (dict(num_attention_heads=8, num_key_value_heads=2, tie_word_embeddings=True, rope_scaling=LLAMA3, num_hidden_layers=3),
                         torch.bfloat16, {}),
    "gqa8_linear": (dict(num_attention_heads=8, num_key_value_heads=1, rope_scaling={"rope_type": "linear", "factor": 4.0}), torch.float16, {}),
    "gqa5_odd_sizes": (dict(hidden_size=45, intermediate_size=37, num_attention_heads=5, num_key_value_heads=1, head_dim=10, vocab_size=71), torch.float32, {}),
    "attention_bias": (dict(attention_bias=True, num_key_value_heads=2), torch.float32, {}),
    "all_biases_v5": (dict(attention_bias=True, mlp_bias=True, rope_scaling=LLAMA3), torch.float32, {"v5": True}),
    "wide_heads": (dict(head_dim=14, num_attention_heads=4, num_key_value_heads=2, rope_theta=500000.0), torch.bfloat16, {}),
    "one_layer_bare": (dict(num_hidden_layers=1, tie_word_embeddings=True, intermediate_size=50), torch.float32, {"bare": True}),
    "sharded": (dict(num_hidden_layers=3, num_key_value_heads=2, hidden_size=40, intermediate_size=33), torch.float16, {"shards": True}),
}
PROMPTS = [  # of the shipped checkpoint: text, target text or None, contrast text or None
    ("I have 5 cats and 3 dogs. My cats love to play with my", None, None),
    ("They keep 4 goats and 7 parrots at home. Their parrots always chase their", None, None),
    ("On Sunday there is a lot of snow. The street looks white. Anna goes out in the snow and takes the", None, None),
    ("Ben paints the chair red. Now the chair is", " blue", None),
    ("There are 9 hens and 4 frogs on the farm. The hens love to play with the", " frogs", " hens"),
]


def with_rules(method):
    """LXT's patches; CP-LRP is LXT's own map for LLaMA."""
    if method == "attnlrp":
        monkey_patch(modeling_llama, lxt_llama.attnLRP)
    else:
        monkey_patch(modeling_llama, lxt_llama.cp_LRP)


def trace(model, ids, position, seeds):
    """One forward and backward of a patched model -> dict of tensors. seeds: [(token, weight)]."""
    kept, hooks = {}, []

    def keep(name):
        def before(_, inputs):
            inputs[0].retain_grad()
            kept[name] = inputs[0]
        return before

    def after(name):
        def hook(_, __, output):
            value = output[0] if isinstance(output, tuple) else output
            value.retain_grad()
            kept[name] = value
        return hook

    for index, layer in enumerate(model.model.layers):
        hooks += [layer.self_attn.o_proj.register_forward_pre_hook(keep(("head", index))),
                  layer.mlp.down_proj.register_forward_pre_hook(keep(("neuron", index))),
                  layer.register_forward_hook(after(("residual", index)))]
    embedding = model.get_input_embeddings()(ids[None]).detach().requires_grad_()
    logits = model(inputs_embeds=embedding, use_cache=False).logits[0, position]
    sum(weight * logits[token] for token, weight in seeds).backward()
    for hook in hooks:
        hook.remove()

    def relevance(value):
        grad = value.grad if value.grad is not None else torch.zeros_like(value)
        return (value * grad)[0].detach()

    layers = range(len(model.model.layers))
    heads = model.config.num_attention_heads
    stream = [embedding] + [kept["residual", i] for i in layers]
    return {"logits": logits.detach(), "hidden": torch.stack([s[0].detach() for s in stream]), "embedding": relevance(embedding).sum(-1),
            "residual": torch.stack([relevance(kept["residual", i]).sum(-1) for i in layers]),
            "head": torch.stack([relevance(kept["head", i]).unflatten(-1, (heads, -1)).sum(-1) for i in layers]),
            "neuron": torch.stack([relevance(kept["neuron", i]) for i in layers])}


def run_method(method, jobs):
    """jobs: [(folder, cases)] -> for each, the tensors of one method. Runs in a process of its own, as patches cannot be taken back."""
    torch.set_num_threads(1)
    with_rules(method)
    results = []
    for folder, cases in jobs:
        model = modeling_llama.LlamaForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager")
        for parameter in model.parameters():
            parameter.requires_grad = False
        tensors = {}
        for k, (ids, position, target, contrast, keep_all) in enumerate(cases):
            with torch.no_grad():
                logits = model(ids[None], use_cache=False).logits[0, position]
            token = int(logits.argmax()) if target is None else int(logits.argmin()) if target == "lowest" else target
            seeds = [(token, 1.0)] + ([(contrast, -1.0)] if contrast is not None else [])
            result = trace(model, ids, position, seeds)
            ints = lambda *values: torch.tensor(values, dtype=torch.int32)
            tensors |= {f"{k}.ids": ids.to(torch.int32), f"{k}.target": ints(token), f"{k}.position": ints(position), f"{k}.logits": result["logits"]}
            if contrast is not None:
                tensors[f"{k}.contrast"] = ints(contrast)
            tensors[f"{k}.hidden"] = result["hidden"] if keep_all else result["hidden"][:, position:position + 1]
            for site in ("embedding", "residual", "head", "neuron"):
                value = result[site]
                tensors[f"{k}.{method}.{site}"] = value if keep_all or value.dim() < 3 else value.sum(-1)
        results.append({name: value.contiguous().clone() for name, value in tensors.items()})
    return results


def expected(jobs, outs, extra=None):
    """Writes the expected values of checkpoint folders. jobs: [(folder, [(ids, position, target or None, contrast or None, keep all)])]."""
    merged = [dict(extra or {}) for _ in jobs]
    for method in ("attnlrp", "cp-lrp"):
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            for into, tensors in zip(merged, pool.submit(run_method, method, jobs).result()):
                into |= tensors
    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
                "lxt": importlib.metadata.version("lxt"), "made by": "make_model_goldens.py"}
    for tensors, out in zip(merged, outs):
        save_file(tensors, out, metadata=versions)


def make_model(name, index):
    changes, dtype, form = MODELS[name]
    torch.manual_seed(1000 + index)
    config = transformers.LlamaConfig(**(BASE | changes))
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for key, value in model.named_parameters():
            if "norm" in key:
                value.copy_(1 + 0.2 * torch.randn_like(value))
            elif key.endswith("bias"):
                value.copy_(0.1 * torch.randn_like(value))
            elif "embed" in key or "lm_head" in key:
                value.copy_(0.7 * torch.randn_like(value))
            else:
                value.copy_(torch.randn_like(value) * 1.2 / value.shape[1] ** 0.5)
    folder = HERE / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, max_shard_size="20KB" if "shards" in form else "1GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    generator = torch.Generator().manual_seed(2000 + index)
    cases = []
    for k, length in enumerate(LENGTHS):
        ids = torch.randint(0, config.vocab_size, (length,), generator=generator)
        position = length - 1 if k != 3 else 290 - index
        cases.append((ids, position, "lowest" if k == 2 else None, None, length <= 17))
    return folder, cases


def reshape_folder(folder, form):
    """Other forms of the same checkpoint, made after transformers has read it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if "v5" in form:
        config["rope_parameters"] = config.pop("rope_scaling") | {"rope_theta": config.pop("rope_theta")}
        config["dtype"] = config.pop("torch_dtype")
        config["transformers_version"] = "5.0.0"
    path.write_text(json.dumps(config, indent=1) + "\n")
    if "bare" in form:
        weights = folder / "model.safetensors"
        tensors = {key.removeprefix("model."): value for key, value in load_file(weights).items()}
        save_file(tensors, weights, metadata={"format": "pt"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.checkpoint is None:
        jobs = [make_model(name, index) for index, name in enumerate(MODELS)]
        expected(jobs, [folder / "expected.safetensors" for folder, _ in jobs])
        for name, (_, _, form) in MODELS.items():
            reshape_folder(HERE / "models" / name, form)
            print(name, sum(f.stat().st_size for f in (HERE / "models" / name).iterdir()), "bytes", flush=True)
        return
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.checkpoint)
    cases, extra = [], {}
    for k, (text, target, contrast) in enumerate(PROMPTS):
        ids = tokenizer(text, return_tensors="pt").input_ids[0]
        token = lambda word: None if word is None else tokenizer.encode(word, add_special_tokens=False)[0]
        cases.append((ids, len(ids) - 1, token(target), token(contrast), True))
        extra[f"{k}.prompt"] = torch.tensor(list(text.encode()), dtype=torch.uint8)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    expected([(options.checkpoint, cases)], [options.out], extra)


if __name__ == "__main__":
    main()
