// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The commands for timing, from outside: make-random and bench.
#include <filesystem>

#include <lrp/io/json.hpp>
#include <lrp/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/program.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

TEST_CASE("make-random: a checkpoint that inspect reads, quietly where there is no terminal") {
    TemporaryFolder folder;
    const std::string tiny = (folder.path() / "tiny").string();
    const Result made = lrp_run("make-random " + tiny + " --like tiny --shard-size 100K --seed 5 --threads 2");
    CHECK(made.code == 0);
    CHECK_THAT(made.out, Contains("tiny: random weights in the shape of tiny, 119104 parameters, 232.6 KiB in "));
    CHECK(made.err.empty());
    const auto facts = nlohmann::json::parse(lrp_run("inspect " + tiny + " --json").out);
    CHECK((facts["parameters"] == 119104 && facts["files"].size() == 3 && facts["dtypes"].size() == 1 && facts["dtypes"].contains("BF16")));
    CHECK((facts["config"]["rope"]["type"] == "llama3" && facts["config"]["dtype"] == "bfloat16"));
    const std::string again = (folder.path() / "again").string(), other = (folder.path() / "other").string();
    CHECK(lrp_run("make-random " + again + " --like tiny --shard-size 100K --seed 5 --threads 1").code == 0);
    CHECK(lrp_run("make-random " + other + " --like tiny").code == 0);
    const auto hash = [](const std::string& model) { return nlohmann::json::parse(lrp_run("inspect " + model + " --json").out)["hash"]; };
    CHECK(hash(again) == facts["hash"]);
    CHECK(hash(other) != facts["hash"]);
}

TEST_CASE("make-random and bench: wrong use ends with 2, failure with 1") {
    struct Case {
        std::string arguments;
        int code;
        std::string message;
    };
    TemporaryFolder folder;
    folder.write("full", "x");
    const std::string here = folder.path().string(), mini = LRP_SOURCE_ROOT "/examples/models/mini";
    const std::vector<Case> cases{
        {"make-random", 2, "DIR is required"},
        {"make-random " + here + "/x", 2, "--like is required"},
        {"make-random " + here + "/x --like llama-9", 2,
         "--like: expected one of llama-2-7b, llama-3.1-8b, llama-3.2-1b, llama-3.2-3b, tiny, tinyllama-1.1b; found 'llama-9'"},
        {"make-random " + here + "/x --like tiny --shard-size 5X", 2, "--shard-size: expected a number of bytes with K, M or G, found '5X'"},
        {"make-random " + here + "/x --like tiny --shard-size 0", 2, "found '0'"},
        {"make-random " + here + " --like tiny", 1, "the folder is not empty"},
        {"make-random " + here + "/full --like tiny", 1, "it is no folder"},
        {"make-random /nonexistent/x --like tiny", 1, "/nonexistent: there is no such folder"},
        {"bench", 2, "MODEL_DIR is required"},
        {"bench " + mini + " --tokens 16,many", 2, "--tokens: expected prompt lengths from 1 to 1000000 such as 16,128, found 'many'"},
        {"bench " + mini + " --tokens 0", 2, "found '0'"},
        {"bench " + mini + " --tokens ''", 2, "lrp bench: --tokens: expected a value"},
        {"bench " + mini + " --products best", 2, "--products"},
        {"bench " + mini + " --runs 0", 2, "--runs"},
        {"bench " + mini + " --seed -1", 2, "--seed: expected a number from 0 to 18446744073709551615, found -1"},
        {"bench " + mini + " --ids 1,x", 2, "--ids: expected token ids such as 1,5,7, found 'x'"},
        {"bench " + mini + " --ids 640", 1, "token id 640"},
        {"bench " + mini + " --backend tpu", 2, "backend: 'tpu' is not known"},
        {"bench " + mini + " --recompute 10 --tokens 4", 1, "the budget is 10 bytes"},
        {"bench /nonexistent", 1, "there is no such file or folder"},
    };
    for (const Case& one : cases) {
        INFO("lrp " << one.arguments);
        const Result result = lrp_run(one.arguments + (one.arguments.starts_with("bench") ? " --threads 1" : ""));
        CHECK(result.code == one.code);
        CHECK_THAT(result.err, Contains(one.message));
    }
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);  // nothing was left behind
}

