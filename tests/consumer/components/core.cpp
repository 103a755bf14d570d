// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/op/linear.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/epsilon.hpp>

template class lrp::Tensor<lrp::ReferenceBackend<float>>;
