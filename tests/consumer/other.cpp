// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A second translation unit with another backend, so that a definition twice in one program would be found.
#include "other.hpp"

#include <lrp/op/relu.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/identity.hpp>

float other() {
    lrp::ReferenceBackend<float>::context ctx;
    float x = 2, y = 0;
    lrp::ReLU::forward(ctx, {}, lrp::Activation<const float>({&x, 1, 1}), lrp::Activation<float>({&y, 1, 1}));
    return y;
}
