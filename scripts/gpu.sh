#!/bin/sh
# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# What to run on a machine with a CUDA card: sh scripts/gpu.sh [build|test|sanitize|bench|compare|all]. Each block is meant to stay below ten minutes
# (that has not been timed on a card); `bench` can be cut further: sh scripts/gpu.sh bench rows. Results: build/cuda/results/.
# LRP_CUDA_ARCHITECTURES=90 compiles for other cards than this machine's; PYTHON names the Python that has PyTorch and LXT.
# Ends with 0, with 1 if something failed, with 77 if there is no card to run on.
set -u
cd "$(dirname "$0")/.." || exit 1
build=build/cuda
results=$build/results
python=${PYTHON:-python3}
failed=0
skipped=
say() { echo "gpu: $*"; }

# keep NAME COMMAND...: runs it, output on screen and in results/NAME; counts a failure unless it ends with 0 or 77.
keep() {
    name=$1
    shift
    say "$name: $*"
    { "$@" 2>&1; echo $? >"$results/.code"; } | tee "$results/$name"
    code=$(cat "$results/.code")
    rm -f "$results/.code"
    case $code in
        0) ;;
        77)
            say "$name was skipped"
            skipped="$skipped $name"
            ;;
        *)
            say "$name FAILED with $code"
            failed=1
            ;;
    esac
}
has_package() {  # NAME...: whether CMake finds it; --find-package would warn, so a project of three lines is asked
    probe=$build/probe/$1
    mkdir -p "$probe"
    printf 'cmake_minimum_required(VERSION 3.23)\nproject(probe LANGUAGES CXX)\nfind_package(%s REQUIRED)\n' "$1" >"$probe/CMakeLists.txt"
    cmake -G Ninja -S "$probe" -B "$probe/build" >/dev/null 2>&1
}
card() {
    if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
        say "there is no card here: nvidia-smi is missing or lists none"
        return 1
    fi
}
built() {
    [ -x "$build/bin/$1" ] && return 0
    say "$build/bin/$1 is not there: sh scripts/gpu.sh build"
    failed=1
    return 1
}

block_build() {
    for tool in cmake ninja; do
        command -v $tool >/dev/null || { say "$tool is missing"; failed=1; return; }
    done
    command -v nvcc >/dev/null || PATH=$PATH:/usr/local/cuda/bin
    command -v nvcc >/dev/null || { say "nvcc is missing: put the CUDA toolkit's bin folder on the path"; failed=1; return; }
    tests=ON
    has_package Catch2 || { say "Catch2 is missing: no conformance tests"; tests=OFF; }
    # `native` asks the card; without one the project's own list is compiled.
    arch=${LRP_CUDA_ARCHITECTURES:-}
    if [ -z "$arch" ]; then if card; then arch=native; else arch="80;90;100"; fi; fi
    keep configure.txt cmake --preset cuda "-DCMAKE_CUDA_ARCHITECTURES=$arch" -DLRP_BUILD_TESTS=$tests -DLRP_BUILD_EXAMPLES=ON
    [ $failed -eq 0 ] || return
    # What lacks a package is left out; configure.txt says of what.
    targets=
    ninja -C $build -t targets all >$build/targets.txt
    for target in bench_card gpu_two_layers conformance_cuda bench_cuda lrp; do
        if grep -q "^$target: phony" $build/targets.txt; then targets="$targets $target"; else say "$target is left out: it needs a package that is missing"; fi
    done
    # shellcheck disable=SC2086
    keep build.txt cmake --build --preset cuda --target $targets
}

block_test() {
    built gpu_two_layers || return
    keep two_layers.txt "$build/bin/gpu_two_layers"
    if [ -x $build/tests/gpu/conformance_cuda ]; then
        keep ctest.txt ctest --test-dir $build -L '^gpu$' -V
    else
        say "conformance_cuda was not built: no conformance tests"
    fi
    if [ -x $build/bin/lrp ]; then
        rm -f "$results/trace_1.json" "$results/trace_2.json"  # those of an earlier run prove nothing
        for run in 1 2; do
            keep "trace_$run.txt" $build/bin/lrp trace examples/models/mini "I have 5 cats and 3 dogs" --backend cuda --json "$results/trace_$run.json"
        done
        if [ ! -s "$results/trace_1.json" ] || [ ! -s "$results/trace_2.json" ]; then say "no two traces to compare"; failed=1
        elif cmp "$results/trace_1.json" "$results/trace_2.json"; then say "two traces are the same bits"; else say "two traces DIFFER"; failed=1; fi
        keep check.txt $build/bin/lrp check examples/models/mini "I have 5 cats and 3 dogs" --backend cuda --against eigen
        keep check_bf16.txt $build/bin/lrp check examples/models/mini "I have 5 cats and 3 dogs" --backend cuda-bf16 --against eigen --tolerance 0.05
    fi
}

block_sanitize() {
    built gpu_two_layers || return
    command -v compute-sanitizer >/dev/null || PATH=$PATH:/usr/local/cuda/bin
    command -v compute-sanitizer >/dev/null || { say "compute-sanitizer is missing"; failed=1; return; }
    for tool in memcheck racecheck initcheck synccheck; do
        keep "$tool.txt" compute-sanitizer --tool $tool --error-exitcode 9 "$build/bin/gpu_two_layers"
    done
}

block_bench() {
    built bench_card || return
    for part in ${1:-products rows attention layer model}; do keep "card_$part.md" "$build/bin/bench_card" "$part"; done
    if [ -z "${1:-}" ] && [ -x $build/bin/bench_cuda ]; then
        keep bench_cuda.txt $build/bin/bench_cuda --benchmark_filter='layer/|op/' --benchmark_min_time=0.05 --benchmark_repetitions=3 \
            --benchmark_report_aggregates_only=true
    fi
}

block_compare() {
    for shape in 1b 8b; do
        for type in bf16 f32; do
            [ $shape$type = 8bf32 ] && continue  # 32 GB of weights for products without tensor cores: ask lxt_speed.py itself
            keep "lxt_${shape}_$type.md" "$python" bench/compare/lxt_speed.py --device cuda --shape $shape --type $type
        done
    done
}

what=${1:-all}
case $what in
    build | test | sanitize | bench | compare | all) ;;
    *)
        echo "usage: sh scripts/gpu.sh [build|test|sanitize|bench [BLOCK]|compare|all]" >&2
        exit 2
        ;;
esac
mkdir -p $results
if [ "$what" = build ] || [ "$what" = all ]; then block_build; fi
if [ "$what" != build ]; then
    if [ $failed -ne 0 ]; then exit 1; fi
    card || exit 77
    nvidia-smi >"$results/card.txt" 2>&1
    case $what in
        all) for block in test sanitize bench compare; do "block_$block"; done ;;
        bench) block_bench "${2:-}" ;;
        *) "block_$what" ;;
    esac
fi
[ -n "$skipped" ] && say "skipped, so nothing is known of:$skipped"
[ $failed -eq 0 ] && say "done, results in $results"
exit $failed
