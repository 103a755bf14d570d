// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What the conformance tests stand on. They are compiled once per backend; LRP_TEST_BACKEND names it.
#pragma once

#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <string>

#include LRP_TEST_BACKEND_HEADER

#include "oracle/oracle.hpp"
#include "support/catch.hpp"
#include "support/counting_backend.hpp"

namespace lrp::test {

template <class T>
using Subject = CountingBackend<LRP_TEST_BACKEND<T>>;

using oracle::Row;
using oracle::Rows;

/// Largest relative deviation seen, by what was compared; printed when the program ends.
class Report {
  public:
    static Report& instance() {
        static Report report;
        return report;
    }
    void note(const std::string& what, double deviation) { worst_[what] = std::max(worst_[what], deviation); }
    ~Report() {
        std::printf("backend %s, native ops:", Subject<float>::name);
        for (const Native op : Subject<float>::native) std::printf(" %s", std::string(native_names[static_cast<std::size_t>(op)]).c_str());
        std::printf("%s\nlargest deviation from the oracle, relative to the largest value\n", Subject<float>::native.empty() ? " none" : "");
        for (const auto& [what, deviation] : worst_) std::printf("  %-44s %9.1e\n", what.c_str(), deviation);
    }

  private:
    std::map<std::string, double> worst_;
};

/// A backend's context with helpers; its end fails a test that made no backend call.
template <class T>
class Bench {
  public:
    using B = Subject<T>;
    using C = typename B::context;

    explicit Bench(unsigned seed = 1) : random_(seed) {}
    ~Bench() {
        if (ctx.calls == 0 && std::uncaught_exceptions() == 0) FAIL_CHECK("this test never called the backend");
    }

    /// Standard normal numbers times `scale`.
    Rows normal(std::size_t rows, std::size_t cols, double scale = 1) {
        std::normal_distribution<double> draw(0, scale);
        Rows out(rows, Row(cols));
        for (Row& row : out)
            for (double& v : row) v = static_cast<double>(static_cast<T>(draw(random_)));  // what T can hold
        return out;
    }
    template <class Tag = void>
    Tensor<B, Tag> put(const Rows& rows) {
        Tensor<B, Tag> tensor(ctx, static_cast<Index>(rows.size()), static_cast<Index>(rows[0].size()));
        std::vector<T> host;
        for (const Row& row : rows)
            for (const double v : row) host.push_back(static_cast<T>(v));
        tensor.upload(ctx, host);
        return tensor;
    }
    ActivationTensor<B> activation(const Rows& rows) { return put<ActivationTag>(rows); }
    CoefficientTensor<B> coefficient(const Rows& rows) { return put<CoefficientTag>(rows); }
    ActivationTensor<B> activation(std::size_t rows, std::size_t cols) { return ActivationTensor<B>(ctx, static_cast<Index>(rows), static_cast<Index>(cols)); }
    CoefficientTensor<B> coefficient(std::size_t rows, std::size_t cols) { return CoefficientTensor<B>(ctx, static_cast<Index>(rows), static_cast<Index>(cols)); }

    template <class Tag>
    Rows get(const Tensor<B, Tag>& tensor) {
        const auto host = tensor.download(ctx);
        Rows out(static_cast<std::size_t>(tensor.rows()), Row(static_cast<std::size_t>(tensor.cols())));
        for (std::size_t i = 0; i < host.size(); ++i) out[i / out[0].size()][i % out[0].size()] = static_cast<double>(host[i]);
        return out;
    }

    C ctx;

  private:
    std::mt19937 random_;
};

inline Rows times(const Rows& a, const Rows& b) {
    Rows out = a;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < a[i].size(); ++j) out[i][j] *= b[i][j];
    return out;
}
inline double total(const Rows& a) {
    double sum = 0;
    for (const Row& row : a)
        for (const double v : row) sum += v;
    return sum;
}
inline double peak(const Rows& a) {
    double most = 0;
    for (const Row& row : a)
        for (const double v : row) most = std::max(most, std::abs(v));
    return most;
}
inline double gap(const Rows& a, const Rows& b) {
    if (a.size() != b.size() || a[0].size() != b[0].size()) return INFINITY;
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < a[i].size(); ++j) {
            const double d = std::abs(a[i][j] - b[i][j]);
            most = std::isnan(d) ? INFINITY : std::max(most, d);
        }
    return most;
}

/// Compares with the oracle within the scalar's tolerance, and notes the deviation.
template <class T>
void agree(const std::string& what, const Rows& mine, const Rows& right, double factor = 1) {
    const double scale = std::max(peak(right), 1e-30);
    const double deviation = gap(mine, right) / scale;
    Report::instance().note(what + (sizeof(T) == 4 ? " f32" : " f64"), deviation);
    INFO(what);
    CHECK(deviation <= factor * tolerance<T>);
}

}  // namespace lrp::test
