#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The lint notices what it is for: a copy of the tree gets one mistake of every kind, and each must be named. Usage: lint_test.sh ROOT
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lint="$1/tests/lint/lint.sh"
mkdir "$work/tests" "$work/bench" "$work/examples"
for part in include backends docs; do cp -r "$1/$part" "$work"; done
for part in "$1"/tests/*; do [ "$(basename "$part")" = golden ] || cp -r "$part" "$work/tests"; done
cd "$work"
sh "$lint" . >clean.txt || { cat clean.txt; echo "lint_test: the tree itself is not clean"; exit 1; }

: >expected.txt
# mistake MESSAGE COMMAND: COMMAND makes the mistake of which the lint must say MESSAGE.
mistake() {
    echo "$1" >>expected.txt
    eval "$2"
}
add() { echo "$2" >>"$1"; }
mistake "op/add.hpp includes lrp/rule, which op may not" "add include/lrp/op/add.hpp '#include <lrp/rule/rule.hpp>'"
mistake "core/error.hpp includes lrp/io, which core may not" "add include/lrp/core/error.hpp '#  include \"lrp/io/json.hpp\"'"
mistake "op/silu.hpp includes the umbrella" "add include/lrp/op/silu.hpp '#include <lrp/lrp.hpp>'"
mistake "include/lrp/attic is a room without a line" "mkdir include/lrp/attic"
mistake "a backend knows core and backend only" "add backends/reference/lrp/reference/backend.hpp '#include <lrp/op/op.hpp>'"
mistake "rule/taylor.hpp includes Eigen, which is for backends/eigen" "add include/lrp/rule/taylor.hpp '#include <Eigen/Core>'"
mistake "reference/backend.hpp includes xtensor, which is for" "add backends/reference/lrp/reference/backend.hpp '# include <xtensor-blas/xblas.hpp>'"
mistake "eigen/backend.hpp includes cuda, which is for" "add backends/eigen/lrp/eigen/backend.hpp '#include <cuda_runtime.h>'"
mistake "core/tensor.hpp includes thrust, which is for" "add include/lrp/core/tensor.hpp '#include <thrust/device_vector.h>'"
mistake "lrp.hpp includes a backend that must be asked for" "add include/lrp/lrp.hpp '#include <lrp/xtensor/backend.hpp>'"
mistake "the oracle shares nothing" "add tests/oracle/taylor.hpp '#include <lrp/rule/taylor.hpp>'"
mistake "includes more than the oracle" "add tests/oracle/stop.hpp '#include \"conformance/fixture.hpp\"'"
mistake "docs/rule/taylor.md is missing" "rm docs/rule/taylor.md"
mistake "docs/op/dream.md has no header" "touch docs/op/dream.md"
mistake "docs/op/tanh.md says nothing that matches ^## Conserves" "sed -i '/^## Conserves/d' docs/op/tanh.md"
mistake "tests/conformance/op_rope.hpp is missing" "rm tests/conformance/op_rope.hpp"
mistake "tests/oracle/gamma.hpp is missing" "rm tests/oracle/gamma.hpp"
mistake "rule_stop.hpp is not included by rules_test.cpp: it never runs" "sed -i /rule_stop/d tests/conformance/rules_test.cpp"
mistake "tests/core/site_test.cpp is missing" "rm tests/core/site_test.cpp"
mistake "tests/xtensor has tests, but tests/CMakeLists.txt makes no program of them" "sed -i '/lrp_test_folder(xtensor/d' tests/CMakeLists.txt"
mistake "tests/dream has tests, but" "mkdir tests/dream; touch tests/dream/a_test.cpp"
mistake "lists core/config.hpp, which has" "touch tests/core/config_test.cpp"
mistake "lists core/dream.hpp, which does not exist" "add tests/lint/tested_elsewhere.txt 'core/dream.hpp tests/main.cpp none'"
mistake "op/relu.hpp has no SPDX licence line" "sed -i 2d include/lrp/op/relu.hpp"
mistake "op/tanh.hpp has no SPDX copyright line" "sed -i 1d include/lrp/op/tanh.hpp"
mistake "op/gelu.hpp has no #pragma once" "sed -i /pragma/d include/lrp/op/gelu.hpp"
mistake "op/rope.hpp is longer than 500 lines" "yes // | head -500 >>include/lrp/op/rope.hpp"
mistake "op/softmax.hpp leaves something undone" "add include/lrp/op/softmax.hpp '// TO''DO'"
mistake "op/linear.hpp defines a macro" "add include/lrp/op/linear.hpp ' # define LRP_X'"
mistake "does not begin with LRP_" "add include/lrp/core/config.hpp '#define X'"

if sh "$lint" . >said.txt 2>&1; then
    echo "lint_test: the lint is content with a tree full of mistakes"
    exit 1
fi
missed=0
while read -r message; do
    grep -qF "$message" said.txt || { echo "lint_test: the lint does not say '$message'"; missed=1; }
done <expected.txt
[ $missed = 0 ] && echo "lint_test: $(wc -l <expected.txt) kinds of mistake, each named"
exit $missed
