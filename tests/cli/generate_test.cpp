// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The commands that generate, steer and rank units, from outside.
#include <array>

#include <lrp/io/json.hpp>
#include <lrp/io/safetensors.hpp>
#include <lrp/io/safetensors_write.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/golden.hpp"
#include "support/program.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

TEST_CASE("generate: transformers' greedy continuations, on every backend") {
    const auto entries = nlohmann::json::parse(read_text_file(golden_folder() / "generation.json"));
    std::size_t seen = 0;
    for (const auto& entry : entries) {
        if (entry["model"] != "mini") continue;
        std::string ids;
        for (const int id : entry["ids"]) ids += (ids.empty() ? "" : ",") + std::to_string(id);
        for (const char* backend : {"eigen", "reference", "reference64"}) {
            const auto out = json_of("generate " + mini + " --ids " + ids + " --max-new-tokens 24 --json --backend " + backend +
                                     (entry["ignore_eos"].get<bool>() ? " --ignore-eos" : ""));
            CHECK(out["new_ids"] == entry["new_ids"]);
            CHECK(out["ids"] == entry["ids"]);
        }
        ++seen;
    }
    CHECK(seen == 8);
}

TEST_CASE("generate: text as it comes, ends, stop strings, ids without a tokenizer") {
    const Result text = lrp_run("generate " + snow);
    CHECK((text.code == 0 && text.err.empty()));
    CHECK(text.out == " The street looks white. Emma goes out in the snow and takes the gloves.\n");
    const auto json = json_of("generate " + snow + "--json");
    CHECK(json["text"].get<std::string>() + "\n" == text.out);
    CHECK((json["end"] == "stop_id" && json["new_ids"].back() == 1 && json["token_logits"].size() == json["new_ids"].size()));
    CHECK(json_of("generate " + snow + "--json --max-new-tokens 3")["end"] == "length");
    const auto on = json_of("generate " + snow + "--json --ignore-eos --max-new-tokens 24");
    CHECK((on["new_ids"].size() == 24 && on["end"] == "length"));

    CHECK(lrp_run("generate " + snow + "--stop white").out == " The street looks \n");
    // A string that ends within one of several tokens, and one that a stop string only begins like.
    CHECK(lrp_run("generate " + snow + "--stop 'hite. Em' --stop nothing").out == " The street looks w\n");
    CHECK(lrp_run("generate " + snow + "--stop 'gloves!'").out == text.out);
    const auto stopped = json_of("generate " + snow + "--json --stop ' Emma'");
    CHECK((stopped["end"] == "stop_string" && stopped["text"] == " The street looks white." && stopped["new_ids"].size() == 6));

    TemporaryFolder folder;
    const std::string file = (folder.path() / "out.json").string();
    CHECK(lrp_run("generate " + snow + "--json " + file).out == text.out);
    const Result unwritable = lrp_run("generate " + snow + "--json /nonexistent/x.json");
    CHECK((unwritable.code == 1 && unwritable.out == text.out));
    CHECK_THAT(unwritable.err, Contains("/nonexistent/x.json: cannot be written"));
    CHECK(nlohmann::json::parse(read_text_file(file)) == json);
    const std::string plain = (golden_folder() / "models/plain").string();
    CHECK(lrp_run("generate " + plain + " --ids 0,5,9 --max-new-tokens 5").out == "48,45,52,45,13\n");
    CHECK(json_of("generate " + plain + " --ids 0,5,9 --max-new-tokens 5 --json")["text"].is_null());

    const auto drawn = [](const std::string& options) { return lrp_run("generate " + mini + " 'Ben paints the chair' --temperature 1.5 " + options).out; };
    CHECK(drawn("--seed 1") == drawn("--seed 1"));
    CHECK(drawn("--seed 1") != drawn("--seed 2"));
    CHECK(drawn("--seed 1 --top-k 1") == lrp_run("generate " + mini + " 'Ben paints the chair'").out);
    CHECK(drawn("--seed 2 --top-p 0.0001") == drawn("--seed 3 --top-k 1"));
}

