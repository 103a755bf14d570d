// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Explained generation, steering by label and in a loop, steering reports and the faithfulness of rankings, from outside.
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include <lrp/io/json.hpp>
#include <lrp/io/mapped_file.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/program.hpp"
#include "support/small_store.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

TEST_CASE("generate --explain: the tokens of generate, each with the relevance a trace gives") {
    const auto plain = json_of("generate " + snow + "--max-new-tokens 4 --json"),
               out = json_of("generate " + snow + "--max-new-tokens 4 --explain --units 3 --json");
    for (const char* key : {"new_ids", "ids", "text", "end", "prompt"}) CHECK(out[key] == plain[key]);
    REQUIRE(out["explained"].size() == 4);
    std::string ids;
    for (const int id : out["ids"]) ids += (ids.empty() ? "" : ",") + std::to_string(id);
    for (std::size_t i = 0; i < 4; ++i) {
        const auto& token = out["explained"][i];
        const auto trace = json_of("trace " + mini + " --ids " + ids + " --json -"), units = json_of("neurons " + mini + " --ids " + ids + " --top 3 --json -");
        CHECK((token["id"] == out["new_ids"][i] && token["id"] == trace["target"][0] && token["token"] == out["tokens"][out["ids"].size() + i]));
        CHECK(token["explained"].get<double>() == Approx(trace["explained"].get<double>()).epsilon(1e-5));
        CHECK(token["probability"].get<double>() == Approx(trace["predictions"][0]["probability"].get<double>()).epsilon(1e-4));
        REQUIRE(token["relevance"].size() == trace["embedding"].size());
        for (std::size_t t = 0; t < trace["embedding"].size(); ++t)
            CHECK(token["relevance"][t].get<double>() == Approx(trace["embedding"][t].get<double>()).epsilon(1e-3).margin(1e-4));
        REQUIRE((token["neurons"].size() == 3 && token["heads"].size() == 3));
        CHECK((token["neurons"][0]["layer"] == units["neurons"][0]["layer"] && token["neurons"][0]["index"] == units["neurons"][0]["index"]));
        ids += "," + std::to_string(out["new_ids"][i].get<int>());
    }
    const Result text = lrp_run("generate " + snow + "--explain");
    CHECK_THAT(text.out, Contains("' The'") && Contains("through") && Contains("' snow'"));
    const auto other = json_of("generate " + snow + "--max-new-tokens 2 --explain --target ' looks' --json");
    CHECK((other["new_ids"][0] == plain["new_ids"][0] && other["explained"][0]["target_token"] == " looks" &&
           other["explained"][0]["target"] != other["explained"][0]["id"]));
    CHECK_THAT(lrp_run("generate " + snow + "--units 3").err, Contains("--units: nothing is explained without --explain"));
    CHECK(lrp_run("generate " + snow + "--target 3").code == 2);
}

TEST_CASE("steer --adjust: the next token is steered by what the last one came through") {
    const auto out = json_of("steer " + cats + "--adjust 10=0 --max-new-tokens 5 --json"), plain = json_of("generate " + cats + "--max-new-tokens 5 --json");
    CHECK(out["before"]["new_ids"] == plain["new_ids"]);
    CHECK(out["after"]["new_ids"][0] == plain["new_ids"][0]);
    CHECK(out["after"]["logits"] == out["before"]["logits"]);
    REQUIRE(out["explained"].size() >= 2);
    CHECK(out["explained"][0]["neurons"].size() == 20);
    CHECK((out["changed"].get<int>() > 0 && out["changed"] <= out["asked"]));
    // The second token, by hand: the first one's ten most relevant neurons zeroed everywhere.
    std::string zero, ids;
    std::set<std::pair<int, int>> seen;
    for (const auto& unit : out["explained"][0]["neurons"]) {
        const std::pair<int, int> name{unit["layer"].get<int>(), unit["index"].get<int>()};
        if (seen.size() < 10 && seen.insert(name).second) zero += " --zero " + std::to_string(name.first) + "/" + std::to_string(name.second);
    }
    for (const int id : out["ids"]) ids += std::to_string(id) + ",";
    const auto hand = json_of("steer " + mini + " --ids " + ids + std::to_string(plain["new_ids"][0].get<int>()) + zero + " --max-new-tokens 1 --json");
    CHECK(out["after"]["new_ids"][1] == hand["after"]["new_ids"][0]);
    CHECK(out["after"]["token_logits"][1].get<double>() == Approx(hand["after"]["token_logits"][0].get<double>()).epsilon(1e-4));
    CHECK_THAT(lrp_run("steer " + cats + "--adjust 5=1.5 --target ' cats' --max-new-tokens 3").out,
               Contains("for ' cats' through") && Contains("Changed ") && Contains("neurons "));
    CHECK(lrp_run("steer " + cats + "--adjust 5").code == 2);
}

