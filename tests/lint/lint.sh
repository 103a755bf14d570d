#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The rules of the house that a grep can hold: include arrows, mirrored stems, licence lines, macros, lengths. Usage: lint.sh ROOT
cd "$1" || exit 2
bad=0
complain() {
    echo "lint: $1"
    bad=1
}
# The rooms of include/lrp that a file includes.
rooms_of() {
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]lrp\/\([a-z_]*\)\/.*/\1/p' "$1" | sort -u
}

# Who may include whom: "room: rooms it may include".
allowed() {
    case $1 in
        core) echo "core" ;;
        backend) echo "core backend" ;;
        op) echo "core backend op" ;;
        rule) echo "core backend op rule" ;;
        model) echo "core backend op rule model" ;;
        analysis) echo "core backend op rule model analysis" ;;
        view) echo "core analysis view" ;;
        io) echo "core io" ;;
        text) echo "core io text" ;;
        store) echo "core io store" ;;
        pipeline) echo "core backend op rule model analysis io text store view pipeline" ;;
        *) echo "" ;;
    esac
}
for room in include/lrp/*/; do
    room=$(basename "$room")
    may=" $(allowed "$room") "
    [ "$may" = "  " ] && complain "include/lrp/$room is a room without a line in tests/lint/lint.sh"
    for file in $(find "include/lrp/$room" -name '*.hpp'); do
        for other in $(rooms_of "$file"); do
            case "$may" in *" $other "*) ;; *) complain "$file includes lrp/$other, which $room may not" ;; esac
        done
        grep -q '<lrp/lrp.hpp>' "$file" && complain "$file includes the umbrella"
    done
done
for file in $(find backends -name '*.hpp'); do
    own=$(echo "$file" | cut -d/ -f2)
    for other in $(rooms_of "$file"); do
        case " core backend reference $own " in *" $other "*) ;; *) complain "$file includes lrp/$other; a backend knows core and backend only" ;; esac
    done
done
# Who may include a library that not everybody has: "library: the only files, as a pattern".
outsider() {
    while read -r library pattern; do
        for file in $(grep -rlE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($library)" include backends --include='*.hpp'); do
            echo "$file" | grep -qE "^($pattern)$" || complain "$file includes ${library%%[|(/]*}, which is for $pattern"
        done
    done
}
outsider <<'LIBRARIES'
Eigen/ backends/eigen/.*
xtensor|xflens/ backends/xtensor/lrp/xtensor/includes.hpp
cuda|cublas|cub/ backends/(cuda|thrust)/.*
thrust/ backends/(cuda|thrust)/.*
sqlite3 include/lrp/store/database.hpp
LIBRARIES
grep -nE '<lrp/(xtensor|cuda|thrust)/' include/lrp/lrp.hpp && complain "include/lrp/lrp.hpp includes a backend that must be asked for"
for file in tests/oracle/*.hpp; do
    for other in $(rooms_of "$file"); do
        [ "$other" = core ] || complain "$file includes lrp/$other; the oracle shares nothing with what it checks"
    done
    grep '^#include "' "$file" | grep -qv '^#include "oracle/' && complain "$file includes more than the oracle and the standard library"
done

# Mirrored stems. A rule and an op have a page and a conformance test, a rule its oracle.
for kind in rule op; do
    for file in include/lrp/$kind/*.hpp; do
        stem=$(basename "$file" .hpp)
        grep -rq "<lrp/$kind/$stem.hpp>" tests include --include='*.[ch]pp' || complain "$file is used by nothing"
        case $kind/$stem in rule/rule | op/op | op/pointwise | rule/composite | rule/stabilizer | rule/relevance_form) continue ;; esac
        [ -f "docs/$kind/$stem.md" ] || complain "docs/$kind/$stem.md is missing for $file"
        [ -f "tests/conformance/${kind}_$stem.hpp" ] || complain "tests/conformance/${kind}_$stem.hpp is missing for $file"
        [ $kind = op ] || [ -f "tests/oracle/$stem.hpp" ] || complain "tests/oracle/$stem.hpp is missing for $file"
    done
    for page in docs/$kind/*.md; do
        stem=$(basename "$page" .md)
        [ "$stem" = README ] && continue
        [ -f "include/lrp/$kind/$stem.hpp" ] || complain "$page has no header"
        for part in '^## Saves$' '^## Conserves$' '[Cc]oefficient' '\.svg)\|^Plots: on'; do
            grep -q "$part" "$page" || complain "$page says nothing that matches $part"
        done
    done
    for test in tests/conformance/"${kind}"_*.hpp; do
        grep -q "\"conformance/$(basename "$test")\"" "tests/conformance/${kind}s_test.cpp" || complain "$test is not included by ${kind}s_test.cpp: it never runs"
    done
done
# A header of the other rooms has a test of its name, or a line that says where it is tested.
elsewhere=tests/lint/tested_elsewhere.txt
for room in core io text store view analysis; do
    for file in include/lrp/$room/*.hpp; do
        name=$room/$(basename "$file")
        own=tests/$room/$(basename "$file" .hpp)_test.cpp
        if grep -q "^$name " $elsewhere; then
            [ -f "$own" ] && complain "$elsewhere lists $name, which has $own"
        else
            [ -f "$own" ] || complain "$own is missing for $file"
        fi
    done
done
# A test that no program has never runs.
for folder in $(ls tests/*/*_test.cpp | cut -d/ -f2 | sort -u); do
    grep -qE "lrp_test_folder\($folder |foreach\(folder( .*)? $folder[ )]|[( ]$folder/\*_test\.cpp" tests/CMakeLists.txt ||
        complain "tests/$folder has tests, but tests/CMakeLists.txt makes no program of them"
done
while read -r name where reason; do
    case $name in '#'*) continue ;; esac
    [ -f "include/lrp/$name" ] || complain "$elsewhere lists $name, which does not exist"
    [ -f "$where" ] || complain "$elsewhere says that $name is tested in $where, which does not exist"
    [ -n "$reason" ] || complain "$elsewhere gives no reason for $name"
done <$elsewhere

# Every source file: two SPDX lines, at most 500 lines, nothing left undone; every header is included once.
for file in $(git ls-files 2>/dev/null | grep -E '\.(hpp|cpp|cu|py|sh|cmake)$|CMakeLists\.txt$' || find include backends tests bench examples -type f -name '*.[ch]pp'); do
    [ -f "$file" ] || continue
    head -4 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' || complain "$file has no SPDX licence line"
    head -4 "$file" | grep -q 'SPDX-FileCopyrightText: ' || complain "$file has no SPDX copyright line"
    [ "$(wc -l <"$file")" -le 500 ] || complain "$file is longer than 500 lines"
    case $file in *.hpp) grep -q '^#pragma once$' "$file" || complain "$file has no #pragma once" ;; esac
    case $file in tests/lint/*) ;; *) grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "$file" && complain "$file leaves something undone" ;; esac
done

# Macros live in core/config.hpp and begin with LRP_.
for file in $(grep -rlE '^[[:space:]]*#[[:space:]]*define' include backends); do
    [ "$file" = include/lrp/core/config.hpp ] || complain "$file defines a macro"
done
grep '^#define' include/lrp/core/config.hpp | grep -qv '^#define LRP_' && complain "a macro of core/config.hpp does not begin with LRP_"
[ $bad = 0 ] && echo "lint: clean"
exit $bad
