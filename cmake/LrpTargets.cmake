# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The interface targets: one per group of headers that needs the same libraries.
#   lrpxx::core     core, backend, op, rule, model, analysis and the reference backend: no dependency
#   lrpxx::eigen    the Eigen backend       lrpxx::xtensor  the xtensor backend
#   lrpxx::thrust   the Thrust backend on the host (thrust_omp, thrust_tbb: with those threads)
#   lrpxx::cuda     the Thrust backend on CUDA cards, for sources compiled by nvcc
#   lrpxx::io       checkpoints and data files      lrpxx::text  tokenizers      lrpxx::view  pictures
#   lrpxx::store    the neuron store (SQLite)
#   lrpxx::lrpxx    core, eigen, io, text, view and, where there is SQLite, store; the other backends are for those who name them

set(LRP_INCLUDE_ROOT ${PROJECT_SOURCE_DIR}/include)
set(LRP_BACKEND_ROOT ${PROJECT_SOURCE_DIR}/backends)

# Every header below the given folders joins the target's header set; nobody keeps lists by hand.
function(lrp_headers target base)
    set(found)
    foreach(folder IN LISTS ARGN)
        file(GLOB_RECURSE here CONFIGURE_DEPENDS ${base}/${folder}/*.hpp)
        list(APPEND found ${here})
    endforeach()
    file(RELATIVE_PATH short ${PROJECT_SOURCE_DIR} ${base})
    string(MAKE_C_IDENTIFIER headers_${short} set)
    target_sources(${target} INTERFACE FILE_SET ${set} TYPE HEADERS BASE_DIRS ${base} FILES ${found})
endfunction()

# Sources of bench/ for one backend: its header, its type, and the libraries it needs.
function(lrp_benchmark_of target header backend)
    target_compile_definitions(${target} PRIVATE LRP_BENCH_BACKEND_HEADER=<${header}> LRP_BENCH_BACKEND=${backend})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/bench ${PROJECT_SOURCE_DIR}/examples/cli)
    target_link_libraries(${target} PRIVATE benchmark::benchmark lrpxx_dev ${ARGN})
endfunction()

# lrp_library(<name> [<package>...]): the target lrpxx::<name>, and the packages that its own headers need, for who finds it installed.
function(lrp_library name)
    add_library(lrpxx_${name} INTERFACE)
    add_library(lrpxx::${name} ALIAS lrpxx_${name})
    set_target_properties(lrpxx_${name} PROPERTIES EXPORT_NAME ${name})
    target_compile_features(lrpxx_${name} INTERFACE cxx_std_20)
    set_property(TARGET lrpxx_${name} PROPERTY LRP_PACKAGES ${ARGN})
    set_property(GLOBAL APPEND PROPERTY LRP_LIBRARIES lrpxx_${name})
endfunction()

# Finds what an optional part needs, as LRP_WITH_<part> says; sets LRP_HAS_<part> and names what is missing. A package may need those
# before it, so the first that is missing ends the search.
macro(lrp_find part)
    set(LRP_HAS_${part} FALSE)
    if(LRP_WITH_${part})
        set(LRP_HAS_${part} TRUE)
        foreach(package ${ARGN})
            if(LRP_WITH_${part} STREQUAL "AUTO")
                find_package(${package} QUIET)
            else()
                find_package(${package} REQUIRED)
            endif()
            if(NOT ${package}_FOUND)
                set(LRP_HAS_${part} FALSE)
                message(STATUS "lrpxx: ${part} is left out, ${package} was not found")
                break()
            endif()
        endforeach()
    endif()
    if(LRP_HAS_${part})
        message(STATUS "lrpxx: ${part} is in")
    endif()
endmacro()

find_package(Threads REQUIRED)

lrp_library(core Threads)
lrp_headers(lrpxx_core ${LRP_INCLUDE_ROOT} lrp/core lrp/backend lrp/op lrp/rule lrp/model lrp/analysis)
lrp_headers(lrpxx_core ${LRP_BACKEND_ROOT}/reference lrp)
target_link_libraries(lrpxx_core INTERFACE Threads::Threads)

# lrp_backend(<name> <class template> [<library>...] [PACKAGES <package>...]): the target lrpxx::<name> over the headers of backends/<name>, of which
# lrp/<name>/backend.hpp has the template, and the packages in which the libraries are found. The test suite compiles its conformance tests for it.
function(lrp_backend name template)
    cmake_parse_arguments(PARSE_ARGV 2 of "" "" PACKAGES)
    lrp_library(${name} ${of_PACKAGES})
    lrp_headers(lrpxx_${name} ${LRP_BACKEND_ROOT}/${name} lrp)
    target_link_libraries(lrpxx_${name} INTERFACE lrpxx_core ${of_UNPARSED_ARGUMENTS})
    set_property(GLOBAL APPEND PROPERTY LRP_BACKENDS ${name})
    set_property(TARGET lrpxx_${name} PROPERTY LRP_TEMPLATE ${template})
endfunction()
include(LrpBackends)

lrp_find(IO nlohmann_json ZLIB)
if(LRP_HAS_IO)
    lrp_library(io nlohmann_json ZLIB)
    lrp_headers(lrpxx_io ${LRP_INCLUDE_ROOT} lrp/io)
    target_link_libraries(lrpxx_io INTERFACE lrpxx_core nlohmann_json::nlohmann_json ZLIB::ZLIB)
    lrp_library(view nlohmann_json)
    lrp_headers(lrpxx_view ${LRP_INCLUDE_ROOT} lrp/view)
    target_link_libraries(lrpxx_view INTERFACE lrpxx_core nlohmann_json::nlohmann_json)
endif()

# Tokenizers and stores are read with the headers of io.
foreach(part TEXT STORE)
    if(NOT LRP_HAS_IO AND LRP_WITH_${part})
        if(LRP_WITH_${part} STREQUAL "ON")
            message(FATAL_ERROR "lrpxx: LRP_WITH_${part} needs LRP_WITH_IO")
        endif()
        message(STATUS "lrpxx: ${part} is left out, it needs IO")
        set(LRP_WITH_${part} OFF)
    endif()
endforeach()
lrp_find(TEXT PCRE2 utf8proc)
if(LRP_HAS_TEXT)
    lrp_library(text PCRE2 utf8proc)
    lrp_headers(lrpxx_text ${LRP_INCLUDE_ROOT} lrp/text)
    target_link_libraries(lrpxx_text INTERFACE lrpxx_io PCRE2::8BIT utf8proc::utf8proc)
endif()

lrp_find(STORE SQLite3)
if(LRP_HAS_STORE)
    lrp_library(store SQLite3)
    lrp_headers(lrpxx_store ${LRP_INCLUDE_ROOT} lrp/store)
    target_link_libraries(lrpxx_store INTERFACE lrpxx_io $<IF:$<TARGET_EXISTS:SQLite3::SQLite3>,SQLite3::SQLite3,SQLite::SQLite3>)
endif()

if(LRP_HAS_EIGEN AND LRP_HAS_IO AND LRP_HAS_TEXT)
    lrp_library(lrpxx)
    lrp_headers(lrpxx_lrpxx ${LRP_INCLUDE_ROOT} lrp/pipeline)
    target_sources(lrpxx_lrpxx INTERFACE FILE_SET headers_include TYPE HEADERS BASE_DIRS ${LRP_INCLUDE_ROOT} FILES ${LRP_INCLUDE_ROOT}/lrp/lrp.hpp)
    target_link_libraries(lrpxx_lrpxx INTERFACE lrpxx_core lrpxx_eigen lrpxx_io lrpxx_view lrpxx_text)
    if(LRP_HAS_STORE)
        target_link_libraries(lrpxx_lrpxx INTERFACE lrpxx_store)
    endif()
endif()

# What this project's own programs are compiled with; never seen by a user of the library.
add_library(lrpxx_dev INTERFACE)
target_compile_options(lrpxx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion>
                                           $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xcompiler=-Wall,-Wextra>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 warns about its own AVX-512 intrinsics and its own std::string.
    target_compile_options(lrpxx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized -Wno-uninitialized -Wno-restrict -Wno-free-nonheap-object>
                                               $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wno-maybe-uninitialized,-Wno-uninitialized,-Wno-restrict,-Wno-free-nonheap-object>)
endif()
# And what runs Thrust: its merge binds a reference to a policy that is nowhere, and never looks at it.
add_library(lrpxx_thrust_dev INTERFACE)
target_compile_options(lrpxx_thrust_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=null>)
