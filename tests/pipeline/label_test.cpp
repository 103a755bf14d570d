// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Labels from a unit's places, labels brought in, and how well they predict, each counted again.
#include <lrp/pipeline/label_import.hpp>
#include <lrp/pipeline/label_score.hpp>
#include <lrp/pipeline/label_units.hpp>

#include <set>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/golden.hpp"
#include "support/tiny_store.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

using Scores = std::map<std::int32_t, double>;

/// Best first, the lower token first among equals.
std::vector<ScoredToken> ranked(const Scores& scores) {
    std::vector<ScoredToken> all;
    for (const auto& [token, score] : scores) all.push_back({token, score});
    return best_scored(all, 8);
}
std::vector<std::int32_t> window(const test::TinyStore& tiny, const Place& place) {
    const auto& ids = tiny.documents[static_cast<std::size_t>(place.document)].ids;
    return {ids.begin() + std::max(0, place.position - 2), ids.begin() + std::min(static_cast<std::int32_t>(ids.size()), place.position + 2)};
}

}  // namespace

TEST_CASE("tokens and labels of units are those of their lists, by the formulas") {
    const test::TinyStore tiny;
    test::TemporaryFolder folder;
    tiny.write(folder.path());
    NeuronStore store = NeuronStore::open(folder.path());
    UnitLabeller labeller(store);
    labeller.run();
    const auto tokens_of = [&](std::size_t unit, const std::string& kind, const std::string& pole) {
        std::vector<ScoredToken> found;
        for (const StoredUnitToken& t : labeller.unit_tokens)
            if ((t.site == "head") == (unit >= 4) && t.unit == static_cast<std::int64_t>(unit % 4) && t.kind == kind && t.pole == pole) found.push_back({static_cast<std::int32_t>(t.token), t.score});
        return found;
    };
    const auto same = [](const std::vector<ScoredToken>& mine, const std::vector<ScoredToken>& right) {
        REQUIRE(mine.size() == right.size());
        for (std::size_t i = 0; i < mine.size(); ++i) CHECK((mine[i].token == right[i].token && mine[i].score == Approx(right[i].score)));
    };
    for (std::size_t unit = 0; unit < 6; ++unit)
        for (std::size_t pole = 0; pole < 2; ++pole) {
            const std::string name = pole == 0 ? "max" : "min";
            const std::size_t first = unit < 4 ? 0 : 4, units = unit < 4 ? 4 : 2;
            INFO("unit " << unit << ", " << name);
            Scores top, tfidf, next;
            double in_windows = 0;
            const auto order = tiny.ranked(unit, 0, pole);
            for (const std::size_t i : order) {
                top[tiny.places[i].second] += 1.0 / static_cast<double>(order.size());
                for (const std::int32_t token : window(tiny, tiny.places[i].first)) {
                    tfidf[token] += 1;
                    in_windows += 1;
                }
            }
            for (auto& [token, score] : tfidf) {
                double holders = 0;
                for (std::size_t other = first; other < first + units; ++other) {
                    std::set<std::int32_t> seen;
                    for (const std::size_t i : tiny.ranked(other, 0, pole))
                        for (const std::int32_t id : window(tiny, tiny.places[i].first)) seen.insert(id);
                    holders += seen.contains(token) ? 1 : 0;
                }
                score = score / in_windows * std::log((1 + static_cast<double>(units)) / (1 + holders));
            }
            same(tokens_of(unit, "top", name), ranked(top));
            same(tokens_of(unit, "tfidf", name), ranked(tfidf));
            for (const std::size_t i : tiny.ranked(unit, 1, pole)) {
                const auto& [place, token] = tiny.places[i];
                const auto& ids = tiny.documents[static_cast<std::size_t>(place.document)].ids;
                if (place.position + 1 < std::ssize(ids)) next[ids[static_cast<std::size_t>(place.position) + 1]] += 1.0 / 6;
            }
            same(tokens_of(unit, "next", name), ranked(next));

            std::vector<std::int32_t> chosen, behind;
            for (const ScoredToken& t : ranked(top))
                if (t.score >= 0.2 && chosen.size() < 4) chosen.push_back(t.token);
            if (chosen.size() < 2)
                for (const ScoredToken& t : ranked(tfidf))
                    if (chosen.size() < 3 && std::find(chosen.begin(), chosen.end(), t.token) == chosen.end()) chosen.push_back(t.token);
            for (const ScoredToken& t : ranked(next))
                if (t.score >= 0.125 && behind.size() < 4) behind.push_back(t.token);
            const auto text = [](const std::vector<std::int32_t>& list) {
                std::string out;
                for (const std::int32_t token : list) out += (out.empty() ? "" : " ") + std::to_string(token);
                return out;
            };
            const auto label_of = [&](const std::vector<StoredLabel>& labels) {
                for (const StoredLabel& label : labels)
                    if ((label.site == "head") == (unit >= 4) && label.unit == static_cast<std::int64_t>(unit % 4) && label.pole == name) return label.tokens;
                return std::string("none");
            };
            CHECK(label_of(labeller.labels) == text(chosen));
            CHECK(label_of(labeller.next_labels) == text(behind));
        }
}