TEST_CASE("steer --label, neurons --store: units by what a store says of them") {
    TemporaryFolder folder;
    const std::string store = small_store(folder);
    const auto by_label = json_of("steer " + snow + "--store " + store + " --label 'fruit*0' --json");
    CHECK((by_label["asked"] == 2 && by_label["after"] == json_of("steer " + snow + "--zero 3/118 --head 1/3=0 --json")["after"]));
    CHECK(json_of("steer " + snow + "--store " + store + " --label 'fruit**2' --json")["after"] ==
          json_of("steer " + snow + "--scale 3/118=2 --scale 2/40=2 --head 1/3=2 --json")["after"]);
    CHECK(json_of("steer " + snow + "--store " + store + " --label 'FRUIT salad*0' --label 'snow*0.5' --json")["asked"] == 2);

    folder.write("other.csv", "layer,unit,label\n5,7,ripe fruit\n");
    REQUIRE(lrp_run("label " + store + " --import " + (folder.path() / "other.csv").string() + " --source other").code == 0);
    CHECK(json_of("steer " + snow + "--store " + store + " --label 'ripe*0' --json")["asked"] == 2);
    CHECK(json_of("steer " + snow + "--store " + store + " --label 'ripe*0' --label-source other --json")["after"] == json_of("steer " + snow + "--zero 5/7 --json")["after"]);
    const auto units = json_of("neurons " + cats + "--store " + store + " --top 5000 --json -");
    std::set<std::string> signs;
    for (const auto& unit : units["neurons"])
        if (unit["layer"] == 3 && unit["index"] == 118) {
            signs.insert(unit["sign"]);
            CHECK(unit["labels"] == nlohmann::json::array({unit["sign"] == "-" ? "fruit again" : "ripe fruit"}));
        }
    CHECK(signs.size() == 2);  // both poles, each with its own label
    CHECK_THAT(lrp_run("neurons " + cats + "--store " + store + " --top 48 --per layer").out, Contains("fruit salad") && Contains("labels (; between them)"));
    CHECK_THAT(lrp_run("neurons " + cats + "--store " + store + " --top 1").err, Contains("has no label of these units; `lrp label "));

    struct Case {
        std::string arguments;
        int code;
        std::string message;
    };
    const std::vector<Case> cases{
        {"steer " + snow + "--label 'fruit*2'", 2, "--label: give the store that has the labels, with --store"},
        {"steer " + snow + "--store " + store + " --zero 1/1", 2, "--store: nothing is asked of it"},
        {"steer " + snow + "--store " + store + " --label fruit", 2, "--label: expected NAME*FACTOR such as fruit*2, found 'fruit'"},
        {"steer " + snow + "--store " + store + " --label '*2'", 2, "found '*2'"},
        {"steer " + snow + "--store " + store + " --label 'vegetable*2'", 1, "no label matches 'vegetable'"},
        {"steer " + snow + "--store " + store + " --label '\"fruit*2'", 2, "--label '\"fruit': not a search"},
        {"steer " + snow + "--store /nonexistent --label 'fruit*2'", 1, "/nonexistent: there is no such store"},
        {"neurons " + cats + "--store /nonexistent", 1, "/nonexistent: there is no such store"},
    };
    for (const Case& one : cases) {
        INFO("lrp " << one.arguments);
        const Result result = lrp_run(one.arguments);
        CHECK(result.code == one.code);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK(result.out.empty());
    }
    // The same architecture with other weights is another model.
    std::filesystem::create_directory(folder.path() / "changed");
    for (const char* name : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"})
        std::filesystem::copy(mini + "/" + name, folder.path() / "changed" / name);
    std::string bytes = read_text_file(mini + "/model.safetensors");
    bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 1);
    folder.write("changed/model.safetensors", bytes);
    for (const char* command : {"steer ", "neurons "}) {
        const Result refused = lrp_run(command + (folder.path() / "changed").string() + " 'The soup' --store " + store +
                                       (std::string(command) == "steer " ? " --label 'fruit*2'" : ""));
        CHECK(refused.code == 1);
        CHECK_THAT(refused.err, Contains("this store was made from the model 'mini'"));
    }
}

