#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Follows a how-to page to the letter: each ```cpp FILE block is put where it says, in a copy of the headers, and each *_test.cpp among
# them is compiled and run. Usage: follow.sh ROOT PAGE COMPILER
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$1/include" "$1/backends" "$work"
awk -v work="$work" '/^```cpp /{file = work "/" $2; next} /^```/{file = ""} file != ""{print > file}' "$2"
tests=$(find "$work" -maxdepth 1 -name '*_test.cpp')
[ -n "$tests" ] || { echo "$2 has no test"; exit 1; }
for test in $tests; do
    "$3" -std=c++20 -Wall -Wextra -Werror -I"$work/include" -I"$work/backends/reference" "$test" -o "$work/run"
    "$work/run"
done
