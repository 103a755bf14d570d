# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""What transformers generates greedily from the checkpoints of models/ and from the shipped one.

    python3 make_generation_goldens.py           # writes generation.json
    python3 make_generation_goldens.py --check   # generates again and compares

Needs torch and transformers. Weights are held in float32, attention is eager. generation.json is a list of
  {model: folder name ("mini": the shipped one), ids, ignore_eos, new_ids, gap}
where gap is the smallest distance of the two best logits over all steps: how far from a tie each choice was.
"""
import argparse
import json
import pathlib
import tempfile

import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
MINI = HERE.parent.parent / "examples" / "models" / "mini"
NEW_TOKENS = 24
PROMPTS = ("I have 5 cats and 3 dogs. My cats love to play with my", "On Sunday there is a lot of snow.", "Ben paints the chair", "The")


def load(folder):
    """The model in float32. A config.json of transformers 5 is put into the words of 4 first; the weights are the same."""
    config = json.loads((folder / "config.json").read_text())
    rope = config.pop("rope_parameters", None)
    with tempfile.TemporaryDirectory() as aside:
        aside = pathlib.Path(aside)
        for file in folder.iterdir():
            if file.name != "config.json":
                (aside / file.name).symlink_to(file)
        if rope:
            config["rope_theta"] = rope.pop("rope_theta")
            config["rope_scaling"] = rope
        (aside / "config.json").write_text(json.dumps(config))
        return transformers.LlamaForCausalLM.from_pretrained(aside, torch_dtype=torch.float32, attn_implementation="eager").eval()


def continuation(model, ids, ignore_eos):
    """New ids of greedy generation with transformers' cache, and the smallest gap."""
    settings = {"eos_token_id": None} if ignore_eos else {}
    if ignore_eos:
        model.generation_config.eos_token_id = None
    out = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False, max_new_tokens=NEW_TOKENS,
                         pad_token_id=0, return_dict_in_generate=True, output_logits=True, **settings)
    best = torch.stack(out.logits)[:, 0].topk(2).values
    return out.sequences[0, len(ids):].tolist(), float((best[:, 0] - best[:, 1]).min())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(MINI / "tokenizer.json"))
    entries = []
    for folder in sorted((HERE / "models").iterdir()) + [MINI]:
        model = load(folder)
        ends = model.generation_config.eos_token_id
        prompts = [tokenizer(text).input_ids for text in PROMPTS] if folder == MINI else [[0], [0, 5, 9, 33, 2, 2, 8], [(7 * i + 3) % 60 + 2 for i in range(40)]]
        for ids in prompts:
            for ignore_eos in (False, True):
                model.generation_config.eos_token_id = ends
                new_ids, gap = continuation(model, ids, ignore_eos)
                entries.append({"model": folder.name, "ids": ids, "ignore_eos": ignore_eos, "new_ids": new_ids, "gap": gap})
    file = HERE / "generation.json"
    if options.check:
        strip = lambda items: [{key: value for key, value in item.items() if key != "gap"} for item in items]
        same = strip(json.loads(file.read_text())) == strip(entries)
        print("fine" if same else "generation.json differs")
        return 0 if same else 1
    file.write_text("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")
    print(len(entries), "continuations, smallest gap", min(entry["gap"] for entry in entries))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