TEST_CASE("steer --report: table, JSON, pictures") {
    TemporaryFolder folder;
    folder.write("prompts.txt", "Emma takes the\nOn Friday\nBen\n");
    folder.write("neutral.txt", "We have 3 cats and 5 dogs.\n");
    const auto path = [&](const char* name) { return (folder.path() / name).string(); };
    const std::string base = "steer " + mini + " --report --file " + path("prompts.txt") +
                             " --multipliers 0,1,2 --random-sets 2 --max-new-tokens 6 --zero 1/3 --scale 4/100=7 --head 0/1=1 ";
    const auto out = json_of(base + "--target-words Umbrella,spoon --neutral " + path("neutral.txt") + " --json");
    CHECK((out["format"] == "lrpxx-steering-report" && out["prompts"].size() == 3 && out["random"].size() == 2));
    CHECK((out["chosen"]["units"].size() == 3 && out["chosen"]["points"].size() == 3 && out["examples"].size() == 3));
    const auto plain = json_of("generate " + mini + " 'Emma takes the' --max-new-tokens 6 --json");
    CHECK(out["examples"][1]["text"] == plain["text"]);
    double hits = 0;
    for (const char* prompt : {"Emma takes the", "On Friday", "Ben"}) {
        const std::string text = json_of("generate " + mini + " '" + prompt + "' --max-new-tokens 6 --json")["text"];
        hits += text.find("umbrella") != std::string::npos || text.find("spoon") != std::string::npos ? 1 : 0;
    }
    CHECK(out["chosen"]["points"][1]["rate"].get<double>() == Approx(hits / 3));
    CHECK(out["chosen"]["points"][1]["off_target"].get<double>() == Approx(0).margin(1e-6));
    CHECK(out["chosen"]["points"][0]["off_target"].get<double>() > 1e-6);
    const auto first = json_of(base + "--target-tokens ' train, bread' --json");
    CHECK(first["chosen"]["points"][1]["off_target"].is_null());

    const Result text = lrp_run(base + "--target-words spoon --html " + path("r.html") + " --svg " + path("r.svg") + " --title Spoons");
    CHECK(text.code == 0);
    CHECK_THAT(text.out, Contains("Spoons") && Contains("multiplier") && Contains("Slope of the rate") && Contains("3 prompts, 1 continuation each"));
    CHECK_THAT(read_text_file(path("r.html")), Contains("<svg") && Contains("Spoons"));
    CHECK(read_text_file(path("r.svg")).starts_with("<svg"));
    const std::string picture = lrp_run(base + "--target-words spoon --title Spoons --svg -").out;
    CHECK((picture.starts_with("<svg") && picture.ends_with("</svg>\n") && picture == read_text_file(path("r.svg"))));
    // Units by relevance: those that the prompts of another file come through.
    const auto relevant = json_of("steer " + mini + " --report --ids 0,265 --top-relevant 4 --relevance-file " + path("prompts.txt") +
                                  " --target-words spoon --multipliers 0 --random-sets 0 --max-new-tokens 3 --json");
    CHECK(relevant["chosen"]["units"].size() == 4);

    struct Case {
        std::string arguments;
        std::string message;
    };
    const std::vector<Case> cases{
        {base, "--report: say what is on target"},
        {base + "--target-words a --svg - --html -", "only one result can go to standard output ('-'), found --svg and --html"},
        {base + "--target-words a --svg x --json x", "--svg: --json writes to 'x' already"},
        {base + "--target-words a --target-tokens 3", "--report: say what is on target"},
        {base + "--target-words ,", "--target-words: expected words such as soup,bread, found ','"},
        {base + "--target-words a --positions 3", "--positions: a report has prompts of many lengths"},
        {base + "--target-words a --adjust 3=1", "--adjust: a report holds its units fixed"},
        {base + "--target-words a --samples 3", "all the same without a temperature"},
        {"steer " + mini + " --report --file " + path("prompts.txt") + " --zero 1/3 --target-words a --multipliers 0,x",
         "--multipliers: expected numbers such as 0,0.5,1,2, found '0,x'"},
        {"steer " + snow + "--zero 1/3 --svg x.svg", "--svg: belongs to a report; give --report"},
        {"steer " + snow + "--zero 1/3 --report --file " + path("prompts.txt") + " --target-words a", "give one of a prompt, --ids and --file, not several"},
        {"steer " + mini + " --zero 1/3 --report --target-words a", "give a prompt, token ids with --ids, or a file of prompts with --file"},
        {"steer " + mini + " --report --file " + path("prompts.txt") + " --target-words a", "steer: nothing is to be changed"},
    };
    for (const Case& one : cases) {
        INFO("lrp " << one.arguments);
        const Result result = lrp_run(one.arguments);
        CHECK(result.code == 2);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK(result.out.empty());
    }
}

