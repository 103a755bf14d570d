// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A stranger's program: one rule on a matrix of Eigen's, and a model with its tokenizer.
#include <iostream>

#include <Eigen/Dense>

#include <lrp/eigen/backend.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "other.hpp"

int main(int argc, char** argv) {
    using B = lrp::EigenBackend<float>;
    auto model = lrp::Pretrained<B, lrp::AttnLRP>::load(argc > 1 ? argv[1] : ".");
    const lrp::Trace trace = model.explain("I have 5 cats and 3 dogs. My cats love to play with my");
    std::cout << trace.target_token << ' ' << trace.explained << ' ' << other() << '\n';
    return trace.target_token == " dogs" && other() == 2.0f ? 0 : 1;
}
