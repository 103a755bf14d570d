// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Level 1: one rule on one Eigen matrix. No model, no files.
#include <iostream>

#include <Eigen/Dense>

#include <lrp/eigen/adapt.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/op/linear.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/relevance_form.hpp>

using namespace lrp;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

int main() {
    EigenBackend<double>::context ctx;
    RowMajor x = RowMajor::Random(2, 4), weight = RowMajor::Random(3, 4), z(2, 3), relevance(2, 3), result(2, 4);

    const Linear::Params<double> params{as_view(weight)};
    Linear::forward(ctx, params, Activation<const double>(as_view(x)), Activation<double>(as_view(z)));
    relevance = z;  // explain the outputs themselves
    const Linear::Saved<double> saved{Activation<const double>(as_view(x)), Activation<const double>(as_view(z))};
    propagate_relevance(ctx, EpsilonRule<Linear>{1e-6}, params, saved, Relevance<const double>(as_view(relevance)), Relevance<double>(as_view(result)));

    std::cout << "relevance of the inputs\n" << result << "\nsum " << result.sum() << " of " << relevance.sum() << '\n';
    return std::abs(result.sum() - relevance.sum()) < 1e-4 ? 0 : 1;
}