TEST_CASE("steer --report: what was not measured is null") {
    const std::string command = "steer " + mini + " --report --file " LRP_SOURCE_ROOT "/docs/figures/steering/food.txt --scale 2/40=0 --target-words spoon --max-new-tokens 2 --threads 1 --random-sets 0 ";
    const auto one = json_of(command + "--multipliers 0 --json -"), two = json_of(command + "--multipliers 0,1 --json -");
    CHECK((one["chosen"]["slope"].is_null() && one["chosen"]["against"].is_null() && one["slope_interval"].is_null()));
    CHECK((two["chosen"]["slope"].is_number() && two["slope_interval"].size() == 2 && two["random_slope"].is_null() && two["random_slope_interval"].is_null()));
    CHECK_THAT(lrp_run(command + "--multipliers 0,1").out, Contains("Slope of the rate") && !Contains("random +"));
    CHECK_THAT(lrp_run(command + "--multipliers 0").out, !Contains("Slope of the rate"));
    CHECK_THAT(lrp_run(command + "--multipliers 1").err, Contains("or no multiplier is other than 1"));
}

TEST_CASE("faithfulness: numbers of units that steer confirms") {
    const auto out = json_of("faithfulness " + cats + "--random-orders 2 --json");
    REQUIRE((out["prompts"].size() == 1 && out["all_units"] == 2304 && out["summary"].size() == 16));
    const auto& one = out["prompts"][0];
    REQUIRE(one["curves"].size() == 5);
    const auto& curve = one["curves"][0];
    const int needed = curve["needed"][0];
    CHECK((needed > 0 && needed < 1000 && out["summary"][0]["median"] == needed));
    // Zero those neurons with steer: by relevance summed with its sign, from the trace.
    const auto trace = json_of("trace " + cats + "--json - --sites embedding,residual,neuron");
    std::vector<std::pair<double, std::string>> ranked;
    for (std::size_t l = 0; l < 6; ++l)
        for (std::size_t n = 0; n < 384; ++n) {
            double sum = 0;
            for (const auto& token : trace["neuron"][l]) sum += token[n].get<double>();
            ranked.emplace_back(-sum, std::to_string(l) + "/" + std::to_string(n));
        }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    TemporaryFolder folder;
    const auto probability = [&](int count) {
        std::string edits;
        for (int i = 0; i < count; ++i) edits += "zero " + ranked[static_cast<std::size_t>(i)].second + "\n";
        folder.write("edits.txt", edits);
        const auto logits = json_of("steer " + cats + "--edits " + (folder.path() / "edits.txt").string() + " --max-new-tokens 1 --json")["after"]["logits"];
        double total = 0;
        for (const double logit : logits) total += std::exp(logit - logits[one["target"].get<std::size_t>()].get<double>());
        return 1 / total;
    };
    const double whole = one["probability"];
    CHECK(probability(needed) <= 0.501 * whole);
    CHECK(probability(needed - 1) > 0.499 * whole);

    const Result text = lrp_run("faithfulness " + mini + " --file " LRP_SOURCE_ROOT "/examples/models/heldout.jsonl --min-probability 1");
    CHECK(text.code == 1);
    CHECK_THAT(text.err, Contains("of 600 prompts none has a next token of probability 1 or more"));
    CHECK_THAT(lrp_run("faithfulness " + snow + "--units heads --measure logit --random-orders 0 --min-probability 0").out,
               Contains("48 heads") && Contains("most relevant first") && !Contains("random"));
    CHECK(lrp_run("faithfulness " + mini).code == 2);
    CHECK(lrp_run("faithfulness " + snow + "--contrast 3").code == 2);
    CHECK(lrp_run("faithfulness " + snow + "--file x").code == 2);
}

