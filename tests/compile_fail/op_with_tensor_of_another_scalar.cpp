// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: numbers of one scalar type are not read as those of another: op, context and tensors share one
// expect nvcc: [with Tag=lrp::ActivationTag, T=const float, U=double]
#include <lrp/op/linear.hpp>
#include <lrp/reference/backend.hpp>

using namespace lrp;
using B = ReferenceBackend<float>;
void run(B::context& ctx, Activation<float> x, Activation<double> other, Activation<float> z) {
    static_cast<void>(other);
    const Linear::Params<float> p{};
#if defined(LRP_BAD)
    Linear::forward(ctx, p, other, z);
#else
    Linear::forward(ctx, p, x, z);
#endif
}
