// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What the conformance tests stand on. They are compiled once per backend; LRP_TEST_BACKEND names it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include LRP_TEST_BACKEND_HEADER

#include <lrp/op/op.hpp>

#include "conformance/report.hpp"
#include "oracle/oracle.hpp"
#include "support/catch.hpp"
#include "support/counting_backend.hpp"

namespace lrp::test {

template <class T>
using Subject = CountingBackend<LRP_TEST_BACKEND<T>>;

using oracle::Row;
using oracle::Rows;

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Prints the tables of this backend when the program ends.
inline Report& report() {
    static Report instance(Subject<float>::name, {Subject<float>::native.begin(), Subject<float>::native.end()});
    return instance;
}

inline Rows scaled(Rows a, double factor) {
    for (Row& row : a)
        for (double& v : row) v *= factor;
    return a;
}
inline double total(const Rows& a) {
    double sum = 0;
    for (const Row& row : a)
        for (const double v : row) sum += v;
    return sum;
}
/// Sum of a * b.
inline double dot(const Rows& a, const Rows& b) { return total(oracle::multiply(a, b)); }
/// The largest magnitude; infinite if one is not finite.
inline double peak(const Rows& a) {
    double most = 0;
    for (const Row& row : a)
        for (const double v : row) most = std::isfinite(v) ? std::max(most, std::abs(v)) : INFINITY;
    return most;
}
/// The largest difference; infinite if shapes differ or a value is not finite.
inline double gap(const Rows& a, const Rows& b) {
    if (a.size() != b.size() || a[0].size() != b[0].size()) return INFINITY;
    Rows difference = a;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < a[i].size(); ++j) difference[i][j] -= b[i][j];
    return peak(difference);
}

/// Compares with what is right within the scalar's tolerance (math.md, section 9), relative to the largest value, and notes the deviation.
template <class T>
void agree(const std::string& what, const Rows& mine, const Rows& right) {
    const double deviation = gap(mine, right) / std::max(peak(right), 1e-30);
    report().note<T>(what, deviation);
    INFO(what);
    CHECK(deviation <= tolerance<T>);
}

/// A matrix of the backend under test: columns of a wider one if it has a margin, which holds NaN and must keep it.
template <class T, class Tag>
class Placed {
  public:
    using B = Subject<T>;
    Placed(typename B::context& ctx, const Rows& rows, Index margin)
        : all_(ctx, static_cast<Index>(rows.size()), static_cast<Index>(rows[0].size()) + 2 * margin), margin_(margin) {
        std::vector<T> host;
        for (const Row& row : rows) {
            host.insert(host.end(), static_cast<std::size_t>(margin), static_cast<T>(not_a_number));
            for (const double v : row) host.push_back(static_cast<T>(v));
            host.insert(host.end(), static_cast<std::size_t>(margin), static_cast<T>(not_a_number));
        }
        all_.upload(ctx, host);
    }
    auto in() const { return slice(View<const T>(std::as_const(all_).view())); }
    auto out() { return slice(View<T>(all_.view())); }
    /// The numbers of a matrix without margin, e.g. the weights of a norm.
    T* data() { return all_.view().data; }

    Rows get(typename B::context& ctx) const {
        const std::vector<T> host = all_.download(ctx);
        Rows out(static_cast<std::size_t>(all_.rows()));
        bool touched = false;
        for (Index i = 0; i < all_.rows() * all_.cols(); ++i) {
            const Index col = i % all_.cols();
            const double value = static_cast<double>(host[static_cast<std::size_t>(i)]);
            if (col >= margin_ && col < all_.cols() - margin_) {
                out[static_cast<std::size_t>(i / all_.cols())].push_back(value);
            } else {
                touched = touched || !std::isnan(value);
            }
        }
        if (touched) FAIL_CHECK("a column outside the view was written");
        return out;
    }

  private:
    template <class U>
    auto slice(const View<U>& all) const {
        const View<U> inner = all.columns(margin_, all.cols - 2 * margin_);
        if constexpr (std::is_void_v<Tag>) {
            return inner;
        } else {
            return Carrier<Tag, U>(inner);
        }
    }
    Tensor<B> all_;
    Index margin_;
};

/// A backend's context with helpers; its end fails a test that made no backend call.
template <class T>
class Bench {
  public:
    using B = Subject<T>;
    using C = typename B::context;

