// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Work of a pass against numbers worked out by hand.
#include <lrp/model/llama/work.hpp>

#include "support/catch.hpp"

using namespace lrp;

namespace {

/// Two layers, width 4, two heads of 6 over one, 5 neurons, 7 words.
LlamaConfig countable() {
    LlamaConfig config;
    config.vocab_size = 7;
    config.hidden_size = 4;
    config.intermediate_size = 5;
    config.layers = 2;
    config.attention = {2, 1, 6};
    return config;
}

/// The published shape of Llama 3.2 1B.
LlamaConfig one_billion() {
    LlamaConfig config;
    config.vocab_size = 128256;
    config.hidden_size = 2048;
    config.intermediate_size = 8192;
    config.layers = 16;
    config.attention = {32, 8, 64};
    return config;
}

}  // namespace

TEST_CASE("work of a small model, counted on fingers") {
    // A layer's matrices: q 12x4, k 6x4, v 6x4, o 4x12, gate 5x4, up 5x4, down 4x5: 48 + 24 + 24 + 48 + 20 + 20 + 20 = 204. Head: 28.
    CHECK(layer_weights(countable()) == 204);
    // Three tokens: 2 layers x 2 x 3 x 204 = 2448, the head 2 x 28 = 56. Pairs 1 + 2 + 3 = 6 a layer, 2 heads x 2 products x 2 x 6 = 48 each.
    const PassWork forward = forward_work(countable(), 3, false);
    CHECK(forward.weights_read() == 436);
    CHECK(forward.linear_flops() == 2504);
    CHECK(forward.attention_flops() == 2 * 6 * 48);
    CHECK(forward.flops() == 2504 + 576);
    const PassWork relevance = relevance_work(countable(), 3, false);
    CHECK(relevance.weights_read() == 408);
    CHECK(relevance.linear_flops() == 2448);
    CHECK(relevance.attention_flops() == 2 * 576);
}

TEST_CASE("a lean last layer has one query: k and v see every token, the rest one") {
    // Last layer: k and v 2 x 3 x 48 = 288, the other 156 elements once: 312; the layer before 2 x 3 x 204 = 1224. Pairs: 6 and 3.
    const PassWork forward = forward_work(countable(), 3, true);
    CHECK(forward.linear_flops() == 1224 + 288 + 312 + 56);
    CHECK(forward.attention_flops() == (6 + 3) * 48);
    CHECK(forward.weights_read() == 436);
    const PassWork relevance = relevance_work(countable(), 3, true);
    CHECK(relevance.linear_flops() == 1224 + 288 + 312);
    CHECK(relevance.attention_flops() == (6 + 3) * 96);
    // One token: nothing to save.
    CHECK(forward_work(countable(), 1, true).flops() == forward_work(countable(), 1, false).flops());
}

TEST_CASE("parts follow one another and add up: a layer's linear maps, its attention, at last the head") {
    const PassWork forward = forward_work(countable(), 3, true), relevance = relevance_work(countable(), 3, true);
    REQUIRE(forward.parts.size() == 5);
    REQUIRE(relevance.parts.size() == 4);
    CHECK((forward.parts[0].flops == 1224 && forward.parts[0].weights == 204));
    CHECK((forward.parts[1].flops == 6 * 48 && forward.parts[1].weights == 0));
    CHECK((forward.parts[2].flops == 288 + 312 && forward.parts[2].weights == 204));
    CHECK((forward.parts[4].flops == 56 && forward.parts[4].weights == 28));
    CHECK((relevance.parts[0].flops == 288 + 312 && relevance.parts[2].flops == 1224));  // layers backward, no head
    for (const PassWork& work : {forward, relevance}) {
        double flops = 0, weights = 0;
        for (const PassWork::Part& part : work.parts) {
            flops += part.flops;
            weights += part.weights;
        }
        CHECK((flops == work.flops() && weights == work.weights_read()));
    }
}

TEST_CASE("work of a 1B model") {
    // 0.973 G parameters in the layers' matrices, 0.263 G in the vocabulary matrix; forward and relevance are 4 T (layers) + 2 (head).
    const double layers = 16.0 * 60'817'408, head = 262'668'288;
    const PassWork forward = forward_work(one_billion(), 512, false), relevance = relevance_work(one_billion(), 512, false);
    CHECK(forward.weights_read() == layers + head);
    CHECK(forward.linear_flops() + relevance.linear_flops() == 4 * 512 * layers + 2 * head);
    // 6 T^2 d a layer, up to the diagonal: 6 T (T + 1) d.
    CHECK(forward.attention_flops() + relevance.attention_flops() == 16 * 6.0 * 512 * 513 * 2048);
}
