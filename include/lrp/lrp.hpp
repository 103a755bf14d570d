// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Everything that a program which explains a checkpoint on the CPU needs. Includes only.
#pragma once

#include <lrp/analysis/conservation.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/pipeline/trace_file.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>
#include <lrp/view/ansi.hpp>
#include <lrp/view/html.hpp>
#include <lrp/view/svg.hpp>
#include <lrp/view/tex.hpp>
