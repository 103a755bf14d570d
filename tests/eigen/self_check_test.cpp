// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/product/self_check.hpp>

#include <algorithm>
#include <atomic>
#include <sstream>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using namespace lrp;
using namespace lrp::detail;
using Catch::Matchers::Contains;

namespace {

/// A right product in float, in which one thing may be wrong.
template <class W>
struct Plain {
    enum class Fault { none, off_by_little, last_column, ignores_beta, reads_result, writes_beyond, writes_far, rows_only, not_finite, above, below };
    bool backward = false;
    Fault fault = Fault::none;

    void operator()(View<const float> x, View<const W> w, float alpha, float beta, View<float> y) const {
        for (Index t = 0; t < y.rows; ++t) {
            for (Index j = 0; j < y.cols; ++j) {
                float sum = 0;
                for (Index d = 0; d < x.cols; ++d) sum += x(t, d) * widen<float>(backward ? w(d, j) : w(j, d));
                if (fault == Fault::off_by_little) sum *= 1.0001f;
                if (fault == Fault::last_column && j + 1 == y.cols) sum = 0;
                if (fault == Fault::rows_only && t >= 16) sum = 0;
                if (fault == Fault::above) sum += 0.01f;
                if (fault == Fault::below) sum -= 0.01f;
                if (fault == Fault::not_finite && t == 0 && j == 0) sum /= 0.0f;
                const bool accumulate = fault == Fault::ignores_beta ? false : fault == Fault::reads_result ? true : beta != 0;
                y(t, j) = accumulate ? alpha * sum + beta * y(t, j) : alpha * sum;
            }
            if (fault == Fault::writes_far) y.data[t * y.stride + y.stride - 1] = 0;
            if (fault == Fault::writes_beyond) y.data[t * y.stride + y.cols] = 0;
        }
    }
};

}  // namespace

TEMPLATE_TEST_CASE("a right product passes, and every fault is found and said once", "", float, bf16) {
    using P = Plain<TestType>;
    using Fault = typename P::Fault;
    std::ostringstream said;
    PathCheck good("plain loops", 1e-6, said);
    CHECK(good.usable<TestType>(P{false}, P{true}));
    CHECK(said.str().empty());

    for (const Fault fault :
         {Fault::off_by_little, Fault::last_column, Fault::ignores_beta, Fault::reads_result, Fault::writes_beyond, Fault::writes_far, Fault::rows_only,
          Fault::not_finite, Fault::above, Fault::below})
        for (const bool backward_is_wrong : {false, true}) {
            CAPTURE(static_cast<int>(fault), backward_is_wrong);
            std::ostringstream complaints;
            PathCheck check("bad loops", 1e-6, complaints);
            const auto ask = [&] {
                return check.usable<TestType>(P{false, backward_is_wrong ? Fault::none : fault}, P{true, backward_is_wrong ? fault : Fault::none});
            };
            CHECK_FALSE(ask());
            CHECK_FALSE(ask());
            const std::string text = complaints.str();
            CHECK_THAT(text, Contains("matrix products by bad loops are left aside") && Contains("1e-06 is allowed"));
            CHECK(std::count(text.begin(), text.end(), '\n') == 1);
        }
}

TEST_CASE("a tolerance decides: what is too far for float32 may be near enough for bf16") {
    using P = Plain<bf16>;
    std::ostringstream said;
    PathCheck loose("rounded products", 1e-2, said);
    CHECK(loose.usable<bf16>(P{false, P::Fault::off_by_little}, P{true}));
    CHECK(said.str().empty());
    const double off = deviation_from_loop<bf16>(false, checked_shapes[0], 0.0f, P{false, P::Fault::off_by_little});
    CHECK(off > 0.9e-4);
    CHECK(off < 1.1e-4);
}

TEST_CASE("a path is checked once however many threads ask, and asks the products nothing later") {
    std::atomic<int> calls{0};
    std::ostringstream said;
    PathCheck check("counted loops", 1e-6, said);
    const auto forward = [&](auto x, auto w, float alpha, float beta, auto y) { ++calls, Plain<float>{false}(x, w, alpha, beta, y); };
    const auto backward = [&](auto x, auto w, float alpha, float beta, auto y) { ++calls, Plain<float>{true}(x, w, alpha, beta, y); };
    std::atomic<int> yes{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { yes += check.usable<float>(forward, backward) ? 1 : 0; });
    for (auto& thread : threads) thread.join();
    CHECK(yes == 4);
    CHECK(calls == 8);  // two shapes, two betas, two directions
}
