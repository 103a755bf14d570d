// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Each array of a data file holds what its name says.
#include <lrp/pipeline/flow_file.hpp>
#include <lrp/pipeline/units_file.hpp>

#include "support/catch.hpp"

using namespace lrp;

namespace {

/// Two tokens, three layers, two heads, two neurons; every number once.
Trace numbered() {
    Trace trace;
    trace.tokens_count = 2;
    trace.layers = 3;
    trace.heads = trace.neurons = 2;
    trace.ids = {7, 9};
    trace.position = 1;
    trace.target = 4;
    const auto count = [next = 0.0f](std::size_t size) mutable {
        std::vector<float> values;
        for (std::size_t i = 0; i < size; ++i) values.push_back(next += 1);
        return values;
    };
    auto fill = count;
    trace.logits = fill(5);
    trace.embedding = fill(2);
    trace.residual = fill(6);
    trace.head = fill(12);
    trace.neuron = fill(12);
    return trace;
}

template <class T>
void check(const DataFile& file, const std::string& name, const std::vector<std::uint64_t>& shape, const std::vector<T>& values) {
    const auto found = std::find_if(file.arrays.begin(), file.arrays.end(), [&](const DataArray& array) { return array.name == name; });
    INFO(name);
    REQUIRE(found != file.arrays.end());
    CHECK(found->shape == shape);
    REQUIRE(std::holds_alternative<std::vector<T>>(found->values));
    CHECK(std::get<std::vector<T>>(found->values) == values);
}

void check_trace(const DataFile& file, const Trace& trace) {
    check<std::int32_t>(file, "ids", {2}, {7, 9});
    check<std::int32_t>(file, "target", {1}, {4});
    check<float>(file, "logits", {5}, trace.logits);
    check<float>(file, "embedding", {2}, trace.embedding);
    check<float>(file, "residual", {3, 2}, trace.residual);
    check<float>(file, "head", {3, 2, 2}, trace.head);
    check<float>(file, "neuron", {3, 2, 2}, trace.neuron);
}

}  // namespace

TEST_CASE("the arrays of a trace") {
    Trace trace = numbered();
    check_trace(trace_file(trace), trace);
    trace.embedding.clear();
    const DataFile file = trace_file(trace);
    CHECK(std::none_of(file.arrays.begin(), file.arrays.end(), [](const DataArray& array) { return array.name == "embedding"; }));
}

TEST_CASE("the arrays of a unit report: layer, index, position, sign; activation, relevance, share") {
    UnitReport report;
    report.trace = numbered();
    report.neuron_activation = {101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112};
    report.head_activation = {201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212};
    report.neurons = {{Site::neuron, 2, 1, 0, -3, 0.5, 0.25}, {Site::neuron, 0, 1, 1, 4, -8, -4}};
    report.heads = {{Site::head, 1, 0, 1, 5, 6, 7}};
    const DataFile file = units_file(report);
    check_trace(file, report.trace);
    check<float>(file, "neuron_activation", {3, 2, 2}, report.neuron_activation);
    check<float>(file, "head_activation", {3, 2, 2}, report.head_activation);
    check<std::int32_t>(file, "top_neuron", {2, 4}, {2, 1, 0, -1, 0, 1, 1, 1});
    check<float>(file, "top_neuron_values", {2, 3}, {-3, 0.5f, 0.25f, 4, -8, -4});
    check<std::int32_t>(file, "top_head", {1, 4}, {1, 0, 1, 1});
    check<float>(file, "top_head_values", {1, 3}, {5, 6, 7});
    CHECK(file.metadata.at("format") == "lrpxx-units");
}

TEST_CASE("the arrays of a flow and of edges") {
    const Trace trace = numbered();
    const RelevanceFlow flow{{1, 3}, 2, {1, 2, 0, 4}, {11, 12}, {13, 14}};
    AttentionEdges edges{3, 2, 2, {}, std::vector<float>(12, 0.5f)};
    DataFile file = flow_file(trace, &flow, &edges);
    check_trace(file, trace);
    check<std::int32_t>(file, "cuts", {2}, {1, 3});
    check<float>(file, "flow", {2, 2}, flow.flow);
    check<float>(file, "above", {2}, {11, 12});
    check<float>(file, "below", {2}, {13, 14});
    check<float>(file, "edge_sum", {3, 2, 2}, edges.summed);
    CHECK(std::none_of(file.arrays.begin(), file.arrays.end(), [](const DataArray& array) { return array.name == "edge"; }));
    edges.head.assign(24, 0.25f);
    check<float>(flow_file(trace, nullptr, &edges), "edge", {3, 2, 2, 2}, edges.head);
}
