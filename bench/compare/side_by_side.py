#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""lrpxx and LXT (efficient, on PyTorch) side by side on one CPU: the same checkpoint, the same random prompts, in turn.

    python3 -m venv lxt && lxt/bin/pip install torch==2.6.0 transformers==4.52.4 lxt==2.1 numpy safetensors
    build/release/bin/lrp make-random random-1b --like llama-3.2-1b
    lxt/bin/python bench/compare/side_by_side.py random-1b --lrp build/release/bin/lrp

Tried with python 3.11, torch 2.6.0, transformers 4.52.4, lxt 2.1. LXT runs in its better setting (lxt_worker.py says which), in float32 and in
bf16; lrpxx by `lrp bench`, products exact and fast. For each prompt length in turn, each runs once in every round; medians of the rounds are compared.
Deviations are the largest of the relevance at the embedding and of the residual trace (each layer by itself), relative to its largest value, from a
float64 computation that shares no code with either (truth.py).
"""
import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found '{text}'")
    return int(text)


def lengths(text):
    return [positive(part) for part in text.split(",")]


def one_of(*known):
    def read(text):
        for part in text.split(","):
            if part and part not in known:
                raise argparse.ArgumentTypeError(f"expected {' or '.join(known)}, found '{part}'")
        return [part for part in text.split(",") if part]
    return read


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL_DIR")
    parser.add_argument("--lrp", default="build/release/bin/lrp", help="the program lrp")
    parser.add_argument("--tokens", type=lengths, default="16,128,512,2048", help="prompt lengths, with commas between")
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--lxt", type=one_of("f32", "bf16"), default="f32,bf16", help="which types LXT runs in; '' for lrpxx alone")
    parser.add_argument("--products", type=one_of("exact", "fast"), default="exact,fast", help="which products lrpxx runs with; '' for LXT alone")
    parser.add_argument("--accuracy-up-to", type=int, default=2048, metavar="T", help="longest prompt whose deviations are computed; 0: none")
    parser.add_argument("--truths", metavar="FOLDER", help="keep the float64 results there, and take from there those that it holds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write every figure to this file, too")
    return parser.parse_args()


class Lxt:
    """LXT in one type, kept loaded in a process of its own."""

    def __init__(self, args, kind):
        self.name = f"LXT {kind}"
        self.warm = set()
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "lxt_worker.py"), args.model, kind, str(args.threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, ids, target, out):
        answer = None
        try:
            print(json.dumps({"ids": ids, "target": target, "out": out}), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            pass
        if not answer:
            sys.exit(f"side_by_side: {self.name} ended without an answer (exit code {self.process.wait()}; out of memory?)")
        return json.loads(answer)

    def time(self, ids):
        if len(ids) not in self.warm:
            self.ask(ids, None, None)
            self.warm.add(len(ids))
        return self.ask(ids, None, None)

    def relevance(self, ids, target, out):
        self.ask(ids, target, out)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Lrpxx:
    """The program lrp with one kind of products."""

    def __init__(self, args, products):
        self.name = f"lrpxx {products}"
        self.args, self.products = args, products

    def run(self, command, ids, *more):
        result = subprocess.run([self.args.lrp, command, self.args.model, "--ids", ",".join(map(str, ids)), "--threads", str(self.args.threads), "--products",
                                 self.products, *more], stdout=subprocess.PIPE, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"side_by_side: lrp {command} ended with exit code {result.returncode}")
        return result.stdout

    def time(self, ids):
        return json.loads(self.run("bench", ids, "--runs", "1", "--json"))[0]

    def relevance(self, ids, target, out):
        self.run("trace", ids, "--target", str(target), "--sites", "embedding,residual", "--npz", out)

    def close(self):
        pass


def deviations(truth, found):
    import numpy
    embedding = numpy.abs(found["embedding"] - truth["embedding"]).max() / numpy.abs(truth["embedding"]).max()
    layers = numpy.abs(found["residual"] - truth["residual"]).max(1) / numpy.abs(truth["residual"]).max(1)
    return {"embedding": float(embedding), "residual": float(layers.max())}


def truths(args, prompts, folder):
    """The float64 results of the prompts that are judged, one after the other: a long prompt's takes minutes and gigabytes."""
    results = {}
    judged = [count for count in prompts if count <= args.accuracy_up_to]
    model = 0
    for name in sorted(os.listdir(args.model)) if judged and args.truths else []:
        if name.endswith((".json", ".safetensors")):
            with open(os.path.join(args.model, name), "rb") as file:  # all of it: models that differ in one number have other truths
                while part := file.read(1 << 24):
                    model = zlib.crc32(part, model)
    for count, ids in prompts.items():
        if count in judged:
            out = os.path.join(folder, f"truth-{zlib.crc32(json.dumps(ids).encode(), model):08x}-{count}.npz")
            if not os.path.exists(out):
                print(f"\rfloat64 over {count} tokens   ", end="", file=sys.stderr, flush=True)
                unfinished = out[:-4] + ".unfinished.npz"
                made = subprocess.run([sys.executable, os.path.join(HERE, "truth.py"), args.model, str(args.threads), json.dumps(ids), unfinished], check=False)
                if made.returncode != 0:
                    sys.exit(f"side_by_side: truth.py over {count} tokens ended with exit code {made.returncode}")
                os.replace(unfinished, out)
            results[count] = out
    return results


