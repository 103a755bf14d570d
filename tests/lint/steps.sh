#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Follows a how-to page of steps to the letter, in a copy of the tree. Its blocks, in order: ```sh is run and must succeed; ```sh (fails)
# must not; ```sh (program) is run where PROGRAM is ON; ```cpp FILE is put where it says; ```diff is applied; of ```text, every line must be in what the command before
# said. A sentence `backend: ...` of the page must be one of the library's, and each of those must be on the page.
# Usage: steps.sh ROOT PAGE WORK PROGRAM; CXX, CXXFLAGS and CMAKE_GENERATOR say with what to build.
set -eu
root=$1 page=$2 work=$3 program=$4
rm -rf "$work"
mkdir -p "$work/tree/tests" "$work/tree/examples/models" "$work/blocks"
for part in CMakeLists.txt README.md LICENSE cmake include backends docs; do cp -r "$root/$part" "$work/tree"; done
for part in "$root"/tests/*; do [ "$(basename "$part")" = golden ] || cp -r "$part" "$work/tree/tests"; done
for part in "$root"/examples/*; do [ "$(basename "$part")" = models ] || cp -r "$part" "$work/tree/examples"; done
cp -r "$root/examples/models/mini" "$work/tree/examples/models"

sed -n 's/.*static_assert.*"\(backend: .*\)");$/\1/p' "$root/include/lrp/backend/backend.hpp" | sort >"$work/said.txt"
grep -o '`backend: [^`]*`' "$page" | tr -d '`' | sort -u >"$work/quoted.txt"
diff "$work/said.txt" "$work/quoted.txt" || { echo "steps: the sentences of the library (<) and of $page (>) differ"; exit 1; }

awk -v to="$work/blocks/" '
    /^```(sh|diff|text)/ && file == "" {
        kind = $0 ~ /\(fails\)/ ? "fails" : $0 ~ /\(program\)/ ? "program" : substr($1, 4)
        file = sprintf("%s%02d.%s", to, ++count, kind)
        printf "" > file
        next
    }
    /^```cpp / { file = to "../tree/" $2; next }
    /^```/ { file = "" }
    file != "" { print > file }' "$page"
[ "$(ls "$work/blocks" | wc -l)" -gt 0 ] || { echo "steps: $page has no steps"; exit 1; }

cd "$work/tree"
said=$work/last.txt
skipped=no
for block in "$work"/blocks/*; do
    echo "== $(basename "$block")"
    cat "$block"
    case $block in *.text) ;; *) skipped=no ;; esac
    case $block in
        *.program) [ "$program" = ON ] || { skipped=yes; echo "-- left out: the program is not built here"; continue; } ;;
        *.text)
            [ $skipped = no ] || continue
            while read -r line; do
                grep -qF -- "$line" "$said" || { cat "$said"; echo "steps: '$line' was not said"; exit 1; }
            done <"$block"
            continue ;;
    esac
    status=0
    case $block in
        *.diff) patch -p1 --forward --fuzz=0 <"$block" >"$said" 2>&1 || status=$? ;;
        *) sh -eu "$block" >"$said" 2>&1 || status=$? ;;
    esac
    case $block in
        *.fails) [ $status != 0 ] || { echo "steps: this should have failed"; exit 1; } ;;
        *) [ $status = 0 ] || { cat "$said"; echo "steps: this failed"; exit 1; } ;;
    esac
done
echo "steps: $(ls "$work/blocks" | wc -l) blocks of $(basename "$page") hold"
