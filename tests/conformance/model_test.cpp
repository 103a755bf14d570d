// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The whole model, every site of both passes, against the reference backend in double with the same weights.
#include "conformance/model_case.hpp"

using namespace lrp;
using namespace lrp::test;

namespace {

struct MixedRules : AttnLRP {
    using activation = GradientRule<SiLU>;
    using scores = GradientRule<MatMul>;
};

}  // namespace

TEMPLATE_TEST_CASE("the whole model agrees with the double reference at every site", "[model]", float, double) {
    Bench<TestType> bench;  // counts that this backend is the one asked
    auto one = bench.activation(1, 1);
    Bench<TestType>::B::fill(bench.ctx, one.out(), TestType(1));
    check_model<Subject<TestType>, AttnLRP>("AttnLRP");
    check_model<Subject<TestType>, CpLRP>("CP-LRP");
    check_model<Subject<TestType>, Gradient>("Gradient");
    check_model<Subject<TestType>, MixedRules>("mixed rules");
}