def main():
    args = arguments()
    try:
        import numpy  # noqa: F401
        from importlib.metadata import version
        versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "lxt"))
    except ImportError as missing:
        sys.exit(f"side_by_side: {missing}; needed are torch, transformers, lxt and numpy")
    config = os.path.join(args.model, "config.json")
    if not os.path.isfile(config):
        sys.exit(f"side_by_side: {config}: there is no such file; MODEL_DIR is a checkpoint folder")
    if args.products and not shutil.which(args.lrp):
        sys.exit(f"side_by_side: --lrp: there is no program '{args.lrp}'")
    with open(config, encoding="utf-8") as file:
        vocabulary = json.load(file)["vocab_size"]
    numbers = random.Random(args.seed)
    prompts = {count: [numbers.randrange(vocabulary) for _ in range(count)] for count in args.tokens}
    with tempfile.TemporaryDirectory() as folder:
        if args.truths:
            os.makedirs(args.truths, exist_ok=True)
        compare(args, prompts, versions, truths(args, prompts, args.truths or folder), os.path.join(folder, "found.npz"))
    return 0


def compare(args, prompts, versions, truth_files, found_file):
    import numpy
    counts = list(prompts)
    sides = [Lxt(args, kind) for kind in args.lxt] + [Lrpxx(args, products) for products in args.products]
    names = [side.name for side in sides]
    pairs = [pair for pair in (("LXT f32", "lrpxx exact"), ("LXT bf16", "lrpxx fast"), ("LXT bf16", "lrpxx exact")) if set(pair) <= set(names)]

    machine = {}
    timed = {(count, name): [] for count in counts for name in names}
    for count in counts:
        for number in range(args.rounds):
            for side in sides:
                timed[count, side.name].append(side.time(prompts[count]))
                machine = timed[count, side.name][-1].get("machine", machine)
                print(f"\r{count} tokens, round {number + 1} of {args.rounds}, {side.name}   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    print(f"{os.path.basename(os.path.normpath(args.model))}; {platform.machine()}, {args.threads} threads; {versions}; medians of {args.rounds} rounds")
    if machine:
        print("This machine at most: " + ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in machine.items()))
    rows = {}
    for count in counts:
        row = rows[count] = {}
        for name in names:
            row[name] = {key: statistics.median(one[key] for one in timed[count, name]) for key in ("forward_s", "relevance_s", "total_s", "peak_bytes")}
            row[name]["totals_s"] = [one["total_s"] for one in timed[count, name]]

    def table(title, heads, cells, of):
        print(f"\n{title}\n\n| tokens | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
        for count in of:
            print(f"| {count} | " + " | ".join(cells(rows[count])) + " |")

    table("Seconds: total (forward, relevance)", names, lambda row: [
        f"{row[n]['total_s']:.3g} ({row[n]['forward_s']:.3g}, {row[n]['relevance_s']:.3g})" for n in names], counts)
    if pairs:
        table("How many times as fast", [f"{right} against {left}" for left, right in pairs], lambda row: [
            f"{row[left]['total_s'] / row[right]['total_s']:.2f}" for left, right in pairs], counts)
    table("Peak memory, GiB", names, lambda row: [f"{row[n]['peak_bytes'] / 2**30:.2f}" for n in names], counts)

    for count, truth_file in truth_files.items():
        truth = numpy.load(truth_file)
        for side in sides:
            side.relevance(prompts[count], int(truth["target"]), found_file)
            rows[count][side.name]["deviation"] = deviations(truth, numpy.load(found_file))
        print(f"\rdeviations over {count} tokens   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if truth_files:
        table("Largest deviation from float64: embedding, residual trace", names, lambda row: [
            f"{row[n]['deviation']['embedding']:.2g}, {row[n]['deviation']['residual']:.2g}" for n in names], truth_files)
    for side in sides:
        side.close()
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"model": args.model, "versions": versions, "threads": args.threads, "machine": machine, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
