#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Kills a collection (kill -9) at random moments, lets it go on, and compares the end with an undisturbed one. Usage:
#   kill.sh LRP MODEL CORPUS FOLDER KILLS
# Each round begins a new collection when the one before is finished. 200 kills take a while: sh tests/cli/kill.sh build/release/bin/lrp
# examples/models/mini corpus.txt folder 200
set -u
lrp=$1 model=$2 corpus=$3 folder=$4 kills=$5
mkdir -p "$folder" || exit 2
collect() { "$lrp" collect "$model" "$corpus" -o "$1" --batch 128 --top 6 --before 4 --after 3 --threads 1 2>"$folder/err"; }
start=$(date +%s%N)
collect "$folder/right" || { cat "$folder/err"; exit 1; }
whole=$((($(date +%s%N) - start) / 1000000)) # milliseconds
done=0 finished=0 seed=1
while [ "$done" -lt "$kills" ]; do
    # A moment within about the whole run: a linear congruence, so that a failure can be repeated.
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    wait_for=$((seed / 7 % (whole + 1)))
    start=$(date +%s%N)
    timeout -s KILL "$(awk "BEGIN {print ($wait_for + 1) / 1000}")" "$lrp" collect "$model" "$corpus" -o "$folder/killed" --batch 128 --top 6 --before 4 --after 3 --threads 1 2>"$folder/err"
    code=$?
    if [ $code -eq 137 ]; then
        done=$((done + 1))
    else
        whole=$((($(date +%s%N) - start) / 1000000)) # the machine is faster now
    fi
    if [ $code -ne 137 ] && [ $code -ne 0 ]; then echo "after $done kills: the program failed ($code)"; cat "$folder/err"; exit 1; fi
    if [ -f "$folder/killed/store.sqlite" ] && ! ls "$folder/killed"/work.* >/dev/null 2>&1; then
        diff -r "$folder/right" "$folder/killed" || { echo "after $done kills: the store differs"; exit 1; }
        finished=$((finished + 1))
        rm -rf "$folder/killed"
    fi
done
collect "$folder/killed" || { cat "$folder/err"; exit 1; }
diff -r "$folder/right" "$folder/killed" || { echo "after $done kills: the store differs"; exit 1; }
echo "$done kills: the same store, $((finished + 1)) times"