TEST_CASE("a label takes at most four tokens of a fifth each, and with fewer than two of them the best by tfidf up to three") {
    // Lists with shares 2/6, 2/6, 1/6, 1/6; all of one token; one share above a fifth; three times 2/6.
    struct One : test::TinyStore {
        One() {
            units = sizes.empty();
            const std::array<std::array<Place, 6>, 4> at{{{{{0, 1}, {2, 4}, {0, 2}, {2, 1}, {0, 3}, {1, 1}}}, {{{0, 1}, {2, 4}, {0, 1}, {2, 4}, {0, 1}, {2, 4}}}, {{{0, 2}, {2, 1}, {0, 1}, {0, 3}, {1, 1}, {1, 4}}}, {{{0, 1}, {2, 4}, {0, 2}, {2, 1}, {0, 3}, {1, 2}}}}};
            for (std::size_t n = 0; n < at.size(); ++n)
                for (std::size_t i = 0; i < 6; ++i) (void)units.neuron[0].list(0).offer(static_cast<Index>(n), 10 - static_cast<float>(i), at[n][i]);
        }
    };
    const One tiny;
    test::TemporaryFolder folder;
    tiny.write(folder.path());
    NeuronStore store = NeuronStore::open(folder.path());
    UnitLabeller labeller(store);
    labeller.run();
    REQUIRE(labeller.labels.size() == 4);
    CHECK(labeller.labels[0].tokens == "1 2");
    CHECK(labeller.labels[0].label == "red, dog");
    CHECK((labeller.labels[1].tokens.starts_with("1 ") && std::count(labeller.labels[1].tokens.begin(), labeller.labels[1].tokens.end(), ' ') == 2));
    CHECK((labeller.labels[2].tokens.starts_with("2 ") && std::count(labeller.labels[2].tokens.begin(), labeller.labels[2].tokens.end(), ' ') == 2));
    CHECK(labeller.labels[3].tokens == "1 2 4");
    CHECK(labeller.next_labels.empty());
}

