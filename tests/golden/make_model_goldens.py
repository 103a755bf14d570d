# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""Random LLaMA checkpoints and what transformers and LXT say of them.

    python3 make_model_goldens.py             # writes models/<name>/
    python3 make_model_goldens.py --check     # makes them again beside, and compares; writes nothing
    python3 make_model_goldens.py --verify    # compares the stored values with a float64 re-derivation, writes README.md
    python3 make_model_goldens.py --checkpoint DIR --out FILE   # expected values of a real folder, for the prompts below

Needs torch, transformers, lxt and safetensors. Values are float32, of a model that holds the stored (possibly rounded) weights in
float32; relevance is input times LXT's modified gradient with the coefficient 1 at the explained logit. expected.safetensors holds, for
prompt k and method m (attnlrp, cp-lrp; both are LXT's own patch maps for LLaMA):
  k.ids [T], k.target [1], k.position [1] (int32), k.logits [V] at the position, k.hidden [L+1, rows, d] (embedding, then each layer's
  output before the final norm; all rows up to 17 tokens, else the explained row), k.m.embedding [T], k.m.residual [L, T], k.m.head
  [L, T, H] (input of o_proj, summed within the head), k.m.neuron [L, T, F] (input of down_proj, before the product's halving).
  Of a real folder also k.prompt (UTF-8 bytes) and, where two logits are compared, k.contrast [1]: explained is target minus contrast.
"""
import argparse
import concurrent.futures
import importlib.metadata
import json
import math
import multiprocessing
import pathlib
import platform
import shutil
import tempfile

import numpy
import torch
import transformers
from lxt.efficient import monkey_patch
from lxt.efficient.models import llama as lxt_llama
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers.models.llama import modeling_llama

HERE = pathlib.Path(__file__).resolve().parent
LENGTHS = (1, 2, 17, 300)
SITES = ("embedding", "residual", "head", "neuron")
METHODS = {"attnlrp": lxt_llama.attnLRP, "cp-lrp": lxt_llama.cp_LRP}
TOLERANCE = 1e-4  # of a tensor's largest magnitude, for values made twice
BASE = dict(hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, vocab_size=64,
            rms_norm_eps=1e-5, tie_word_embeddings=False, max_position_embeddings=512, bos_token_id=0, eos_token_id=1)


def llama3(original):
    """llama3 scaling. Which of its branches act depends on the wavelengths 2 pi base^(2i/D): see the two uses below."""
    return {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": original}


# name: (changes to BASE, storage type, what the folder looks like)
MODELS = {
    "plain": ({}, torch.float32, {}),
    "gqa4_tied_llama3": (dict(num_attention_heads=8, num_key_value_heads=2, tie_word_embeddings=True, num_hidden_layers=3,
                              rope_scaling=llama3(32)),  # wavelengths 6.3 (kept), 628 (divided)
                         torch.bfloat16, {}),
    "gqa8_linear": (dict(num_attention_heads=8, num_key_value_heads=1, rope_scaling={"rope_type": "linear", "factor": 4.0}), torch.float16, {}),
    "gqa5_odd_sizes": (dict(hidden_size=45, intermediate_size=37, num_attention_heads=5, num_key_value_heads=1, head_dim=10, vocab_size=71), torch.float32, {}),
    "attention_bias": (dict(attention_bias=True, num_key_value_heads=2), torch.float32, {}),
    "all_biases_v5": (dict(attention_bias=True, mlp_bias=True, rope_scaling=llama3(128)),  # 6.3 (kept), 62.8 (blended), 628, 6283 (divided)
                      torch.float32, {"v5": True}),
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
    ("Felix mixes black paint and white paint. The new paint is", None, None),
]


# ---- transformers and LXT -----------------------------------------------------------------------------------------------------------

def trace(model, ids, position, seeds):
    """One forward and backward of a patched model -> dict of tensors. seeds: [(token, weight)]."""
    kept, hooks = {}, []

    def keep(name):
        def before(_, inputs):
            inputs[0].retain_grad()
            kept[name] = inputs[0]
        return before

    def after(name):  # not output_hidden_states, whose last entry is behind the final norm
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

    layers, heads = range(len(model.model.layers)), model.config.num_attention_heads
    stream = [embedding] + [kept["residual", i] for i in layers]
    return {"logits": logits.detach(), "hidden": torch.stack([s[0].detach() for s in stream]), "embedding": relevance(embedding).sum(-1),
            "residual": torch.stack([relevance(kept["residual", i]).sum(-1) for i in layers]),
            "head": torch.stack([relevance(kept["head", i]).unflatten(-1, (heads, -1)).sum(-1) for i in layers]),
            "neuron": torch.stack([relevance(kept["neuron", i]) for i in layers])}


def run_method(method, jobs):
    """jobs: [(folder, cases)] -> for each, the tensors of one method. Runs in a process of its own: patches cannot be taken back, and
    LXT skips a second map with no more than a warning."""
    torch.set_num_threads(1)
    monkey_patch(modeling_llama, METHODS[method])
    transformers.utils.logging.disable_progress_bar()
    results = []
    for folder, cases in jobs:
        model = modeling_llama.LlamaForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager")
        model.requires_grad_(False)
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
            tensors |= {f"{k}.{method}.{site}": result[site] for site in SITES}
        results.append({name: value.contiguous().clone() for name, value in tensors.items()})
    return results


def run_all(jobs):
    """Tensors of both methods for each of jobs: [(folder, [(ids, position, target or None, contrast or None, keep all)])]."""
    merged = [{} for _ in jobs]
    for method in METHODS:
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            for into, tensors in zip(merged, pool.submit(run_method, method, jobs).result()):
                into |= tensors
    return merged


# ---- the re-derivation in float64 (math.md, sections 2, 4 and 5; formats.md, section 2.5) ----------------------------------------------

def read_folder(folder):
    """config.json of either generation and the weights in float64, without the prefix `model.`."""
    weights = {}
    for file in sorted(folder.glob("model*.safetensors")):
        weights |= {name.removeprefix("model."): value.double().numpy() for name, value in load_file(file).items()}
    config = json.loads((folder / "config.json").read_text())
    if config["tie_word_embeddings"]:
        weights["lm_head.weight"] = weights["embed_tokens.weight"]
    return config, weights


def rope_frequencies(config, dim):
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    f = rope.get("rope_theta", config.get("rope_theta")) ** (-2.0 * numpy.arange(dim // 2) / dim)
    kind = rope.get("rope_type", "default")
    if kind == "linear":
        return f / rope["factor"]
    if kind == "llama3":
        s, a, b, length = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
        wave = 2 * math.pi / f
        t = (length / wave - a) / (b - a)
        return numpy.where(wave < length / b, f, numpy.where(wave > length / a, f / s, (1 - t) * f / s + t * f))
    assert kind == "default", kind
    return f


def rotate(x, angle):
    """x [T, heads, D], angle [T, D/2]; a negative angle is the inverse."""
    cos, sin = numpy.cos(angle)[:, None], numpy.sin(angle)[:, None]
    low, high = numpy.split(x, 2, -1)
    return numpy.concatenate([low * cos - high * sin, high * cos + low * sin], -1)


def rederive(config, w, ids, position, seeds):
    """What trace() gives, for both methods: the forward pass, then coefficients backward, one line per line of math.md."""
    T, H, G = len(ids), config["num_attention_heads"], config["num_key_value_heads"]
    D, L = config.get("head_dim") or config["hidden_size"] // H, config["num_hidden_layers"]
    angle = numpy.arange(T)[:, None] * rope_frequencies(config, D)
    causal = numpy.tril(numpy.ones((T, T), bool))
    linear = lambda x, name: x @ w[name + ".weight"].T + w.get(name + ".bias", 0.0)
    factor = lambda x, name: w[name + ".weight"] / numpy.sqrt((x * x).mean(-1, keepdims=True) + config["rms_norm_eps"])
    x, saved = w["embed_tokens.weight"][ids], []
    stream = [x]
    for i in range(L):
        p = f"layers.{i}."
        norm1 = factor(x, p + "input_layernorm")
        q = rotate(linear(x * norm1, p + "self_attn.q_proj").reshape(T, H, D), angle)
        k = rotate(linear(x * norm1, p + "self_attn.k_proj").reshape(T, G, D), angle)
        v = linear(x * norm1, p + "self_attn.v_proj").reshape(T, G, D)
        z, probs = numpy.empty((T, H, D)), []
        for h in range(H):
            scores = numpy.where(causal, q[:, h] @ k[:, h * G // H].T / math.sqrt(D), -numpy.inf)
            e = numpy.exp(scores - scores.max(-1, keepdims=True))
            probs.append(e / e.sum(-1, keepdims=True))
            z[:, h] = probs[h] @ v[:, h * G // H]
        x = x + linear(z.reshape(T, H * D), p + "self_attn.o_proj")
        norm2 = factor(x, p + "post_attention_layernorm")
        gate, up = linear(x * norm2, p + "mlp.gate_proj"), linear(x * norm2, p + "mlp.up_proj")
        sigma = 1 / (1 + numpy.exp(-gate))
        neuron = gate * sigma * up
        x = x + linear(neuron, p + "mlp.down_proj")
        saved.append((norm1, q, k, v, probs, z, norm2, gate * sigma, sigma, up, neuron))
        stream.append(x)
    head = w["lm_head.weight"]
    normf = factor(x, "norm")[position]
    result = {"logits": head @ (x[position] * normf), "hidden": numpy.stack(stream)}
    for method, attn in (("attnlrp", True), ("cp-lrp", False)):
        site = {name: [None] * L for name in SITES}
        c = numpy.zeros_like(x)
        c[position] = normf * sum(weight * head[token] for token, weight in seeds)
        for i in reversed(range(L)):
            p = f"layers.{i}."
            norm1, q, k, v, probs, z, norm2, act, sigma, up, neuron = saved[i]
            weight = lambda name: w[p + name + ".weight"]
            site["residual"][i] = (stream[i + 1] * c).sum(-1)
            cw = c @ weight("mlp.down_proj")
            site["neuron"][i] = neuron * cw
            if attn:  # product and activation: half to each factor, the activation passes sigma
                ch = (0.5 * cw * act) @ weight("mlp.up_proj") + (0.5 * cw * up * sigma) @ weight("mlp.gate_proj")
            else:     # all to up
                ch = (cw * act) @ weight("mlp.up_proj")
            c = c + norm2 * ch
            co = (c @ weight("self_attn.o_proj")).reshape(T, H, D)
            site["head"][i] = (z * co).sum(-1)
            cq, ck, cv = numpy.zeros_like(q), numpy.zeros_like(k), numpy.zeros_like(v)
            for h in range(H):
                g = h * G // H
                cv[:, g] += probs[h].T @ co[:, h]
                if attn:
                    ca = co[:, h] @ v[:, g].T
                    cs = probs[h] * (ca - (probs[h] * ca).sum(-1, keepdims=True)) / math.sqrt(D)
                    cq[:, h] = cs @ k[:, g]
                    ck[:, g] += cs.T @ q[:, h]
            if attn:
                ch = (rotate(cq / 4, -angle).reshape(T, -1) @ weight("self_attn.q_proj") + rotate(ck / 4, -angle).reshape(T, -1) @ weight("self_attn.k_proj")
                      + (cv / 2).reshape(T, -1) @ weight("self_attn.v_proj"))
            else:
                ch = cv.reshape(T, -1) @ weight("self_attn.v_proj")
            c = c + norm1 * ch
        site["embedding"] = (stream[0] * c).sum(-1)
        result |= {f"{method}.{name}": numpy.stack(value) if name != "embedding" else value for name, value in site.items()}
    return result


def deviations(folder, tensors):
    """Largest deviation of the tensors from the re-derivation, relative to the largest magnitude of each, over all prompts."""
    (config, weights), worst = read_folder(folder), {}
    for k in range(sum(name.endswith(".ids") for name in tensors)):
        position = int(tensors[f"{k}.position"])
        seeds = [(int(tensors[f"{k}.target"]), 1.0)] + ([(int(tensors[f"{k}.contrast"]), -1.0)] if f"{k}.contrast" in tensors else [])
        for name, value in rederive(config, weights, tensors[f"{k}.ids"].numpy(), position, seeds).items():
            stored = tensors[f"{k}.{name}"].double().numpy()
            if name == "hidden" and stored.shape != value.shape:
                value = value[:, position:position + 1]
            assert stored.shape == value.shape, (folder.name, k, name)
            worst[name] = max(worst.get(name, 0.0), float(abs(stored - value).max() / abs(value).max()))
    return worst


# ---- folders --------------------------------------------------------------------------------------------------------------------------

def make_model(name, folder):
    """Writes config.json and the weights -> the prompts. Every matrix keeps the size of what passes, so nothing degenerates."""
    index = list(MODELS).index(name)
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
    model.to(dtype).save_pretrained(folder, max_shard_size="20KB" if "shards" in form else "1GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    if "bare" in form:
        tensors = {key.removeprefix("model."): value for key, value in load_file(folder / "model.safetensors").items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for file in folder.iterdir():  # safetensors writes for the owner only
        file.chmod(0o644)
    generator = torch.Generator().manual_seed(2000 + index)
    cases = []
    for k, length in enumerate(LENGTHS):
        ids = torch.randint(0, config.vocab_size, (length,), generator=generator)
        cases.append((ids, length - 1 if k != 3 else 290 - index, "lowest" if k == 2 else None, None, length <= 17))
    return cases


def rewrite_config(folder, form):
    """The layout of config.json, and the form of transformers 5; after transformers 4 has read the folder."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if "v5" in form:
        config["rope_parameters"] = config.pop("rope_scaling") | {"rope_theta": config.pop("rope_theta")}
        config["dtype"] = config.pop("torch_dtype")
        config["transformers_version"] = "5.0.0"
    path.write_text(json.dumps(config, indent=1) + "\n")


def versions():
    return {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
            "lxt": importlib.metadata.version("lxt"), "numpy": numpy.__version__}


def save_expected(tensors, worst, out, seed):
    text = ", ".join(f"{name} {value:.1e}" for name, value in worst.items())
    save_file(tensors, out, metadata=versions() | {"made by": "make_model_goldens.py", "seed": seed, "largest deviation from float64": text})
    out.chmod(0o644)


def compare(name, made, stored):
    """What differs between two sets of tensors: integers must be equal, the rest close."""
    faults = [f"{name}: {key} is on one side only" for key in sorted(made.keys() ^ stored.keys())]
    for key in sorted(made.keys() & stored.keys()):
        a, b = made[key], stored[key]
        if a.shape != b.shape or a.dtype != b.dtype:
            faults.append(f"{name}: {key} has another shape or type")
        elif not a.is_floating_point():
            faults += [] if torch.equal(a, b) else [f"{name}: {key} differs"]
        elif not float((a.double() - b.double()).abs().max()) <= TOLERANCE * float(b.double().abs().max()):
            faults.append(f"{name}: {key} differs by more than {TOLERANCE} of its largest magnitude")
    return faults


def random_models(options):
    """Makes the folders aside; then installs them, or compares them with those that are there."""
    faults = []
    with tempfile.TemporaryDirectory() as aside:
        jobs = []
        for name in MODELS:
            folder, stored = pathlib.Path(aside) / name, options.models / name
            jobs.append((folder, make_model(name, folder)))
            if options.check:  # the expected values are those of the stored weights
                for file in sorted(folder.glob("model*.safetensors")):
                    faults += compare(f"{name}/{file.name}", load_file(file), load_file(stored / file.name))
                    shutil.copyfile(stored / file.name, file)
        for index, ((folder, _), tensors) in enumerate(zip(jobs, run_all(jobs))):
            rewrite_config(folder, MODELS[folder.name][2])
            stored = options.models / folder.name
            if options.check:
                for file in sorted(folder.glob("*.json")):
                    faults += [] if json.loads(file.read_text()) == json.loads((stored / file.name).read_text()) else [f"{stored.name}/{file.name} differs"]
                faults += compare(f"{folder.name}/expected.safetensors", tensors, load_file(stored / "expected.safetensors"))
                continue
            save_expected(tensors, deviations(folder, tensors), folder / "expected.safetensors", f"weights {1000 + index}, ids {2000 + index}")
            shutil.rmtree(stored, ignore_errors=True)
            shutil.copytree(folder, stored)
            print(folder.name, sum(f.stat().st_size for f in stored.iterdir()), "bytes", flush=True)
    return faults


def real_model(options):
    """The expected values of a folder with a tokenizer, for PROMPTS; a target text stands for its first token."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.checkpoint)
    cases, extra = [], {}
    for k, (text, target, contrast) in enumerate(PROMPTS):
        ids = torch.tensor(tokenizer(text).input_ids)
        token = lambda word: None if word is None else tokenizer.encode(word, add_special_tokens=False)[0]
        cases.append((ids, len(ids) - 1, token(target), token(contrast), True))
        extra[f"{k}.prompt"] = torch.tensor(list(text.encode()), dtype=torch.uint8)
    tensors = run_all([(options.checkpoint, cases)])[0] | extra
    if options.check:
        return compare(options.out.name, tensors, load_file(options.out))
    worst = deviations(options.checkpoint, tensors)
    print("largest deviation from float64:", ", ".join(f"{name} {value:.1e}" for name, value in worst.items()))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_expected(tensors, worst, options.out, "none")
    return []


README = """# Golden files: what others say

`models/` holds random LLaMA checkpoints with what Hugging Face transformers (logits, residual stream) and LXT (relevance) say of them;
`mini/` the same for the shipped checkpoint; `text/` what the tokenizers library says. The scripts say what the files hold.

    python3 make_generation_goldens.py        # makes generation.json again: greedy continuations by transformers
    python3 make_model_goldens.py             # makes models/ again
    python3 make_model_goldens.py --check     # makes them aside and compares, within {tolerance} of the largest magnitude
    python3 make_model_goldens.py --verify    # compares with the re-derivation below, and writes this page
    python3 make_model_goldens.py --checkpoint ../../examples/models/mini --out mini/expected.safetensors

Made with {versions}; one thread, float32, eager attention. For F16 and
BF16 storage the model holds the rounded weights in float32. The coefficient at the explained logit is 1. Both methods are LXT's own patch
maps for LLaMA (`lxt.efficient.models.llama.attnLRP` and `cp_LRP`).

## Deviation from a float64 re-derivation

Every stored value against `docs/math.md`, sections 2, 4 and 5, written out in double precision from the files alone: largest deviation over the
prompts of 1, 2, 17 and 300 tokens, relative to the largest magnitude of the tensor. It is the float32 rounding of PyTorch.

{table}
"""


def verify(options):
    """Prints and writes the table of deviations of the stored files."""
    names = ["logits", "hidden"] + [f"{method}.{site}" for method in METHODS for site in SITES]
    rows, faults = ["| checkpoint | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"], []
    for name in MODELS:
        folder = options.models / name
        worst = deviations(folder, load_file(folder / "expected.safetensors"))
        rows.append(f"| {name} | " + " | ".join(f"{worst[key]:.1e}" for key in names) + " |")
        faults += [f"{name}: {key} deviates by {worst[key]:.1e}" for key in names if not worst[key] <= TOLERANCE]
    print("\n".join(rows))
    with safe_open(options.models / "plain" / "expected.safetensors", "pt") as file:
        made_with = ", ".join(f"{key} {file.metadata()[key]}" for key in versions())
    options.models.with_name("README.md").write_text(README.format(tolerance=TOLERANCE, versions=made_with, table="\n".join(rows)))
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--models", type=pathlib.Path, default=HERE / "models", help="where the random checkpoints are; README.md lies beside")
    parser.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    if (options.checkpoint is None) != (options.out is None):
        parser.error("--checkpoint and --out belong together")
    torch.set_num_threads(1)
    faults = real_model(options) if options.checkpoint else verify(options) if options.verify else random_models(options)
    print("\n".join(faults) if faults else "fine")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
