// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The command that follows relevance from token to token, from outside.
#include <array>

#include <lrp/io/json.hpp>
#include <lrp/io/npz_read.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/program.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

TEST_CASE("flow: rows add up to the trace below; under CP-LRP columns to the trace above") {
    for (const std::string backend : {"eigen", "reference64"}) {
        const auto trace = json_of("trace " + cats + "--json - --rules cp-lrp --backend " + backend),
                   out = json_of("flow " + cats + "--json --rules cp-lrp --from 1 --to 4 --backend " + backend);
        CHECK((out["format"] == "lrpxx-flow" && out["format_version"] == 1 && out["from"] == 1 && out["to"] == 4 && out["target_token"] == " dogs"));
        CHECK((out["tokens"] == trace["tokens"] && out["ids"] == trace["ids"] && out["metadata"]["rules"] == "cp-lrp" && out["metadata"].contains("model_hash")));
        const std::size_t tokens = trace["tokens"].size();
        REQUIRE(out["flow"].size() == tokens);
        double largest = 0;
        for (std::size_t t = 0; t < tokens; ++t) {
            double row = 0, column = 0;
            for (std::size_t other = 0; other < tokens; ++other) {
                row += out["flow"][t][other].get<double>();
                column += out["flow"][other][t].get<double>();
                if (t > other) CHECK(out["flow"][t][other] == 0);
                largest = std::max(largest, std::abs(out["flow"][t][other].get<double>()));
            }
            CHECK(row == Approx(trace["residual"][0][t].get<double>()).margin(1e-3));
            CHECK(column == Approx(trace["residual"][3][t].get<double>()).margin(1e-3));
            CHECK(out["below"][t].get<double>() == Approx(trace["residual"][0][t].get<double>()).margin(1e-4));
            CHECK(out["above"][t].get<double>() == Approx(trace["residual"][3][t].get<double>()).margin(1e-4));
        }
        CHECK(largest > 0.5);
    }
}