TEST_CASE("faithfulness: the summary is that of the runs, prompts that are left out are counted, and the table says the same") {
    TemporaryFolder folder;
    folder.write("prompts.txt", "Ben\nThe soup is hot\nI have 5 cats and 3 dogs. My cats love to play with my\nEmma takes the\nOn Sunday there is a lot of snow.\nOn Friday\n");
    const std::string command = "faithfulness " + mini + " --file " + (folder.path() / "prompts.txt").string() + " --units heads --random-orders 2 ";
    bool never = false;
    for (const std::string measure : {"probability", "logit"}) {
        const auto out = json_of(command + "--measure " + measure + " --json");
        CHECK((out["measure"] == measure && out["all_units"] == 48 && out["drops"] == nlohmann::json({0.5, 0.85, 0.9, 0.95}) && out["skipped"] == 2));
        const std::vector<std::string> kept{"The soup is hot", "I have 5 cats and 3 dogs. My cats love to play with my", "On Sunday there is a lot of snow.", "On Friday"};
        REQUIRE(out["prompts"].size() == kept.size());
        std::map<std::pair<std::string, std::size_t>, std::vector<double>> needed;  // none: infinite
        for (std::size_t i = 0; i < kept.size(); ++i) {
            const auto& run = out["prompts"][i];
            CHECK((run["prompt"] == kept[i] && run["probability"] >= 0.5));
            for (const auto& curve : run["curves"])
                for (std::size_t d = 0; d < 4; ++d) {
                    const auto& count = curve["needed"][d];
                    needed[{curve["order"], d}].push_back(count.is_null() ? INFINITY : count.get<double>());
                    if (count.is_null()) continue;
                    const auto at = std::find(curve["counts"].begin(), curve["counts"].end(), count) - curve["counts"].begin();
                    const double limit = (1 - out["drops"][d].get<double>()) * run[measure].get<double>();
                    CHECK(curve[measure][static_cast<std::size_t>(at)] <= limit * (1 + 1e-6));
                    if (at > 0) CHECK(curve[measure][static_cast<std::size_t>(at - 1)] > limit * (1 - 1e-6));
                }
        }
        const std::string text = lrp_run(command + "--measure " + measure).out;
        CHECK_THAT(text, Contains("4 prompts whose token has a probability of 0.5 or more (2 left out); 48 heads"));
        for (const auto& line : out["summary"]) {
            const auto d = static_cast<std::size_t>(std::find(out["drops"].begin(), out["drops"].end(), line["drop"]) - out["drops"].begin());
            auto all = needed.at({line["order"], d});
            std::sort(all.begin(), all.end());
            const double median = all[all.size() / 2];  // of an even number the larger
            const auto none = std::count(all.begin(), all.end(), INFINITY);
            CHECK((line["of"] == all.size() && line["reached"] == static_cast<long>(all.size()) - none));
            INFO(line.dump());
            CHECK(line["median"] == (std::isinf(median) ? nlohmann::json() : nlohmann::json(static_cast<int>(median))));
            if (none > 0) CHECK_THAT(text, Contains("* in some runs it does not drop so far"));
            never = never || none > 0;
            if (std::isinf(median)) continue;
            std::array<char, 32> cell{};
            std::snprintf(cell.data(), cell.size(), "%d (%.3g %%)%s", static_cast<int>(median), 100 * median / 48, none > 0 ? "*" : "");
            CHECK_THAT(text, Contains(cell.data()));
        }
    }
    CHECK(never);
}

