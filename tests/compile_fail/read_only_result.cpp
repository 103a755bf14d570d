// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: Coefficient<const float>
#include <lrp/op/linear.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/epsilon.hpp>

using namespace lrp;
void use(ReferenceBackend<float>::context& ctx, View<float> plain, Coefficient<const float> read, Coefficient<float> write) {
    (void)plain, (void)write;
    const Linear::Params<float> p{};
    const Linear::Saved<float> saved{};
#if defined(LRP_BAD)
    EpsilonRule<Linear>{}.propagate(ctx, p, saved, read, read);
#else
    EpsilonRule<Linear>{}.propagate(ctx, p, saved, read, write);
#endif
}