TEST_CASE("a label's score is the correlation of its tokens with the activation, its null that of other labels' tokens") {
    const double none = std::numeric_limits<double>::quiet_NaN();
    // Five labels of pole max, two of pole min, one of a head, which has no other to draw from.
    std::vector<StoredLabel> labels;
    for (const char* tokens : {"1", "2 3", "4", "5 6", "7"}) labels.push_back({"neuron", 0, std::ssize(labels) % 3, "max", "tokens", "", tokens, none, none, none});
    for (const char* tokens : {"1 4", "2"}) labels.push_back({"neuron", 0, std::ssize(labels) % 3, "min", "tokens", "", tokens, none, none, none});
    labels.push_back({"head", 0, 1, "max", "tokens", "", "3", none, none, none});
    const auto asked = labels;
    LabelScorer scorer(labels, 1, 3, 2);
    std::array<std::vector<double>, 5> values;  // of the units that count: three neurons, two heads
    std::vector<std::int32_t> tokens;
    std::mt19937 random(3);
    for (const std::vector<std::int32_t>& ids : {std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 1, 2}, {0, 7, 7, 5, 1, 4, 4, 3, 2, 6, 1}}) {
        std::vector<bool> counts(ids.size(), true);
        counts[0] = false;
        std::vector<float> neurons, heads;
        for (std::size_t t = 0; t < ids.size(); ++t) {
            for (std::size_t n = 0; n < 3; ++n) neurons.push_back(static_cast<float>(random() % 1000) / 500 - 1 + (ids[t] == 5 ? 3.0f : 0.0f) + (t == 0 ? 50.0f : 0.0f));
            for (std::size_t h = 0; h < 2; ++h) heads.push_back(static_cast<float>(random() % 1000) / 500);
            if (t == 0) continue;
            tokens.push_back(ids[t]);
            for (std::size_t n = 0; n < 3; ++n) values[n].push_back(static_cast<double>(neurons[3 * t + n]));
            for (std::size_t h = 0; h < 2; ++h) values[3 + h].push_back(static_cast<double>(heads[2 * t + h]));
        }
        scorer.add(false, 0, ids, counts, neurons);
        scorer.add(true, 0, ids, counts, heads);
        scorer.end_text(counts);
    }
    scorer.finish();
    const auto score = [&](const StoredLabel& label, const std::string& of) {
        std::vector<double> predicted;
        for (const std::int32_t token : tokens) predicted.push_back((" " + of + " ").find(" " + std::to_string(token) + " ") != std::string::npos ? 1 : 0);
        return (label.pole == "min" ? -1 : 1) * test::correlation(predicted, values[static_cast<std::size_t>(label.unit) + (label.site == "head" ? 3 : 0)]);
    };
    for (std::size_t i = 0; i < labels.size(); ++i) {
        INFO("label " << i);
        CHECK(labels[i].score == Approx(score(asked[i], asked[i].tokens)).margin(1e-12));
        double least = 2, most = -2;
        for (std::size_t j = 0; j < asked.size(); ++j)
            if ((j != i || i == 7) && asked[j].pole == asked[i].pole && asked[j].site == asked[i].site) {
                least = std::min(least, score(asked[i], asked[j].tokens));
                most = std::max(most, score(asked[i], asked[j].tokens));
            }
        CHECK(labels[i].null_high == Approx(most).margin(1e-12));  // of four or fewer, each is drawn in more than a twentieth
        CHECK((labels[i].null_mean >= least - 1e-12 && labels[i].null_mean <= most + 1e-12));
        if (i >= 5) CHECK(labels[i].null_mean == Approx(most).margin(1e-12));  // one other alone
    }
    CHECK(labels[3].score > labels[3].null_high);
    CHECK(std::any_of(labels.begin(), labels.end(), [](const StoredLabel& label) { return label.score < 0; }));
}

TEST_CASE("labels brought in: what is left out, heads, and the tokens a label stands on") {
    test::TemporaryFolder folder;
    const UnitSizes sizes{2, 4, 2, {}};
    const std::vector<std::string> tokens{"<s>", " red", "red", " dog", "cat"};
    folder.write("a.csv", "layer,unit,label\n1,3,\"red dog, cat\"\n");
    const auto plain = import_labels((folder.path() / "a.csv").string(), "mine", sizes, tokens);
    REQUIRE(plain.size() == 1);
    CHECK((plain[0].site == "neuron" && plain[0].pole == "max" && plain[0].layer == 1 && plain[0].unit == 3 && plain[0].source == "mine" && plain[0].tokens == "1 2 3 4"));
    CHECK(std::isnan(plain[0].score));
    folder.write("b.jsonl", "{\"layer\": 0, \"unit\": 1, \"label\": \"red\", \"site\": \"head\", \"pole\": \"min\"}\n");
    const auto head = import_labels((folder.path() / "b.jsonl").string(), "mine", sizes, tokens);
    CHECK((head[0].site == "head" && head[0].pole == "min" && head[0].layer == 0 && head[0].unit == 1 && head[0].tokens == "1 2"));
    folder.write("c.csv", "layer,unit,label,site\n0,2,red,head\n");
    CHECK_THROWS_WITH(import_labels((folder.path() / "c.csv").string(), "mine", sizes, tokens), Contains("expected a head from 0 to 1, found 2"));

    const auto imported = [&](const std::string& name, const std::string& text) {
        folder.write(name, text);
        return import_labels((folder.path() / name).string(), "mine", sizes, tokens);
    };
    const std::string bom = "\xEF\xBB\xBF", line = "{\"layer\": 0, \"unit\": 1, \"label\": \"red\"}\n";
    for (const auto& [name, text] : {std::pair{"d.jsonl", bom + line}, {"d.csv", bom + "layer,unit,label\n0,1,red\n"},
                                     {"d.csv", "label,note,unit,layer,note\r\nred,,1,0,x\r\n"}, {"d", line},
                                     {"d", " \n  " + line}, {"d.jsonl", "{\"layer\": \"0\", \"neuron\": 1, \"label\": \"red\", \"pole\": null, \"score\": -0.5, \"by\": null}\n"}}) {
        INFO(name << ": " << text);
        const auto labels = imported(name, text);
        REQUIRE(labels.size() == 1);
        CHECK((labels[0].site == "neuron" && labels[0].pole == "max" && labels[0].layer == 0 && labels[0].unit == 1 && labels[0].label == "red"));
    }
    CHECK(imported("d.csv", "layer,unit,label\nhead:0,1,red\n")[0].site == "head");
}