TEST_CASE("steer --report: the numbers of the JSON follow from its hits, and the pages say the same") {
    TemporaryFolder folder;
    folder.write("prompts.txt", "Emma takes the\nOn Friday\nBen\nThe soup is\nBen takes the\n");
    folder.write("neutral.txt", "We have 3 cats and 5 dogs.\n");
    const std::string html = (folder.path() / "r.html").string();
    const std::string base = "steer " + mini + " --report --file " + (folder.path() / "prompts.txt").string() + " --multipliers 0,1,3 --random-sets 2 --max-new-tokens 8 --top-relevant 12 ";
    const auto out = json_of(base + "--target-words PERU,Bread,sun --neutral " + (folder.path() / "neutral.txt").string() + " --html " + html + " --json");
    const std::vector<double> x{0, 1, 3};
    const auto rate = [](const nlohmann::json& curve, std::size_t m) {
        double sum = 0;
        for (const double hit : curve["points"][m]["hits"]) sum += hit / 5;
        return sum;
    };
    const auto slope = [&](const std::vector<double>& y) {
        double mx = 0, my = 0, above = 0, below = 0;
        for (std::size_t i = 0; i < 3; ++i) mx += x[i] / 3, my += y[i] / 3;
        for (std::size_t i = 0; i < 3; ++i) above += (x[i] - mx) * (y[i] - my), below += (x[i] - mx) * (x[i] - mx);
        return above / below;
    };
    const auto contains = [](const nlohmann::json& interval, double value) { return interval[0].get<double>() <= value + 1e-9 && value <= interval[1].get<double>() + 1e-9; };
    std::vector<const nlohmann::json*> curves{&out["chosen"], &out["random"][0], &out["random"][1]};
    for (const auto* curve : curves) {
        std::vector<double> rates;
        double against = 0;
        for (std::size_t m = 0; m < 3; ++m) {
            const auto& point = (*curve)["points"][m];
            rates.push_back(rate(*curve, m));
            CHECK((point["multiplier"] == x[m] && point["rate"].get<double>() == Approx(rates.back())));
            CHECK((point["rate_low"].get<double>() <= rates.back() && point["rate_high"].get<double>() >= rates.back() && point["rate_high"].get<double>() - point["rate_low"].get<double>() > 0.3));
            CHECK(point["perplexity"].get<double>() > 1);
        }
        for (std::size_t p = 0; p < 5; ++p) {
            std::vector<double> own;
            for (const auto& point : (*curve)["points"]) own.push_back(point["hits"][p]);
            against += slope(own) < 0 ? 0.2 : 0;
        }
        CHECK((*curve)["slope"].get<double>() == Approx(slope(rates)).margin(1e-9));
        CHECK((*curve)["against"].get<double>() == Approx(against).margin(1e-9));
    }
    const double random_slope = (out["random"][0]["slope"].get<double>() + out["random"][1]["slope"].get<double>()) / 2;
    CHECK(out["random_slope"].get<double>() == Approx(random_slope).margin(1e-9));
    CHECK((contains(out["random_slope_interval"], random_slope) && contains(out["slope_interval"], out["chosen"]["slope"])));
    CHECK(out["random_slope_interval"] != out["slope_interval"]);
    for (std::size_t m = 0; m < 3; ++m) {
        const double difference = rate(out["chosen"], m) - (rate(out["random"][0], m) + rate(out["random"][1], m)) / 2;
        CHECK(out["difference"][m].get<double>() == Approx(difference).margin(1e-9));
        CHECK(contains(out["difference_interval"][m], difference));
        CHECK(out["examples"][m]["multiplier"] == x[m]);
    }
    CHECK(out["chosen"]["slope"] != 0);
    for (std::size_t p = 0; p < 5; ++p) CHECK(out["chosen"]["points"][1]["hits"][p] == (p == 1 || p == 2 || p == 3 ? 1 : 0));  // sun, bread, Peru, in any letter case
    // The page's words are these numbers.
    const auto three = [](double value) {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.3g", value);
        return std::string(text.data());
    };
    const auto interval = [&](const nlohmann::json& i) { return "[" + three(i[0]) + ", " + three(i[1]) + "]"; };
    CHECK_THAT(read_text_file(html), Contains("Slope of the rate: " + three(out["chosen"]["slope"]) + " " + interval(out["slope_interval"]) + "; of random units " + three(random_slope) + " " +
                                              interval(out["random_slope_interval"]) + ". Prompts that move the other way: " + three(100 * out["chosen"]["against"].get<double>()) + " %"));
    CHECK_THAT(read_text_file(html), Contains("<td>" + interval({out["chosen"]["points"][0]["rate_low"], out["chosen"]["points"][0]["rate_high"]}) + "</td>"));
    // A token on target is the first of a continuation.
    const auto first = json_of(base + "--target-tokens 280,260 --json");
    for (const char* prompt : {"Emma takes the", "On Friday", "Ben", "The soup is", "Ben takes the"}) {
        const auto plain = json_of("generate " + mini + " '" + prompt + "' --max-new-tokens 8 --json");
        const auto p = static_cast<std::size_t>(std::find_if(first["prompts"].begin(), first["prompts"].end(), [&](const auto& one) { return one["text"] == prompt; }) - first["prompts"].begin());
        const int id = plain["new_ids"][0];
        CHECK(first["chosen"]["points"][1]["hits"][p].get<double>() == (id == 280 || id == 260 ? 1 : 0));
    }
    CHECK(rate(first["chosen"], 1) == Approx(0.4));
    std::array<char, 64> words{};
    std::snprintf(words.data(), words.size(), "Prompts that move the other way: %.0f %%.", 100 * out["chosen"]["against"].get<double>());
    CHECK(out["chosen"]["against"] != 0);
    CHECK_THAT(lrp_run(base + "--target-words PERU,Bread,sun").out, Contains(words.data()));
    // What changes elsewhere is looked for in the neutral texts: others, another number.
    folder.write("other.txt", "Ben goes home.\n");
    const auto elsewhere = json_of(base + "--target-words bread --neutral " + (folder.path() / "other.txt").string() + " --json");
    CHECK(elsewhere["chosen"]["points"][0]["off_target"] != out["chosen"]["points"][0]["off_target"]);
    // In mode new-tokens a prompt stays as the unchanged model read it: another continuation than with all of it changed.
    const auto fresh = json_of(base + "--target-words bread --mode new-tokens --json");
    CHECK((fresh["mode"] == "new-tokens" && fresh["chosen"]["points"][2]["perplexity"] != out["chosen"]["points"][2]["perplexity"]));
}

