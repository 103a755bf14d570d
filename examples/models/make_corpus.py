# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the corpus that the shipped checkpoint is trained on, and prompts that are held out of it.

    python3 make_corpus.py [--out FOLDER] [--words 240000] [--seed 7]

corpus.txt           one short document a line: generated English about pets and numbers, food, weather, travel and colours. A document
                     stays with its topic; some of its words can only be known from earlier in the document ("answers").
heldout.jsonl        prompts of the pets-and-numbers kind, {"prompt", "answer", "family"}. No document of the corpus names the two animals of
                     such a prompt together, and none has its two numbers in that order.
heldout_topics.jsonl the same for the other topics. No document of the corpus brings that person and that thing together.

main() asserts what is promised here. Standard library only; the same seed gives the same bytes.
"""
import argparse
import itertools
import json
import pathlib
import random
import re

ANIMALS = ["cats", "dogs", "birds", "rabbits", "horses", "ducks", "goats", "sheep", "mice", "frogs", "pigs", "hens", "turtles", "parrots",
           "cows", "foxes", "swans", "geese", "lambs", "ponies"]
NUMBERS = list(range(2, 20))
OWNERS = [("I", "My", "my"), ("We", "Our", "our"), ("They", "Their", "their")]
NAMES = {"Anna": "She", "Ben": "He", "Clara": "She", "David": "He", "Emma": "She", "Felix": "He", "Grace": "She", "Henry": "He",
         "Ida": "She", "Jonas": "He", "Kate": "She", "Leo": "He"}
DAYS = ["Monday", "Tuesday", "Friday", "Sunday"]
WHEN = ["In the morning", "In the evening", "At noon", "Today", "Every day", "After that"]

SPOON, FORK, KNIFE, CUP = "spoon", "fork", "knife", "cup"
FOODS = {"soup": SPOON, "rice": SPOON, "honey": SPOON, "porridge": SPOON, "pasta": FORK, "salad": FORK, "fish": FORK, "cake": FORK,
         "bread": KNIFE, "cheese": KNIFE, "butter": KNIFE, "tea": CUP, "milk": CUP, "coffee": CUP}
TASTES = ["sweet", "salty", "tasty", "rich", "fresh", "delicious"]
WEATHER = {"rain": "umbrella", "snow": "gloves", "sun": "hat", "wind": "jacket", "fog": "lantern", "frost": "scarf", "hail": "boots"}
PLACES = {"Paris": "France", "Rome": "Italy", "Madrid": "Spain", "Berlin": "Germany", "Tokyo": "Japan", "Cairo": "Egypt", "Lima": "Peru",
          "Oslo": "Norway"}
VEHICLES = ["train", "plane", "bus", "ship", "car"]
COLOURS = ["red", "blue", "green", "yellow", "black", "white", "brown", "purple", "orange", "pink"]
THINGS = ["door", "chair", "box", "bag", "wall", "table", "fence"]
MIXES = {("red", "yellow"): "orange", ("blue", "yellow"): "green", ("red", "blue"): "purple", ("black", "white"): "grey",
         ("red", "white"): "pink", ("red", "green"): "brown"}
KEYS = [*FOODS, *WEATHER, *PLACES, *COLOURS]


def animals_held_out(a, b):
    """Unordered pairs of animals that the corpus never names together: cats with dogs, and about a fifth of the others."""
    i, j = ANIMALS.index(a), ANIMALS.index(b)
    return (i * j + i + j) % 5 == 1


def numbers_held_out(n, m):
    """Ordered pairs of numbers that the corpus never has: (5, 3), and about a seventh of the others."""
    return (3 * n + m) % 7 == 4


def person_held_out(name, key):
    """Pairs of a person and a thing that the corpus never brings together."""
    return (5 * list(NAMES).index(name) + 3 * KEYS.index(key)) % 11 == 2


class Writer:
    """Draws sentences. With held_out false it draws what the corpus may hold, with true what only the held-out prompts hold."""

    def __init__(self, rng, held_out=False):
        self.rng, self.held_out = rng, held_out

    def one(self, *choices):
        return self.rng.choice(choices)

    def draw(self, propose, is_held_out):
        """The first proposal of the wanted kind."""
        while True:
            drawn = propose()
            if is_held_out(*drawn) == self.held_out:
                return drawn

    def person_and(self, keys):
        return self.draw(lambda: (self.one(*NAMES), self.one(*keys)), person_held_out)

    def some(self, sentences, least, most):
        """Between least and most of the sentences, in their order."""
        keep = sorted(self.rng.sample(range(len(sentences)), self.rng.randint(least, most)))
        return [sentences[i] for i in keep]

    # Pets and numbers. The answer, in brackets, is the animal that the last clause does not start with.

    def pet_family(self, family, a, b):
        n, m = self.draw(lambda: tuple(self.rng.sample(NUMBERS, 2)), numbers_held_out)
        who, my_first, my = self.one(*OWNERS)
        name = self.one(*NAMES)
        s, o = self.one((a, b), (b, a))
        near = self.one("love to play with", "like to run after", "often sleep near", "want to eat with", "always follow", "love to sit near")
        after = self.one("chase", "follow", "watch", "play with", "run after")
        return {
            "have": f"{who} {self.one('have', 'keep', 'own')} {n} {a} and {m} {b}. {my_first} {s} {near} {my}[ {o}].",
            "home": f"{who} have {n} {a} and {m} {b} at home. {self.one(*WHEN)} {my} {s} {after} {my}[ {o}].",
            "farm": f"There are {n} {a} and {m} {b} {self.one('on the farm', 'in the barn', 'near the pond')}. "
                    f"{self.one('The', self.one(*WHEN) + ' the')} {s} {after} the[ {o}].",
            "market": f"{name} sees {n} {a} and {m} {b} at the market. {NAMES[name]} buys the {s} but not the[ {o}].",
            "feeding": f"{name} feeds {n} {a} and {m} {b}. First come the {s} and then come the[ {o}].",
            "later": f"{who} have {n} {a} and {m} {b}. {self.one('The barn is old and warm.', 'It is a good life.', 'The neighbours come to see them.')} "
                     f"{my_first} {s} {near} {my}[ {o}].",
        }[family]

    def pets(self):
        a, b = self.draw(lambda: tuple(self.rng.sample(ANIMALS, 2)), animals_held_out)
        parts = [self.pet_family(self.one(*PET_FAMILIES), a, b)]
        feed, name = self.one("hay", "seeds", "grass", "corn"), self.one(*NAMES)
        parts += self.some([
            f"The {a} are {self.one('small', 'quiet', 'loud', 'happy')} and the {b} are {self.one('big', 'tired', 'lazy', 'wild')}.",
            f"{name} brings {feed} for the {self.one(a, b)}.",
            f"The {self.one(a, b)} {self.one('eat', 'smell', 'find')} the {feed} in the barn.",
            f"The vet looks at the {self.one(a, b)} and strokes their {self.one('ears', 'tails', 'paws')}.",
            f"At night the animals sleep in the {self.one('barn', 'stable', 'nest')}."], 0, 2)
        return parts

    # The other topics: a lead with the answer, and sentences around it.

    def food_lead(self):
        name, dish = self.person_and(FOODS)
        verb = "drinks" if FOODS[dish] == CUP else "eats"
        return name, dish, (f"{name} {self.one('is hungry and wants', 'goes to the kitchen and finds', 'would like some', 'cooks a little')} {dish}. "
                            f"{NAMES[name]} {self.one('takes', 'looks for', 'needs')} a[ {FOODS[dish]}].")

    def food(self):
        name, dish, lead = self.food_lead()
        she = NAMES[name]
        after = [f"The {dish} is {self.one(*TASTES)} and {self.one('warm', 'hot')}.",
                 f"The cook adds {self.one('sugar', 'salt', 'pepper', 'garlic')} and {self.one('flour', 'oil', 'cream', 'lemon')}.",
                 f"The {self.one('kitchen', 'oven', 'pan', 'plate')} smells of {dish}.",
                 f"{self.one('For lunch', 'For dinner', 'For breakfast')} {she.lower()} asks for more {dish}.",
                 f"The recipe says that {dish} tastes {self.one(*TASTES)}."]
        return [lead, *self.some(after, 1, 3)]

    def weather_lead(self):
        name, kind = self.person_and(WEATHER)
        return name, kind, (f"{self.one('On ' + self.one(*DAYS), *WHEN[:4])} there is {self.one('a lot of', 'some', 'much')} {kind}. "
                            f"{name} {self.one('goes out with', 'takes', 'looks for')} the[ {WEATHER[kind]}].")

    def weather(self):
        name, kind, lead = self.weather_lead()
        after = [f"The sky is {self.one('dark', 'clear', 'cloudy', 'gloomy')} and the air is {self.one('cold', 'damp', 'mild')}.",
                 f"The {self.one('clouds', 'storm', 'thunder')} {self.one('came', 'moved')} from the {self.one('north', 'west', 'sea')}.",
                 f"The forecast says that the {kind} will stay until {self.one(*DAYS)}.",
                 f"After the {kind} the streets are {self.one('wet', 'icy', 'dry')}.",
                 f"In {self.one('winter', 'summer', 'autumn')} the {kind} is {self.one('strong', 'weak')}."]
        return [lead, *self.some(after, 1, 3)]

    def travel_lead(self):
        name, place = self.person_and(PLACES)
        vehicle = self.one(*VEHICLES)
        return name, place, vehicle, f"{name} {self.one('travels', 'goes', 'wants to go')} to {place} by {vehicle}. {place} is a city in[ {PLACES[place]}]."

    def travel(self):
        name, place, vehicle, lead = self.travel_lead()
        she = NAMES[name]
        after = [f"{she} packs a {self.one('suitcase', 'map', 'ticket', 'passport')} for the journey.",
                 f"The {vehicle} to {place} leaves the {self.one('station', 'harbour', 'airport')} at {self.one(*NUMBERS)}.",
                 f"{she} visits the {self.one('museum', 'bridge', 'castle', 'river')} and stays in a {self.one('hotel', 'hostel')}.",
                 f"The tourists take photos of {place}.",
                 f"At the end {she.lower()} comes home from {place} by[ {vehicle}]."]
        return [lead, *self.some(after, 1, 3)]

    def colours_lead(self):
        name, colour = self.person_and(COLOURS)
        thing = self.one(*THINGS)
        return name, colour, thing, (f"{name} {self.one('paints the', 'buys paint to make the')} {thing} {colour}. "
                                     f"{self.one('Now', 'Soon', 'By evening')} the {thing} is[ {colour}].")

    def colours(self):
        name, colour, thing, lead = self.colours_lead()
        she = NAMES[name]
        if self.rng.random() < 0.4:
            (one, two), result = self.one(*MIXES.items())
            one, two = self.one((one, two), (two, one))
            if not any(person_held_out(name, c) for c in (one, two, result) if c in COLOURS):
                colour = result
                lead = f"{name} mixes {one} paint and {two} paint. The new paint is[ {result}]."
        after = [f"{she} dips the {self.one('brush', 'roller')} in the {colour} paint.",
                 f"The artist draws a {self.one('bright', 'pale', 'deep')} {colour} {self.one('stripe', 'circle', 'line')}.",
                 f"The {self.one('picture', 'canvas', 'curtain')} is painted in {colour}.",
                 f"{she} likes the {self.one('shade', 'colour')} of the {colour} {thing}."]
        return [lead, *self.some(after, 1, 3)]


PET_FAMILIES = ["have", "home", "farm", "market", "feeding", "later"]
TOPICS = ["pets", "food", "weather", "travel", "colours"]
MARK = re.compile(r"\[([^\]]*)\]")


def documents(words=240_000, seed=7):
    """The corpus: [(text, [(begin, end) of each answer in characters])]."""
    writer, found, count = Writer(random.Random(seed)), [], 0
    while count < words:
        marked = " ".join(getattr(writer, writer.rng.choices(TOPICS, [4, 2, 2, 2, 2])[0])())
        text, spans = "", []
        for i, piece in enumerate(MARK.split(marked)):  # odd pieces are answers
            if i % 2:
                spans.append((len(text), len(text) + len(piece)))
            text += piece
        found.append((text, spans))
        count += len(text.split())
    return found


def held_out_prompts(each_pet_family=100, each_topic=60, seed=8):
    """-> prompts of the pets-and-numbers kind, prompts of the other topics."""
    writer = Writer(random.Random(seed), held_out=True)

    def fill(family, count, sentence):
        prompts = {}
        for _ in range(100 * count):
            prompt, answer = MARK.split(sentence())[:2]
            prompts[prompt] = answer
            if len(prompts) == count:
                return [{"prompt": p, "answer": a, "family": family} for p, a in prompts.items()]
        raise AssertionError(f"only {len(prompts)} different prompts of {family}")

    def animals():
        return writer.draw(lambda: tuple(writer.rng.sample(ANIMALS, 2)), animals_held_out)

    pets = [fill(f, each_pet_family, lambda f=f: writer.pet_family(f, *animals())) for f in PET_FAMILIES]
    topics = [fill(t, each_topic, lambda t=t: getattr(writer, t + "_lead")()[-1]) for t in TOPICS[1:]]
    return [p for row in zip(*pets) for p in row], [p for row in zip(*topics) for p in row]  # the first n hold every family


def check(texts, pets, topics):
    """Asserts the promises of the heading."""
    for text in texts:
        words = re.findall(r"\w+", text)
        for a, b in itertools.combinations([a for a in ANIMALS if a in words], 2):
            assert not animals_held_out(a, b), text
        numbers = [int(w) for w in words if w.isdigit()]
        assert not any(numbers_held_out(n, m) for n, m in zip(numbers, numbers[1:])), text
        assert not any(person_held_out(p, k) for p in NAMES if p in words for k in KEYS if k in words), text
    for entry in pets:
        words = re.findall(r"\w+", entry["prompt"])
        assert animals_held_out(*{a for a in ANIMALS if a in words}), entry
        assert numbers_held_out(*(int(w) for w in words if w.isdigit())), entry
        assert words.count(entry["answer"].strip()) == 1, entry
    corpus = "\n".join(texts)
    assert not any(entry["prompt"] in corpus for entry in pets + topics)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--words", type=int, default=240_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    texts = [text for text, _ in documents(options.words, options.seed)]
    pets, topics = held_out_prompts()
    check(texts, pets, topics)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "corpus.txt").write_text("\n".join(texts) + "\n", encoding="utf-8", newline="\n")
    for name, prompts in (("heldout.jsonl", pets), ("heldout_topics.jsonl", topics)):
        (options.out / name).write_text("".join(json.dumps(p) + "\n" for p in prompts), encoding="utf-8", newline="\n")
    print(f"{len(texts)} documents, {sum(len(t.split()) for t in texts)} words, {len(pets)} + {len(topics)} held-out prompts")


if __name__ == "__main__":
    main()
