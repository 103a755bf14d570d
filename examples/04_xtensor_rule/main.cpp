// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Level 1 with xtensor: one rule on xt::xarray, a slice among them. No model, no files, no copies.
#include <cmath>
#include <iostream>

#include <lrp/op/linear.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/relevance_form.hpp>
#include <lrp/xtensor/adapt.hpp>
#include <lrp/xtensor/backend.hpp>

using namespace lrp;

int main() {
    XtensorBackend<double>::context ctx;
    const xt::xarray<double> weight{{0.5, -1.0, 0.25, 2.0}, {1.5, 0.75, -0.5, 1.0}, {-0.25, 1.0, 3.0, 0.5}};  // [outputs, inputs]
    xt::xarray<double> table{{9, 1.0, -0.5, 2.0, 0.25, 9}, {9, 0.75, 1.5, -1.0, 0.5, 9}};
    auto x = xt::view(table, xt::all(), xt::range(1, 5));  // the inputs are the middle columns
    xt::xarray<double> z = xt::zeros<double>({2, 3}), result = xt::zeros<double>({2, 4});

    const Linear::Params<double> params{as_view(weight)};
    Linear::forward(ctx, params, Activation<const double>(as_view(x)), Activation<double>(as_view(z)));
    const xt::xarray<double> relevance = z;  // explain the outputs themselves
    const Linear::Saved<double> saved{Activation<const double>(as_view(x)), Activation<const double>(as_view(z))};
    propagate_relevance(ctx, EpsilonRule<Linear>{1e-6}, params, saved, Relevance<const double>(as_view(relevance)), Relevance<double>(as_view(result)));

    const double sum = xt::sum(result)(), explained = xt::sum(relevance)();
    std::cout << "relevance of the inputs\n" << result << "\nsum " << sum << " of " << explained << '\n';
    return std::abs(sum - explained) < 1e-4 ? 0 : 1;
}
