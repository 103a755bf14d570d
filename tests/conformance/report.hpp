// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The tables a conformance program prints when it ends.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <lrp/backend/native.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp::test {

/// Largest deviation seen, relative to the largest value, by what was compared and in which scalar.
class Report {
  public:
    Report(std::string backend, std::vector<Native> native) : backend_(std::move(backend)), native_(std::move(native)) {}
    Report(const Report&) = delete;
    Report& operator=(const Report&) = delete;

    template <Scalar T>
    void note(const std::string& what, double deviation) {
        double& worst = worst_[what][sizeof(T) == sizeof(double) ? 1 : 0];
        worst = std::max(worst, deviation);
    }

    ~Report() {
        std::printf("\nbackend %s\n%-44s %s\n", backend_.c_str(), "composed op", "computed");
        for (std::size_t i = 0; i < native_names.size(); ++i) {
            const bool own = std::find(native_.begin(), native_.end(), static_cast<Native>(i)) != native_.end();
            std::printf("%-44s %s\n", std::string(native_names[i]).c_str(), own ? "natively" : "from the primitives");
        }
        std::printf("\n%-44s %9s %9s\n", "largest deviation from the oracle", "float32", "float64");
        for (const auto& [what, worst] : worst_) {
            std::printf("%-44s", what.c_str());
            for (const double deviation : worst) deviation < 0 ? std::printf(" %9s", "-") : std::printf(" %9.1e", deviation);
            std::printf("\n");
        }
    }

  private:
    struct Worst : std::array<double, 2> {
        Worst() : std::array<double, 2>{-1, -1} {}
    };
    std::string backend_;
    std::vector<Native> native_;
    std::map<std::string, Worst> worst_;
};

}  // namespace lrp::test
