#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# From a fresh Debian 12 to the first picture: installs what is missing, builds the program, traces the shipped checkpoint.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
cmake --preset release -DLRP_BUILD_TESTS=OFF >/dev/null
echo "demo: building build/release/bin/lrp (a few minutes on two cores)"
cmake --build --preset release --target lrp -- --quiet
build/release/bin/lrp trace examples/models/mini "${1:-I have 5 cats and 3 dogs. My cats love to play with my}" \
    --html trace.html --include-embedding
echo
echo "The same as a page: $(pwd)/trace.html"