    /// `sliced`: every matrix is a column slice of a wider one.
    explicit Bench(unsigned seed = 1, bool sliced = false) : random_(seed), margin_(sliced ? 3 : 0) {}
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() {
        if (ctx.calls == 0 && std::uncaught_exceptions() == 0) FAIL_CHECK("this test never called the backend");
    }

    /// Normal numbers with standard deviation `scale`, such as T can hold.
    Rows normal(std::size_t rows, std::size_t cols, double scale = 1) {
        std::normal_distribution<double> draw(0, scale);
        Rows out(rows, Row(cols));
        for (Row& row : out)
            for (double& v : row) v = static_cast<double>(static_cast<T>(draw(random_)));
        return out;
    }

    template <class Tag = void>
    Placed<T, Tag> put(const Rows& rows) {
        return Placed<T, Tag>(ctx, rows, margin_);
    }
    auto activation(const Rows& rows) { return put<ActivationTag>(rows); }
    auto coefficient(const Rows& rows) { return put<CoefficientTag>(rows); }
    /// Memory that holds NaN: what a step should have written and did not is seen.
    auto activation(std::size_t rows, std::size_t cols) { return activation(Rows(rows, Row(cols, not_a_number))); }
    auto coefficient(std::size_t rows, std::size_t cols) { return coefficient(Rows(rows, Row(cols, not_a_number))); }
    /// Numbers that lie one after the other in any case.
    Placed<T, void> line(const Row& row) { return Placed<T, void>(ctx, {row}, 0); }
    Placed<T, void> line(std::size_t count) { return line(Row(count, not_a_number)); }

    template <class Tag>
    Rows get(const Placed<T, Tag>& placed) {
        return placed.get(ctx);
    }

    C ctx;

  private:
    std::mt19937 random_;
    Index margin_;
};

/// Runs one backward step, `call(out, write)`, in its three ways of writing: over old numbers, scaled, added to old numbers.
/// Returns the plain result.
template <class T, class Call>
Rows backward(Bench<T>& bench, std::size_t rows, std::size_t cols, const Call& call) {
    auto c = bench.coefficient(rows, cols);
    call(c.out(), Write{});
    const Rows plain = bench.get(c);
    const double allowed = tolerance<T> * std::max(1.0, peak(plain));
    auto again = bench.coefficient(rows, cols);
    call(again.out(), Write{-2, false});
    CHECK(gap(bench.get(again), scaled(plain, -2)) <= 2 * allowed);
    const Rows old = bench.normal(rows, cols);
    auto sum = bench.coefficient(old);
    call(sum.out(), Write{0.5, true});
    CHECK(gap(bench.get(sum), oracle::add(old, scaled(plain, 0.5))) <= 2 * allowed);
    return plain;
}

/// The same for a step with two results, `call(out_a, out_b, write)`, of the shapes of a and b.
template <class T, class Call>
std::pair<Rows, Rows> backward_pair(Bench<T>& bench, const Rows& a, const Rows& b, const Call& call) {
    const Rows first = backward(bench, a.size(), a[0].size(), [&](auto out, Write write) {
        auto other = bench.coefficient(oracle::zeros_like(b));
        call(out, other.out(), write);
    });
    const Rows second = backward(bench, b.size(), b[0].size(), [&](auto out, Write write) {
        auto other = bench.coefficient(oracle::zeros_like(a));
        call(other.out(), out, write);
    });
    return {first, second};
}

/// d/dx sum(c * f(x)) by central differences.
inline Rows differences(const std::function<Rows(const Rows&)>& f, Rows x, const Rows& c) {
    const double step = 1e-5;
    Rows out = x;
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t j = 0; j < x[i].size(); ++j) {
            const double keep = x[i][j];
            x[i][j] = keep + step;
            const double above = dot(f(x), c);
            x[i][j] = keep - step;
            const double below = dot(f(x), c);
            x[i][j] = keep;
            out[i][j] = (above - below) / (2 * step);
        }
    return out;
}

/// Compares a vjp with central differences of the oracle's forward: 1e-6 in double, the scalar's tolerance in float.
template <class T>
void agree_with_differences(const std::string& op, const Rows& mine, const std::function<Rows(const Rows&)>& f, const Rows& x,
                            const Rows& c) {
    const Rows right = differences(f, x, c);
    const double deviation = gap(mine, right) / std::max(peak(right), 1e-30);
    report().note<T>(op + " vjp, differences", deviation);
    INFO(op << " vjp against central differences");
    CHECK(deviation <= std::max(1e-6, tolerance<T>));
}

}  // namespace lrp::test
