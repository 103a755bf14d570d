#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# From a fresh Debian 12 to the tests passed: installs what is missing, builds everything, runs every test.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
cmake --preset release -DLRP_BUILD_TESTS=ON
cmake --build --preset release --target all all_verify_interface_header_sets
ctest --preset release -j "$(nproc)"