TEST_CASE("flow: edges in JSON and npz, summed and by head, and the strongest on the screen") {
    TemporaryFolder folder;
    const std::string npz = (folder.path() / "flow.npz").string(), svg = (folder.path() / "flow.svg").string(), html = (folder.path() / "flow.html").string();
    const auto out = json_of("flow " + cats + "--edges --show 2/3 --json --npz " + npz + " --svg " + svg + " --html " + html), trace = json_of("trace " + cats + "--json -");
    const std::size_t tokens = trace["tokens"].size(), layers = trace["head"].size(), heads = trace["head"][0][0].size();
    REQUIRE((out["edge"].size() == layers && out["edge"][0].size() == heads && out["edge_sum"].size() == layers && out["from"] == 0));
    CHECK(out["to"] == layers - 1);
    const std::string bytes = read_text_file(npz);
    const NpzReader file(bytes, npz);
    std::vector<float> edge(layers * heads * tokens * tokens), summed(layers * tokens * tokens), flow(tokens * tokens);
    file.read<float>("edge", "<f4", {layers, heads, tokens, tokens}, edge);
    file.read<float>("edge_sum", "<f4", {layers, tokens, tokens}, summed);
    file.read<float>("flow", "<f4", {tokens, tokens}, flow);
    for (const char* name : {"above", "below", "cuts", "head", "residual", "embedding"}) CHECK(file.arrays().contains(name));
    for (std::size_t l = 0; l < layers; ++l)
        for (std::size_t q = 0; q < tokens; ++q) {
            double all = 0;
            for (std::size_t h = 0; h < heads; ++h) {
                double total = 0;
                for (std::size_t k = 0; k < tokens; ++k) {
                    const double value = out["edge"][l][h][q][k].get<double>();
                    CHECK(edge[((l * heads + h) * tokens + q) * tokens + k] == static_cast<float>(value));
                    total += value;
                }
                CHECK(total == Approx(trace["head"][l][q][h].get<double>()).margin(1e-4));
                all += total;
            }
            double row = 0;
            for (std::size_t k = 0; k < tokens; ++k) {
                row += out["edge_sum"][l][q][k].get<double>();
                CHECK(summed[(l * tokens + q) * tokens + k] == static_cast<float>(out["edge_sum"][l][q][k].get<double>()));
            }
            CHECK(row == Approx(all).margin(1e-4));
        }
    for (std::size_t i = 0; i < tokens * tokens; ++i) CHECK(flow[i] == static_cast<float>(out["flow"][i / tokens][i % tokens].get<double>()));
    CHECK_THAT(read_text_file(svg), Contains("attention of layers.2, head 3"));
    const std::string page = read_text_file(html);
    const std::size_t begin = page.find("id=\"data\">") + 10;
    const auto data = nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
    REQUIRE(data["maps"].size() == layers + 2);  // the flow, the sums of each layer, and the head that is shown
    CHECK((data["first"] == layers + 1 && data["maps"][layers + 1]["name"] == "attention, layer 2, head 3" && data["maps"][0]["name"] == "flow"));
    for (std::size_t q = 0; q < tokens; ++q)
        for (std::size_t k = 0; k <= q; ++k) {
            CHECK(data["maps"][0]["values"][q][k] == out["flow"][k][q]);
            CHECK(data["maps"][layers + 1]["values"][q][k] == out["edge"][2][3][q][k]);
        }
    const Result text = lrp_run("flow " + cats + "--edges --top 3");
    struct Edge {
        std::size_t layer, head;
        double value;
    };
    std::vector<Edge> all;
    for (std::size_t l = 0; l < layers; ++l)
        for (std::size_t h = 0; h < heads; ++h)
            for (const auto& query : out["edge"][l][h])
                for (const double value : query) all.push_back({l, h, value});
    std::stable_sort(all.begin(), all.end(), [](const Edge& a, const Edge& b) { return std::abs(a.value) > std::abs(b.value); });
    for (std::size_t i = 0; i < 4; ++i) {
        std::array<char, 64> line{};
        std::snprintf(line.data(), line.size(), "%11.4g %7.2f%%\n", all[i].value, 100 * all[i].value / out["explained"].get<double>());
        CHECK((text.out.find(line.data()) != std::string::npos) == (i < 3));
        std::snprintf(line.data(), line.size(), "\n%5zu %5zu  ", all[i].layer, all[i].head);
        if (i < 3) CHECK_THAT(text.out, Contains(line.data()));
    }
    CHECK_THAT(text.out, Contains("Explained: logit 13.2") && Contains("Edges of attention") && Contains("relevance of layer 4's output (down)"));
    CHECK(lrp_run("flow " + cats).out.find("Edges") == std::string::npos);
}

TEST_CASE("flow: wrong use") {
    struct Case {
        std::string arguments, message;
    };
    const std::vector<Case> cases{
        {"--from 3 --to 3", "expected two cuts from 0 (the embedding) to 6 (the last layer's output), the lower one first, found 3 and 3"},
        {"--from -1 --to 3", "found -1 and 3"},
        {"--to 7", "found 0 and 7"},
        {"--show 6", "--show 6: expected a layer from 0 to 5, found 6"},
        {"--show 2/8", "--show 2/8: expected a head from 0 to 7 in layer 2, found 8"},
        {"--show 2/", "--show: expected LAYER or LAYER/HEAD such as 2 or 2/5, found '2/'"},
        {"--show x", "found 'x'"},
        {"--npz -", "--npz is not text"},
        {"--svg - --json -", "only one result can go to standard output"},
        {"--svg - --html -", "only one result can go to standard output"},
        {"--normalize none", "--normalize"},
        {"--top 0", "--top"},
    };
    for (const Case& wrong : cases) {
        const Result result = lrp_run("flow " + cats + wrong.arguments);
        INFO(wrong.arguments << ": " << result.err);
        CHECK(result.code == 2);
        CHECK_THAT(result.err, Contains(wrong.message));
    }
}