TEST_CASE("bench: a list with one object a prompt length, whose figures agree with each other") {
    const Result result = lrp_run("bench " + mini + " --tokens 5,33 --runs 3 --threads 1 --products fast --json");
    REQUIRE(result.code == 0);
    const auto list = nlohmann::json::parse(result.out);
    REQUIRE((list.is_array() && list.size() == 2));
    CHECK((list[0]["tokens"] == 5 && list[1]["tokens"] == 33));
    for (const auto& row : list) {
        CHECK((row["products"] == "fast" && row["model"] == "mini" && row["backend"] == "eigen" && row["threads"] == 1 && row["runs"] == 3));
        const double forward = row["forward_s"], relevance = row["relevance_s"], total = row["total_s"];
        CHECK((forward > 0 && relevance > 0 && row["load_s"] > 0));
        CHECK(row["totals_s"].size() == 3);
        std::vector<double> totals = row["totals_s"];
        std::sort(totals.begin(), totals.end());
        CHECK((total == totals[1] && row["total_min_s"] == totals[0]));
        CHECK((row["forward_min_s"] <= forward && row["relevance_min_s"] <= relevance &&
               row["forward_min_s"].get<double>() + row["relevance_min_s"].get<double>() <= totals[2]));
        CHECK(row["gflop_per_s"].get<double>() == Approx(row["flops"].get<double>() / total / 1e9));
        CHECK(row["weights_gb_per_s"].get<double>() == Approx(row["weight_bytes_read"].get<double>() / total / 1e9));
        CHECK(row["roofline_share"].get<double>() == Approx(row["floor_s"].get<double>() / total));
        CHECK((row["roofline_share"] > 0 && row["roofline_share"] < 1));
        CHECK((row["machine"]["read_gb_per_s"] > 0 && row["machine"]["f32_gflop_per_s"] > 0));
        CHECK((row["peak_bytes"] > 1 << 20 && row["peak_bytes"] < std::int64_t{4} << 30));
    }
    // Layers 6, width 128, 8 heads of 16 over 4, 384 neurons, 640 words: matrices of 2 x 16384 + 2 x 8192 + 3 x 49152 = 196608 a layer, bf16 in the file.
    CHECK(list[0]["weight_bytes_read"] == 2 * (2 * 6 * 196608 + 640 * 128));
    CHECK(list[1]["flops"] > 33.0 * 4 * 5 * 196608);
}

TEST_CASE("bench: the table has a row a prompt length, and --ids is a prompt") {
    const Result result = lrp_run("bench " + mini + " --tokens 3,7 --runs 1 --warm-up 0 --threads 1");
    CHECK(result.code == 0);
    CHECK_THAT(result.out,
               Contains("mini on eigen, products exact, 1 thread;") && Contains("This machine at most: reads ") && Contains("|      3 |") && Contains("|      7 |"));
    const Result exact = lrp_run("bench " + mini + " --tokens 3 --runs 1 --threads 1 --backend reference --products fast --json");
    CHECK_THAT(exact.err, Contains("lrp: warning: --products fast: backend 'reference' has exact products only"));
    const auto of_reference = nlohmann::json::parse(exact.out);
    CHECK((of_reference[0]["products"] == "exact" && of_reference[0]["weight_bytes_read"] == 4 * (2 * 6 * 196608 + 640 * 128)));
    const auto list = nlohmann::json::parse(lrp_run("bench " + mini + " --ids 1,5,7,9 --runs 1 --threads 1 --json").out);
    CHECK((list.size() == 1 && list[0]["tokens"] == 4));
}
