#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The README's C++ example is examples/03_trace, word for word, so that what is shown is what is compiled;
# and the packages it names are those that are installed. Usage: readme.sh ROOT
set -eu
cd "$1"
shown=$(awk '/^```cpp$/{on = 1; next} /^```/{on = 0} on' README.md)
real=$(sed '/^\/\//d' examples/03_trace/main.cpp)
[ "$shown" = "$real" ] || { echo "README.md and examples/03_trace/main.cpp differ"; exit 1; }
named=$(sed -n '/^They install: /,/^$/p' README.md | sed 's/^They install: //; s/\.$//' | tr -d ',' | xargs)
[ "$named" = "$(xargs <scripts/packages.txt)" ] || { echo "README.md and scripts/packages.txt name other packages"; exit 1; }
