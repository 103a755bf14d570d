// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A path of the matrix products against a plain loop, on this machine, the first time a program takes it: processors differ, and a path
// may meet one that whoever wrote it never had.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <mutex>
#include <string_view>
#include <vector>

#include <lrp/core/tensor.hpp>

namespace lrp::detail {

/// Sizes of a small product: y [tokens, n] = x [tokens, k] W^T, W [n, k].
struct CheckedShape {
    Index tokens, k, n;
};

/// Few tokens, and more than any path streams; neither k nor n a multiple of anything.
inline constexpr std::array<CheckedShape, 2> checked_shapes{{{5, 70, 37}, {70, 70, 37}}};

/// How far `product` is from a double loop, relative to the largest result; infinity if a result is not finite or if a number
/// beside the results was written.
///   product(x, w, alpha, beta, y): forward  y = alpha x W^T + beta y, x [tokens, k], y [tokens, n];
///                                  backward y = alpha x W   + beta y, x [tokens, n], y [tokens, k].
/// x and y are views of float, w is a view [n, k] of `W` (float or bf16); all three have rows farther apart than they are long.
template <Storage W, class F>
[[nodiscard]] double deviation_from_loop(bool backward, const CheckedShape& shape, float beta, const F& product) {
    constexpr Index gap = 3;
    constexpr float alpha = 0.75f;
    constexpr float sentinel = -12345.0f;
    const Index depth = backward ? shape.n : shape.k;
    const Index width = backward ? shape.k : shape.n;
    std::uint32_t state = 1;
    const auto next = [&state] {  // in (-1, 1), with all bits of a float's significand in use
        state = state * 1664525u + 1013904223u;
        return static_cast<float>(state >> 8) * 0x1p-23f - 1.0f + 0x1p-24f;
    };
    const auto numbers = [&](Index rows, Index stride) {
        std::vector<float> values(static_cast<std::size_t>(rows * stride));
        std::generate(values.begin(), values.end(), next);
        return values;
    };
    const auto x = numbers(shape.tokens, depth + gap);
    std::vector<W> weights;
    for (const float value : numbers(shape.n, shape.k + gap)) weights.push_back(narrow<W>(value));
    const auto before = numbers(shape.tokens, width);
    std::vector<float> results(static_cast<std::size_t>(shape.tokens * (width + gap)), sentinel);
    const View<float> y(results.data(), shape.tokens, width, width + gap);
    for (Index t = 0; t < shape.tokens; ++t)
        for (Index j = 0; j < width; ++j) y(t, j) = beta == 0 ? std::numeric_limits<float>::quiet_NaN() : before[static_cast<std::size_t>(t * width + j)];

    const View<const float> in(x.data(), shape.tokens, depth, depth + gap);
    const View<const W> w(weights.data(), shape.n, shape.k, shape.k + gap);
    product(in, w, alpha, beta, y);

    double largest = 0;
    double deviation = 0;
    for (Index t = 0; t < shape.tokens; ++t) {
        for (Index j = 0; j < width; ++j) {
            double sum = 0;
            for (Index d = 0; d < depth; ++d) sum += double{in(t, d)} * widen<double>(backward ? w(d, j) : w(j, d));
            sum = alpha * sum + (beta == 0 ? 0.0 : double{beta} * before[static_cast<std::size_t>(t * width + j)]);
            if (!std::isfinite(y(t, j))) return std::numeric_limits<double>::infinity();
            largest = std::max(largest, std::fabs(sum));
            deviation = std::max(deviation, std::fabs(y(t, j) - sum));
        }
        for (Index j = width; j < width + gap; ++j)
            if (y.data[t * y.stride + j] != sentinel) return std::numeric_limits<double>::infinity();
    }
    return deviation / largest;
}

/// Whether one path may be used: decided the first time somebody asks, for all threads, by both directions of its product.
/// A path that is off by more than `tolerance` (relative to the largest result) is left aside, with one line on `complaints`.
/// Make one object per path, of static storage.
class PathCheck {
  public:
    PathCheck(std::string_view name, double tolerance, std::ostream& complaints = std::cerr) : name_(name), tolerance_(tolerance), complaints_(complaints) {}

    /// `forward` and `backward` are products as deviation_from_loop takes them; they are called on one thread, and only once.
    template <Storage W, class Forward, class Backward>
    [[nodiscard]] bool usable(const Forward& forward, const Backward& backward) {
        std::call_once(once_, [&] {
            double worst = 0;
            for (const CheckedShape& shape : checked_shapes)
                for (const float beta : {0.0f, 1.0f}) {
                    worst = std::max(worst, deviation_from_loop<W>(false, shape, beta, forward));
                    worst = std::max(worst, deviation_from_loop<W>(true, shape, beta, backward));
                }
            usable_ = worst <= tolerance_;
            if (!usable_)
                complaints_ << detail::concat("lrp: matrix products by ", name_, " are left aside: on this machine they differ from a plain loop by ", worst,
                                              " of the largest result, ", tolerance_, " is allowed\n")
                            << std::flush;
        });
        return usable_;
    }

  private:
    std::string_view name_;
    double tolerance_;
    std::ostream& complaints_;
    std::once_flag once_;
    bool usable_ = false;
};

}  // namespace lrp::detail
