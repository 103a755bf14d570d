// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Models of random weights for tests.
#pragma once

#include <memory>
#include <random>
#include <type_traits>

#include <lrp/model/llama/weights.hpp>

namespace lrp::test {

/// Normal numbers with standard deviation 0.3, about 1 in the norms; for one seed the same on every backend, but for rounding.
template <Backend B>
std::shared_ptr<const LlamaWeights<B>> random_weights(typename B::context& ctx, const LlamaConfig& config, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<double> draw(0, 0.3);
    return std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, config, [&](const std::string& name, Index, Index, auto host) {
        for (auto& value : host)
            value = narrow<std::remove_reference_t<decltype(value)>>(static_cast<typename B::scalar>(draw(random) + (name.ends_with("norm.weight") ? 1 : 0)));
    }));
}

}  // namespace lrp::test