TEST_CASE("steer --report: the units are those of the largest mean relevance, less that over other prompts") {
    TemporaryFolder folder;
    folder.write("some.txt", "Emma takes the\nOn Friday\nThe soup is\n");
    folder.write("others.txt", "Ben\nWe have 3 cats\n");
    folder.write("one.txt", "Ben\n");
    const auto path = [&](const char* name) { return (folder.path() / name).string(); };
    const auto mean = [&](const std::vector<std::string>& prompts) {
        std::vector<double> sums(6 * 384);
        for (const std::string& prompt : prompts) {
            const auto neuron = json_of("trace " + mini + " '" + prompt + "' --json - --sites neuron")["neuron"];
            for (std::size_t l = 0; l < 6; ++l)
                for (const auto& token : neuron[l])
                    for (std::size_t n = 0; n < 384; ++n) sums[l * 384 + n] += token[n].get<double>() / static_cast<double>(prompts.size());
        }
        return sums;
    };
    const std::vector<double> some = mean({"Emma takes the", "On Friday", "The soup is"}), others = mean({"Ben", "We have 3 cats"});
    for (const bool against : {false, true}) {
        std::vector<std::pair<double, std::size_t>> order;
        for (std::size_t i = 0; i < some.size(); ++i) order.emplace_back(-(some[i] - (against ? others[i] : 0)), i);
        std::sort(order.begin(), order.end());
        const auto out = json_of("steer " + mini + " --report --file " + path("one.txt") + " --relevance-file " + path("some.txt") + (against ? " --against-file " + path("others.txt") : "") +
                                 " --top-relevant 8 --target-words bread --multipliers 0,1 --random-sets 0 --max-new-tokens 2 --json");
        REQUIRE(out["chosen"]["units"].size() == 8);
        for (std::size_t i = 0; i < 8; ++i)
            CHECK(out["chosen"]["units"][i] == nlohmann::json({{"site", "neuron"}, {"layer", order[i].second / 384}, {"index", order[i].second % 384}}));
    }
    // A unit named twice is one.
    const auto twice = json_of("steer " + mini + " --report --file " + path("one.txt") + " --zero 1/3 --scale 1/3=2 --zero 2/5 --target-words bread --multipliers 0 --random-sets 1 --max-new-tokens 2 --json");
    CHECK((twice["chosen"]["units"].size() == 2 && twice["random"][0]["units"].size() == 2));
}