TEST_CASE("labels that cannot be brought in: the file, the line, what was expected and what was found") {
    test::TemporaryFolder folder;
    const UnitSizes sizes{2, 4, 2, {}};
    struct Case {
        const char *name, *text, *message;
    };
    for (const Case& one : {Case{"a.jsonl", "\n{\"layer\": 3.0, \"unit\": 1, \"label\": \"red\"}\n", "a.jsonl: line 2: layer: expected a whole number from 0, found 3.0"},
                            Case{"a.jsonl", "{\"layer\": -3, \"unit\": 1, \"label\": \"red\"}\n", "line 1: layer: expected a whole number from 0, found -3"},
                            Case{"a.jsonl", "{\"layer\": 1, \"neuron\": [1], \"label\": \"red\"}\n", "line 1: neuron: expected a whole number from 0, found [1]"},
                            Case{"a.jsonl", "{\"layer\": 1, \"unit\": 1, \"label\": null}\n", "line 1: label: expected a string, found null"},
                            Case{"a.jsonl", "{\"layer\": 1, \"unit\": 1, \"label\": \"red\", \"pole\": true}\n", "line 1: pole: expected a string, found true"},
                            Case{"a.jsonl", "{\"layer\": 1, \"unit\": 1}\n", "line 1: label is missing"},
                            Case{"a.jsonl", "{\"layer\": 1, \"unit\": 1, \"label\": \"\"}\n", "line 1: label: expected some words, found ''"},
                            Case{"a.csv", "layer,unit,label\n0,1,red\n0,2, \n", "a.csv: line 3: label: expected some words, found ' '"},
                            Case{"a.csv", "layer;unit;label\r\n0;1;red\r\n", "a.csv: line 1: the column layer is missing; expected a header such as layer,unit,label"},
                            Case{"a.csv", "layer;unit;label\r\n0;1;red\r\n", "found 'layer;unit;label'"},
                            Case{"a.csv", "layer\tunit\tlabel\n0\t1\tred\n", "found 'layer\\tunit\\tlabel'"},
                            Case{"a.csv", "Layer,unit,label\n0,1,red\n",
                                 "line 1: the column layer is missing; expected a header such as layer,unit,label (small letters, commas, no blanks), found 'Layer,unit,label'"},
                            Case{"a.csv", "layer, unit,label\n0,1,red\n", "line 1: the column unit is missing"},
                            Case{"a.csv", "layer,unit\n0,1\n", "line 1: the column label is missing"},
                            Case{"a.csv", "layer,unit,label,label\n0,1,red,dog\n", "a.csv: line 1: the column 'label' occurs twice"},
                            Case{"a.csv", "", "line 1: the column layer is missing"}}) {
        INFO(one.text);
        folder.write(one.name, one.text);
        CHECK_THROWS_WITH(import_labels((folder.path() / one.name).string(), "mine", sizes, {"<s>"}), Contains(one.message));
    }
}
