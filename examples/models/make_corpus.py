# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the corpus that the shipped checkpoint is trained on, and prompts that are held out of it.

    python3 make_corpus.py [--out FOLDER] [--words 260000] [--seed 7]

corpus.txt holds one short document a line: generated English about pets and numbers, food, weather, travel and colours. Sentences are
built so that some last words can only be known from earlier in the document. heldout.jsonl holds prompts of the pets-and-numbers kind,
{"prompt", "answer", "family"}; their pairs of animals never occur together in the corpus. Standard library only.
"""
import argparse
import itertools
import json
import pathlib
import random

ANIMALS = ["cats", "dogs", "birds", "rabbits", "horses", "ducks", "goats", "sheep", "mice", "frogs", "pigs", "hens", "turtles", "parrots"]
OWNERS = ["I", "We", "They"]
POSSESSIVE = {"I": "My", "We": "Our", "They": "Their"}
LOWER = {"I": "my", "We": "our", "They": "their"}
NUMBERS = [str(n) for n in range(2, 20)]
PLAY = ["love to play with", "like to run after", "often sleep near", "want to eat with", "always chase"]
NAMES = ["Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jonas"]

FOODS = {"soup": ["hot", "salty", "thick"], "bread": ["fresh", "warm", "soft"], "cheese": ["old", "rich", "salty"],
         "rice": ["white", "hot", "plain"], "cake": ["sweet", "soft", "rich"], "apples": ["sweet", "fresh", "red"],
         "pasta": ["hot", "plain", "rich"], "salad": ["green", "fresh", "cold"], "honey": ["sweet", "thick", "golden"]}
TOOLS = {"soup": "spoon", "bread": "knife", "cheese": "knife", "rice": "bowl", "cake": "plate", "apples": "basket", "pasta": "fork",
         "salad": "fork", "honey": "jar"}
WEATHER = {"rain": ("umbrella", "wet"), "snow": ("gloves", "white"), "wind": ("jacket", "cold"), "sun": ("hat", "warm"),
           "fog": ("lamp", "grey"), "storm": ("boots", "dark")}
PLACES = {"Paris": "France", "Rome": "Italy", "Madrid": "Spain", "Berlin": "Germany", "Tokyo": "Japan", "Cairo": "Egypt", "Lima": "Peru",
          "Oslo": "Norway"}
VEHICLES = ["train", "plane", "bus", "ship", "car"]
COLOURS = ["red", "blue", "green", "yellow", "black", "white", "brown", "purple"]
THINGS = ["door", "lamp", "chair", "coat", "box", "cup", "bag", "wall"]
MIXES = {("red", "yellow"): "orange", ("blue", "yellow"): "green", ("red", "blue"): "purple", ("black", "white"): "grey"}


def held_out_pairs():
    """Ordered pairs of animals that the corpus never names together; every animal is in a few of them."""
    pairs = [p for i, p in enumerate(itertools.permutations(ANIMALS, 2)) if i % 7 == 3]
    pairs.append(("cats", "dogs"))
    return {frozenset(p) for p in pairs[:: 3]} | {frozenset(("cats", "dogs"))}


HELD_OUT = held_out_pairs()


def pet_sentence(rng, pair):
    """-> (text up to the answer, the answer). The answer is the animal that the last clause does not start with."""
    a, b = pair
    n, m = rng.sample(NUMBERS, 2)
    who = rng.choice(OWNERS)
    subject, other = (a, b) if rng.random() < 0.5 else (b, a)
    first = rng.choice([f"{who} have {n} {a} and {m} {b}.", f"{who} keep {n} {a} and {m} {b} at home.", f"There are {n} {a} and {m} {b} on the farm."])
    if first.startswith("There"):
        return f"{first} The {subject} {rng.choice(PLAY)} the", f" {other}"
    return f"{first} {POSSESSIVE[who]} {subject} {rng.choice(PLAY)} {LOWER[who]}", f" {other}"


def pets(rng, pairs):
    parts = []
    for _ in range(rng.randint(1, 2)):
        text, answer = pet_sentence(rng, rng.choice(pairs))
        parts.append(f"{text}{answer}.")
    if rng.random() < 0.4:
        animal = rng.choice(ANIMALS)
        parts.append(f"{rng.choice(NAMES)} gives the {animal} some {rng.choice(['water', 'hay', 'seeds', 'milk'])}.")
    return " ".join(parts)


def food(rng):
    name, dish = rng.choice(NAMES), rng.choice(list(FOODS))
    how = rng.choice(FOODS[dish])
    verb = "are" if dish.endswith("s") and dish != "rice" else "is"
    parts = [f"{name} is hungry and wants {dish}.", f"The {dish} {verb} {how}.",
             f"{name} takes the {TOOLS[dish]} and eats the {dish}.", f"After lunch {name} washes the {TOOLS[dish]}."]
    if rng.random() < 0.5:
        drink = rng.choice(["tea", "milk", "juice", "water"])
        parts.append(f"{name} drinks {drink} with the {dish} and asks for more {drink}.")
    return " ".join(parts[: rng.randint(2, len(parts))])


def weather(rng):
    kind = rng.choice(list(WEATHER))
    thing, look = WEATHER[kind]
    day, name = rng.choice(["Monday", "Tuesday", "Friday", "Sunday"]), rng.choice(NAMES)
    parts = [f"On {day} there is a lot of {kind}.", f"The street looks {look}.", f"{name} goes out in the {kind} and takes the {thing}.",
             f"When the {kind} is over, {name} puts away the {thing}.", f"Everybody talks about the {kind} of {day}."]
    return " ".join(parts[: rng.randint(3, len(parts))])


def travel(rng):
    place, name, vehicle = rng.choice(list(PLACES)), rng.choice(NAMES), rng.choice(VEHICLES)
    parts = [f"{name} travels to {place} by {vehicle}.", f"{place} is a city in {PLACES[place]}.",
             f"The {vehicle} to {place} leaves at {rng.choice(NUMBERS)}.", f"{name} sends a letter from {PLACES[place]}.",
             f"At the end {name} takes the {vehicle} home from {place}."]
    keep = sorted(rng.sample(range(5), rng.randint(3, 5)))
    return " ".join(parts[i] for i in keep)


def colours(rng):
    if rng.random() < 0.4:
        (one, two), result = rng.choice(list(MIXES.items()))
        if rng.random() < 0.5:
            one, two = two, one
        return f"{rng.choice(NAMES)} mixes {one} paint and {two} paint. The new paint is {result}. The picture is painted in {result}."
    colour, thing, name = rng.choice(COLOURS), rng.choice(THINGS), rng.choice(NAMES)
    return (f"{name} paints the {thing} {colour}. Now the {thing} is {colour}. "
            f"{rng.choice(NAMES)} likes the {colour} {thing} and buys {colour} paint.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--words", type=int, default=260_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    pairs = [p for p in itertools.permutations(ANIMALS, 2) if frozenset(p) not in HELD_OUT]

    lines, words = [], 0
    makers = [lambda: pets(rng, pairs)] * 4 + [lambda: food(rng), lambda: weather(rng), lambda: travel(rng), lambda: colours(rng)]
    while words < options.words:
        lines.append(rng.choice(makers)())
        words += len(lines[-1].split())
    (options.out / "corpus.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    seen, prompts = set(), []
    held = [p for p in itertools.permutations(ANIMALS, 2) if frozenset(p) in HELD_OUT]
    while len(prompts) < 600:
        prompt, answer = pet_sentence(rng, rng.choice(held))
        if prompt not in seen:
            seen.add(prompt)
            prompts.append({"prompt": prompt, "answer": answer, "family": "pets and numbers"})
    text = "".join(json.dumps(p) + "\n" for p in prompts)
    (options.out / "heldout.jsonl").write_text(text, encoding="utf-8")
    for line in lines:  # the promise of the docstring
        for sentence in line.split(". "):
            named = frozenset(a for a in ANIMALS if f" {a}" in sentence)
            assert named not in HELD_OUT, sentence
    print(f"{len(lines)} documents, {words} words, {len(prompts)} held-out prompts")


if __name__ == "__main__":
    main()
