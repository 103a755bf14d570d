// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: ActivationTag
#include <lrp/reference/backend.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/op/linear.hpp>

using namespace lrp;
void use(ReferenceBackend<float>::context& ctx, Activation<float> x, Coefficient<float> c, Relevance<float> r) {
    (void)x, (void)r;
    const Linear::Params<float> p{};
    const Linear::Saved<float> saved{};
#if defined(LRP_BAD)
    EpsilonRule<Linear>{}.propagate(ctx, p, saved, x, c);
#else
    EpsilonRule<Linear>{}.propagate(ctx, p, saved, c, c);
#endif
}
