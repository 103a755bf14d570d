// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Generation: tokens chosen one after another from a model's logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include <lrp/analysis/relevance_sum.hpp>
#include <lrp/model/observer.hpp>

namespace lrp {

/// How tokens are chosen. Without a temperature the most likely one is taken (greedy); with one, a token is drawn from
/// softmax(logits / temperature), cut to the `top_k` most likely and of these to the fewest whose probability reaches `top_p`.
struct GenerateOptions {
    std::size_t max_new_tokens = 32;
    std::vector<std::int32_t> stop_ids{};  ///< tokens after which generation ends (the model's ends of text)
    double temperature = 0;
    std::size_t top_k = 0;  ///< 0: all
    double top_p = 1;
    std::uint64_t seed = 0;

    /// UsageError for numbers that make no choice.
    void validate() const {
        if (!(temperature >= 0) || !std::isfinite(temperature)) fail<UsageError>("temperature: expected 0 (greedy) or more, found ", temperature);
        if (!(top_p > 0 && top_p <= 1)) fail<UsageError>("top-p: expected more than 0 and at most 1, found ", top_p);
    }
};

/// Why generation ended: as many tokens as asked for, an end of text, or the callback's wish.
enum class GenerateEnd { length, stop_id, callback };

[[nodiscard]] constexpr const char* end_name(GenerateEnd end) {
    return end == GenerateEnd::length ? "length" : end == GenerateEnd::stop_id ? "stop_id" : "stopped";
}

/// What came of it. An end of text is the last of the new tokens.
struct Generated {
    std::vector<std::int32_t> new_ids;
    std::vector<float> logits;        ///< [vocabulary] from which the first new token was chosen
    std::vector<double> token_logits; ///< of each new token
    GenerateEnd end = GenerateEnd::length;
};

/// Called with each new token; false ends generation behind it.
using TokenCallback = std::function<bool(std::int32_t)>;

/// Chooses tokens as the options say. The same seed draws the same numbers on every machine.
class TokenSampler {
  public:
    explicit TokenSampler(const GenerateOptions& options) : options_(options), random_(options.seed) { options.validate(); }

    /// Greedy: the largest logit, the lower id among equals.
    template <class T>
    [[nodiscard]] std::int32_t operator()(const std::vector<T>& logits) {
        const auto best = std::max_element(logits.begin(), logits.end());
        if (options_.temperature == 0) return static_cast<std::int32_t>(best - logits.begin());
        std::vector<std::int32_t> order(logits.size());
        std::iota(order.begin(), order.end(), 0);
        const auto logit = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
        const auto better = [&](std::int32_t a, std::int32_t b) { return logit(a) != logit(b) ? logit(a) > logit(b) : a < b; };
        const std::size_t count = options_.top_k == 0 ? order.size() : std::min(options_.top_k, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), better);
        order.resize(count);
        std::vector<double> weights;
        for (const std::int32_t id : order) weights.push_back(std::exp((static_cast<double>(logit(id)) - static_cast<double>(*best)) / options_.temperature));
        const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
        double kept = 0;
        std::size_t end = 0;
        while (end < count && (end == 0 || kept < options_.top_p * all)) kept += weights[end++];
        double left = static_cast<double>(random_() >> 11) * 0x1p-53 * kept;
        for (std::size_t i = 0; i + 1 < end; ++i) {
            if (left < weights[i]) return order[i];
            left -= weights[i];
        }
        return order[end - 1];
    }

  private:
    GenerateOptions options_;
    std::mt19937_64 random_;
};

/// Lets `decoder` read `ids`, which follow what it has read already, and then the tokens it chooses itself. The observer sees every pass. The last new
/// token is not read. Error: no ids, no room for all tokens, logits that are not finite; UsageError: those of GenerateOptions.
template <class Decoder, class O = NullObserver>
Generated generate(Decoder& decoder, std::span<const std::int32_t> ids, const GenerateOptions& options, O&& observer = {}, const TokenCallback& on_token = {}) {
    TokenSampler sample(options);
    Generated result;
    auto logits = decoder.extend(ids, observer);
    require_finite(logits, {Site::logits});
    result.logits.assign(logits.begin(), logits.end());
    while (result.new_ids.size() < options.max_new_tokens) {
        const std::int32_t token = sample(logits);
        result.new_ids.push_back(token);
        result.token_logits.push_back(static_cast<double>(logits[static_cast<std::size_t>(token)]));
        if (on_token && !on_token(token)) {
            result.end = GenerateEnd::callback;
            break;
        }
        if (std::find(options.stop_ids.begin(), options.stop_ids.end(), token) != options.stop_ids.end()) {
            result.end = GenerateEnd::stop_id;
            break;
        }
        if (result.new_ids.size() == options.max_new_tokens) break;
        logits = decoder.extend({&token, 1}, observer);
        require_finite(logits, {Site::logits});
    }
    return result;
}

}  // namespace lrp