TEST_CASE("generate ends where the files say, the tokenizer's word last") {
    TemporaryFolder folder;
    for (const char* name : {"model.safetensors", "tokenizer.json", "tokenizer_config.json"}) std::filesystem::copy(mini + "/" + name, folder.path() / name);
    auto config = nlohmann::json::parse(read_text_file(mini + "/config.json"));
    const auto run = [&] { return json_of("generate " + folder.path().string() + " 'On Sunday there is a lot of snow.' --max-new-tokens 24 --json"); };
    config["eos_token_id"] = 15;  // the full stop
    folder.write("config.json", config.dump());
    CHECK(run()["new_ids"].size() == 5);
    folder.write("generation_config.json", R"({"eos_token_id": [442, 1]})");
    CHECK(run()["new_ids"].size() == 2);
    std::filesystem::remove(folder.path() / "generation_config.json");
    config["eos_token_id"] = nullptr;
    folder.write("config.json", config.dump());
    CHECK((run()["end"] == "stop_id" && run()["new_ids"].back() == 1));  // tokenizer_config.json
    std::filesystem::remove(folder.path() / "tokenizer_config.json");
    CHECK(run()["end"] == "length");
}

TEST_CASE("steer: units, heads, directions, files, modes; what was changed is told") {
    const std::string plan = "--set 3/118=4.0 --scale 2/40=0 --head 1/3=0 ";
    const auto all = json_of("steer " + snow + plan + "--json"), fresh = json_of("steer " + snow + plan + "--mode new-tokens --json");
    const auto plain = json_of("generate " + snow + "--json");
    CHECK((all["changed"] == 3 && all["asked"] == 3 && all["mode"] == "all-positions" && fresh["mode"] == "new-tokens"));
    for (const auto& out : {all, fresh}) {
        CHECK((out["before"]["new_ids"] == plain["new_ids"] && out["before"]["text"] == plain["text"]));
        CHECK((out["before"]["logits"].size() == 640 && out["before"]["predictions"][0]["token"] == " The"));
        CHECK(out["after"]["logits"] != out["before"]["logits"]);
    }
    CHECK(all["after"]["logits"] != fresh["after"]["logits"]);
    const Result text = lrp_run("steer " + snow + plan);
    CHECK_THAT(text.out, Contains("Changed 3 of 3 units (all-positions)") && Contains("Before: The street") && Contains("After: ") && Contains("' The' 14.09"));

    TemporaryFolder folder;
    const std::string steered = (folder.path() / "out.json").string();
    CHECK(lrp_run("steer " + snow + plan + "--json " + steered).out == text.out);
    CHECK(nlohmann::json::parse(read_text_file(steered)) == all);
    folder.write("edits.txt", "# the same\nset 3/118=4.0\n\nscale 2/40=0\nhead 1/3=0\n");
    CHECK(json_of("steer " + snow + "--edits " + (folder.path() / "edits.txt").string() + " --json") == all);
    CHECK(json_of("steer " + snow + "--set 3/118=4 --zero 2/40 --scale head:1/3=0 --json") == all);
    // Edits of one unit take place as they come, of whatever kind they are.
    folder.write("last.txt", "set 3/118=5\n");
    const auto after = [&](const std::string& edits) { return json_of("steer " + snow + edits + " --json")["after"]; };
    const auto five = after("--set 3/118=5");
    for (const std::string& edits : std::vector<std::string>{"--scale 3/118=0 --set 3/118=5", "--zero 3/118 --add 3/118=5", "--set 3/118=2 --set 3/118=5", "--set 3/118=1 --edits " + (folder.path() / "last.txt").string(),
                                                              "--add 3/118=1 --zero 3/118 --set 3/118=2.5 --scale 3/118=2"})
        CHECK(after(edits) == five);
    CHECK(after("--set 3/118=5 --zero 3/118") != five);
    const auto positions = json_of("steer " + snow + plan + "--positions 9-40 --json");
    CHECK(positions["after"] == fresh["after"]);  // from the prompt's last position on
    const auto up_to = [&](const std::string& named) { return json_of("steer " + snow + plan + "--positions " + named + " --json")["after"]; };
    CHECK((up_to("0-4") == up_to("0-3,4") && up_to("0-4") != up_to("0-3")));

    std::vector<float> values(128);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5f * (static_cast<float>(i % 7) - 3);
    DataFile file;
    file.arrays.push_back({"layers.4.resid_post", {128}, values});
    folder.write("direction.safetensors", to_safetensors(file));
    folder.write("direction.json", nlohmann::json({{"layers.4.resid_post", values}}).dump());
    const std::string tensors = (folder.path() / "direction.safetensors").string(), list = (folder.path() / "direction.json").string();
    const auto direction = json_of("steer " + snow + "--add-direction " + tensors + "*3 --json");
    CHECK(direction == json_of("steer " + snow + "--add-direction " + list + "*2 --add-direction " + list + " --json"));
    CHECK((direction["changed"] == 1 && direction["after"]["logits"] != direction["before"]["logits"]));

    const auto relevant = json_of("steer " + cats + "--top-relevant 5=0 --json"), units = json_of("neurons " + cats + "--top 5 --json -");
    std::string edits;
    for (const auto& unit : units["neurons"]) edits += " --zero " + std::to_string(unit["layer"].get<int>()) + "/" + std::to_string(unit["index"].get<int>());
    CHECK(json_of("steer " + cats + edits + " --json") == relevant);
}

