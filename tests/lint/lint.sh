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
        pipeline) echo "core backend op rule model analysis io text view pipeline" ;;
        *) echo "" ;;
    esac
}
for room in include/lrp/*/; do
    room=$(basename "$room")
    may=" $(allowed "$room") "
    [ "$may" = "  " ] && complain "include/lrp/$room is a room without a line in tests/lint/lint.sh"
    for file in $(find "include/lrp/$room" -name '*.hpp'); do
        for other in $(sed -n 's/^#include <lrp\/\([a-z_]*\)\/.*/\1/p' "$file" | sort -u); do
            case "$may" in *" $other "*) ;; *) complain "$file includes lrp/$other, which $room may not" ;; esac
        done
    done
done
for file in $(find backends -name '*.hpp'); do
    own=$(echo "$file" | cut -d/ -f2)
    for other in $(sed -n 's/^#include <lrp\/\([a-z_]*\)\/.*/\1/p' "$file" | sort -u); do
        case " core backend reference $own " in *" $other "*) ;; *) complain "$file includes lrp/$other; a backend knows core and backend only" ;; esac
    done
done
grep -l '#include <lrp/' tests/oracle/*.hpp 2>/dev/null | while read -r file; do
    grep '#include <lrp/' "$file" | grep -qv '<lrp/core/' && echo "$file"
done | grep -q . && complain "tests/oracle may include lrp/core only"

# Mirrored stems: a rule and an op have a page; a header of io and text is exercised by a test that includes it.
for kind in rule op; do
    for file in include/lrp/$kind/*.hpp; do
        stem=$(basename "$file" .hpp)
        case $kind/$stem in rule/rule | op/op | op/pointwise | rule/composite | rule/stabilizer | rule/relevance_form) continue ;; esac
        [ -f "docs/$kind/$stem.md" ] || complain "docs/$kind/$stem.md is missing for $file"
    done
    for page in docs/$kind/*.md; do
        stem=$(basename "$page" .md)
        [ "$stem" = README ] || [ -f "include/lrp/$kind/$stem.hpp" ] || complain "$page has no header"
    done
done
for kind in rule op; do
    for file in include/lrp/$kind/*.hpp; do
        grep -rq "<lrp/$kind/$(basename "$file")>" tests include --include='*.[ch]pp' || complain "$file is used by nothing"
    done
done

# Every source file: two SPDX lines, at most 500 lines, nothing left undone.
for file in $(git ls-files 2>/dev/null | grep -E '\.(hpp|cpp|cu|py|sh|cmake)$|CMakeLists\.txt$' || find include backends tests bench examples -type f -name '*.[ch]pp'); do
    [ -f "$file" ] || continue
    head -4 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' || complain "$file has no SPDX lines"
    [ "$(wc -l <"$file")" -le 500 ] || complain "$file is longer than 500 lines"
    [ "$file" = tests/lint/lint.sh ] || { grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "$file" && complain "$file leaves something undone"; }
done

# Macros live in core/config.hpp and begin with LRP_.
for file in $(grep -rl '^#define' include backends); do
    [ "$file" = include/lrp/core/config.hpp ] || complain "$file defines a macro"
done
grep '^#define' include/lrp/core/config.hpp | grep -v '^#define LRP_' && complain "a macro of core/config.hpp does not begin with LRP_"
[ $bad = 0 ] && echo "lint: clean"
exit $bad
