// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every op: forward against the oracle, vjp against central differences of the oracle's forward, contiguous and as column slices.
// One header per op, with the op's stem.
#include "conformance/op_add.hpp"
#include "conformance/op_embedding.hpp"
#include "conformance/op_gated_product.hpp"
#include "conformance/op_gelu.hpp"
#include "conformance/op_layer_norm.hpp"
#include "conformance/op_linear.hpp"
#include "conformance/op_matmul.hpp"
#include "conformance/op_multiply.hpp"
#include "conformance/op_relu.hpp"
#include "conformance/op_rms_norm.hpp"
#include "conformance/op_rope.hpp"
#include "conformance/op_silu.hpp"
#include "conformance/op_softmax.hpp"
#include "conformance/op_tanh.hpp"
#include "conformance/op_tiled_attention.hpp"