TEST_CASE("neurons: JSON and npz say what a trace says") {
    const auto out = json_of("neurons " + cats + "--json"), trace = json_of("trace " + cats + "--json -");
    CHECK((out["neurons"].size() == 20 && out["heads"].size() == 20 && out["target_token"] == " dogs"));
    const auto layers = json_of("neurons " + cats + "--per layer --top 2 --json");
    CHECK((layers["neurons"].size() == 12 && layers["heads"].size() == 12 && layers["neurons"][11]["layer"] == 5));
    const auto tokens = json_of("neurons " + cats + "--per token --top 7 --json");
    REQUIRE(tokens["neurons"].size() == 7);
    double largest = 0;
    for (const auto& layer : trace["neuron"])
        for (const auto& token : layer)
            for (const double value : token) largest = std::max(largest, std::abs(value));
    CHECK(std::abs(tokens["neurons"][0]["relevance"].get<double>()) == Approx(largest));
    for (const auto& unit : tokens["neurons"]) {
        const auto at = [&](const char* key) { return unit[key].get<std::size_t>(); };
        CHECK(unit["relevance"].get<double>() == Approx(trace["neuron"][at("layer")][at("position")][at("index")].get<double>()));
        CHECK(unit["share"].get<double>() == Approx(unit["relevance"].get<double>() / trace["explained"].get<double>()));
        CHECK(unit["token"] == trace["tokens"][at("position")]);
        CHECK(unit["sign"] == (unit["activation"].get<double>() < 0 ? "-" : "+"));
    }
    TemporaryFolder folder;
    const std::string npz = (folder.path() / "units.npz").string();
    const auto contrast = json_of("neurons " + cats + "--contrast 7 --json");
    CHECK((contrast["contrast"] == 7 && contrast["contrast_token"].is_string() && !out.contains("contrast")));
    const Result text = lrp_run("neurons " + cats + "--npz " + npz);
    CHECK_THAT(text.out, Contains("Explained: logit 13.2") && Contains("Neurons") && Contains("Heads"));
    for (const char* kind : {"neurons", "heads"}) {
        std::array<char, 64> numbers{};
        const auto& first = out[kind][0];
        CHECK(first["share"].get<double>() == Approx(first["relevance"].get<double>() / trace["explained"].get<double>()));
        std::snprintf(numbers.data(), numbers.size(), "%11.4g %11.4g %7.2f%%\n", first["activation"].get<double>(), first["relevance"].get<double>(), 100 * first["share"].get<double>());
        CHECK_THAT(text.out, Contains(numbers.data()));
    }
    const std::string bytes = read_text_file(npz);
    for (const char* name : {"neuron_activation.npy", "head_activation.npy", "top_neuron.npy", "top_neuron_values.npy", "top_head.npy"})
        CHECK_THAT(bytes, Contains(name));
}

TEST_CASE("trace: through a unit, and of a unit") {
    CHECK_THAT(lrp_run("trace " + cats + "--through 0/3 --through head:0/4").out, Contains("what comes through") && Contains("0/3,head:0/4"));
    CHECK_THAT(lrp_run("trace " + cats + "--target ' dogs' --contrast ' cats'").out, Contains("Explained: logit difference ") && Contains(" for ' dogs' against ' cats' at position "));
    CHECK_THAT(lrp_run("generate " + cats + "--top-k 3 --max-new-tokens 1").err, Contains("lrp: warning: without a --temperature the most likely token is taken each time"));
    CHECK(lrp_run("generate " + cats + "--temperature 0.5 --top-k 3 --seed 2 --max-new-tokens 1").err.empty());
    const auto all = json_of("trace " + cats + "--json - --rules cp-lrp"), one = json_of("trace " + cats + "--json - --rules cp-lrp --through head:0/4");
    double through = 0, embedding = 0;
    for (const auto& token : all["head"][0]) through += token[4].get<double>();
    for (const double value : one["embedding"]) embedding += value;
    CHECK(embedding == Approx(through).epsilon(1e-3));
    CHECK((one["metadata"]["through"] == "head:0/4" && one["residual"] == all["residual"]));
    const auto unit = json_of("trace " + cats + "--json - --unit 2/40"), tokens = json_of("neurons " + cats + "--per token --top 60000 --json");
    CHECK(unit["unit"] == "neuron 2/40");
    double activation = 0;
    for (const auto& item : tokens["neurons"])
        if (item["layer"] == 2 && item["index"] == 40 && item["position"] == 17) activation = item["activation"];
    CHECK(unit["explained"].get<double>() == Approx(activation));
    CHECK_THAT(lrp_run("trace " + cats + "--unit 2/40").out, Contains("Explained: activation of neuron 2/40"));
    CHECK_THAT(lrp_run("trace " + cats + "--unit 2/40 --html -").out, Contains("Why neuron 2/40?") && Contains("The explained activation is"));
    CHECK_THAT(lrp_run("trace " + cats + "--unit 2/40 --svg -").out, Contains("Relevance for neuron 2/40 by layer"));
}

TEST_CASE("wrong use of these commands ends with 2 and says what is wrong; failure with 1") {
    struct Case {
        std::string arguments;
        int code;
        std::string message;
    };
    TemporaryFolder folder;
    folder.write("edits.txt", "set 3/118=4\nswitch 1/2\n");
    folder.write("empty.txt", "# nothing\n");
    folder.write("value.txt", "set 3/118\n");
    folder.write("name.json", R"({"layers.1.neuron": [1]})");
    folder.write("size.json", R"({"layers.1.resid_post": [1, 2]})");
    folder.write("kind.json", R"({"layers.1.resid_post": ["x"]})");
    const std::string in = folder.path().string() + "/";
    const std::vector<Case> cases{
        {"generate " + mini, 2, "give a prompt, or token ids with --ids"},
        {"generate " + snow + "--ids 1", 2, "give a prompt or --ids, not both"},
        {"generate " + snow + "--max-new-tokens 0", 2, "--max-new-tokens"},
        {"generate " + snow + "--temperature -1", 2, "temperature: expected 0 (greedy) or more, found -1"},
        {"generate " + snow + "--top-p 0", 2, "top-p: expected more than 0 and at most 1, found 0"},
        {"generate " + snow + "--top-k -1", 2, "--top-k"},
        {"generate " + snow + "--stop ''", 2, "--stop: expected a value, found an empty one"},
        {"generate " + mini + " --ids 640", 1, "token id 640 at position 0 is outside the vocabulary of 640"},
        {"generate " + snow + "--json ''", 2, "--json: expected a file name, found an empty one"},
        {"generate " + snow + "--seed 18446744073709551616", 2, "--seed: expected a number from 0 to 18446744073709551615, found 18446744073709551616"},
        {"generate " + snow + "--units 3", 2, "--units: nothing is explained without --explain"},
        {"generate " + snow + "--target 3", 2, "--target: nothing is explained without --explain"},
        {"generate " + snow + "--rules cp-lrp", 2, "--rules: nothing is explained without --explain"},
        {"generate " + snow + "--softmax-rule stop", 2, "--softmax-rule: nothing is explained without --explain"},
        {"generate " + snow + "--recompute always", 2, "--recompute: nothing is explained without --explain"},
        {"steer " + snow + "--zero 1/3 --json /nonexistent/x.json", 1, "/nonexistent/x.json: cannot be written"},
        {"steer " + snow + "--zero 1/3 --softmax-rule stop", 2, "--softmax-rule: nothing is explained"},
        {"steer " + snow + "--set 3/118=1e99", 1, "steering: the edits of neuron 3/118 come to more than a float32 holds"},
        {"steer " + snow + "--set 3/118=1e30 --scale 3/118=1e30", 1, "steering: the edits of neuron 3/118 come to more than a float32 holds"},
        {"steer " + snow + "--adjust 99999=0", 2, "--adjust: the model has 2304 neurons, found 99999"},
        {"steer " + snow + "--adjust 3=0 --max-new-tokens 1", 2, "--adjust: acts from the second new token on; expected --max-new-tokens 2 or more, found 1"},
        {"steer " + snow + "--zero 1/3 --positions 0,", 2, "--positions: expected positions such as 0-3,7, found '0,'"},
        {"steer " + snow, 2, "steer: nothing is to be changed"},
        {"steer " + snow + "--set 3-118=4", 2, "--set: expected LAYER/NEURON=VALUE such as 3/118=4.0 (or head:LAYER/HEAD=VALUE), found '3-118=4'"},
        {"steer " + snow + "--set 3/118", 2, "found '3/118'"},
        {"steer " + snow + "--set 3/118=nan", 2, "found '3/118=nan'"},
        {"steer " + snow + "--scale -1/118=0", 2, "--scale"},
        {"steer " + snow + "--zero 6/1", 2, "steering: unit 6/1: expected a layer from 0 to 5, found 6"},
        {"steer " + snow + "--zero 5/384", 2, "steering: unit 5/384: expected a neuron from 0 to 383 in layer 5, found 384"},
        {"steer " + snow + "--head 1/8=0", 2, "steering: unit 1/8: expected a head from 0 to 7 in layer 1, found 8"},
        {"steer " + snow + "--head 1/3", 2, "--head: expected LAYER/HEAD=FACTOR such as 1/3=0, found '1/3'"},
        {"steer " + snow + "--scale 1/3=1", 1, "nothing was changed by the edits of 1 unit:"},
        {"steer " + snow + "--scale 1/3=0 --target 5", 2, "--target: nothing is explained without --top-relevant or --adjust"},
        {"steer " + snow + "--scale 1/3=0 --contrast 5", 2, "--contrast: nothing is explained"},
        {"steer " + snow + "--scale 1/3=0 --position 0", 2, "--position: nothing is explained"},
        {"steer " + snow + "--scale 1/3=0 --rules cp-lrp", 2, "--rules: nothing is explained"},
        {"steer " + snow + "--scale 1/3=0 --samples 2", 2, "--samples: belongs to a report"},
        {"steer " + snow + "--scale 1/3=0 --random-sets 3", 2, "--random-sets: belongs to a report"},
        {"steer " + snow + "--scale 1/3=0 --multipliers 0,1", 2, "--multipliers: belongs to a report"},
        {"steer " + snow + "--top-relevant 99999=0", 2, "--top-relevant: the model has 2304 neurons, found 99999"},
        {"steer " + snow + "--zero 1/3 --positions 90-99", 1, "nothing was changed by the edits of 1 unit:"},
        {"steer " + snow + "--zero 1/3 --positions 3-1", 2, "--positions: expected positions such as 0-3,7, found '3-1'"},
        {"steer " + snow + "--zero 1/3 --positions 1-3,2", 2, "--positions: 2 was named before"},
        {"steer " + snow + "--top-relevant 0=1", 2, "--top-relevant: expected N=FACTOR such as 10=0, found '0=1'"},
        {"steer " + snow + "--mode some --zero 1/3", 2, "--mode"},
        {"steer " + snow + "--edits " + in + "edits.txt", 1, "edits.txt: line 2: expected set, scale, add, zero or head and a unit"},
        {"steer " + snow + "--edits " + in + "empty.txt", 1, "there is no edit in the file"},
        {"steer " + snow + "--edits " + in + "value.txt", 1, "value.txt: line 1: expected LAYER/NEURON=VALUE"},
        {"steer " + snow + "--edits /nonexistent", 1, "/nonexistent: cannot be opened"},
        {"steer " + snow + "--add-direction /nonexistent", 1, "/nonexistent: cannot be opened"},
        {"steer " + snow + "--add-direction '" + in + "size.json*x'", 2, "--add-direction: expected FILE or FILE*FACTOR"},
        {"steer " + snow + "--add-direction " + in + "name.json", 1, "expected directions called layers.L.resid_post, found 'layers.1.neuron'"},
        {"steer " + snow + "--add-direction " + in + "size.json", 1, "expected a direction of 128 values at layer 1, found 2"},
        {"steer " + snow + "--add-direction " + in + "kind.json", 1, "layers.1.resid_post: expected numbers, found \"x\""},
        {"neurons " + snow + "--per unit", 2, "--per"},
        {"neurons " + snow + "--top 0", 2, "--top"},
        {"neurons " + snow + "--npz -", 2, "--npz is not text"},
        {"neurons " + snow + "--target 640", 2, "target: expected a token id below 640, found 640"},
        {"trace " + snow + "--through 1", 2, "--through: expected LAYER/NEURON such as 3/118 (or head:LAYER/HEAD), found '1'"},
        {"trace " + snow + "--through 6/1", 2, "--through 6/1: expected a layer from 0 to 5, found 6"},
        {"trace " + snow + "--unit 1/1 --through 1/2", 2, "cannot come through neuron 1/2, which is not below it"},
        {"trace " + snow + "--unit head:1/8", 2, "--unit head:1/8: expected a head from 0 to 7 in layer 1, found 8"},
        {"trace " + snow + "--unit 1/1 --target 3", 2, "--unit explains a unit's activation"},
    };
    for (const Case& one : cases) {
        INFO("lrp " << one.arguments);
        const Result result = lrp_run(one.arguments);
        CHECK(result.code == one.code);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK(result.out.empty());
    }
    for (const char* command : {"generate ", "steer ", "neurons "}) {
        const Result help = lrp_run(std::string(command) + "--help");
        CHECK(help.code == 0);
        CHECK_THAT(help.out, Contains("Examples:") && Contains("eigen|reference|reference64"));
    }
}
