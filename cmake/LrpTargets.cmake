# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The interface targets: one per group of headers that needs the same libraries.
#   lrpxx::core   core, backend, op, rule, model, analysis and the reference backend: no dependency
#   lrpxx::eigen  the Eigen backend      lrpxx::thrust, thrust_omp, thrust_tbb  the Thrust backend on the host systems
#   lrpxx::io  checkpoints and data files      lrpxx::text  tokenizers      lrpxx::view  pictures
#   lrpxx::cuda   the Thrust backend on CUDA cards, for sources compiled by nvcc
#   lrpxx::lrpxx  all that was found, but the Thrust backends: they are asked for by name

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

function(lrp_library name)
    add_library(lrpxx_${name} INTERFACE)
    add_library(lrpxx::${name} ALIAS lrpxx_${name})
    set_target_properties(lrpxx_${name} PROPERTIES EXPORT_NAME ${name})
    target_compile_features(lrpxx_${name} INTERFACE cxx_std_20)
    set_property(GLOBAL APPEND PROPERTY LRP_LIBRARIES lrpxx_${name})
endfunction()

# Finds what an optional part needs, as LRP_WITH_<part> says; sets LRP_HAS_<part> and names what is missing.
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
            endif()
        endforeach()
    endif()
    if(LRP_HAS_${part})
        message(STATUS "lrpxx: ${part} is in")
    endif()
endmacro()

find_package(Threads REQUIRED)

lrp_library(core)
lrp_headers(lrpxx_core ${LRP_INCLUDE_ROOT} lrp/core lrp/backend lrp/op lrp/rule lrp/model lrp/analysis)
lrp_headers(lrpxx_core ${LRP_BACKEND_ROOT}/reference lrp)
target_link_libraries(lrpxx_core INTERFACE Threads::Threads)

# lrp_backend(<name> <class template> [<library>...]): the target lrpxx::<name> over the headers of backends/<name>, of which
# lrp/<name>/backend.hpp has the template. The test suite compiles its conformance tests for it.
function(lrp_backend name template)
    lrp_library(${name})
    lrp_headers(lrpxx_${name} ${LRP_BACKEND_ROOT}/${name} lrp)
    target_link_libraries(lrpxx_${name} INTERFACE lrpxx_core ${ARGN})
    set_property(GLOBAL APPEND PROPERTY LRP_BACKENDS ${name})
    set_property(TARGET lrpxx_${name} PROPERTY LRP_TEMPLATE ${template})
endfunction()
include(LrpBackends)

# One text, three host systems. THRUST_DEVICE_SYSTEM is set alike for all, as each names its policy: two of them live in one program.
lrp_find(THRUST ThrustHeaders)
if(LRP_HAS_THRUST)
    lrp_library(thrust)
    target_sources(lrpxx_thrust INTERFACE FILE_SET headers_backends_thrust TYPE HEADERS BASE_DIRS ${LRP_BACKEND_ROOT}/thrust FILES
                   ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/arena.hpp ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/memory.hpp
                   ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/backend.hpp ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/host_product.hpp
                   ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/host.hpp ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/cpp.hpp)
    target_link_libraries(lrpxx_thrust INTERFACE lrpxx_core ThrustHeaders::ThrustHeaders)
    target_compile_definitions(lrpxx_thrust INTERFACE $<$<COMPILE_LANGUAGE:CXX>:THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP>)
    foreach(system omp tbb)
        if(system STREQUAL omp)
            set(package OpenMP)
            set(links OpenMP::OpenMP_CXX)
        else()
            set(package TBB)
            set(links TBB::tbb)
        endif()
        find_package(${package} QUIET)
        string(TOUPPER ${system} upper)
        set(LRP_HAS_THRUST_${upper} ${${package}_FOUND})
        if(${package}_FOUND)
            lrp_library(thrust_${system})
            target_sources(lrpxx_thrust_${system} INTERFACE FILE_SET headers_backends_thrust TYPE HEADERS BASE_DIRS ${LRP_BACKEND_ROOT}/thrust FILES
                           ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/${system}.hpp)
            target_link_libraries(lrpxx_thrust_${system} INTERFACE lrpxx_thrust ${links})
        else()
            message(STATUS "lrpxx: thrust-${system} is left out, ${package} was not found")
        endif()
    endforeach()
endif()

# CUDA: the headers need nvcc and the toolkit's libraries. LRP_HAS_CUDA: the toolkit is there. LRP_HAS_NVCC: this project's own programs can use it.
if(LRP_WITH_CUDA AND NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(LRP_NVCC nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
    mark_as_advanced(LRP_NVCC)
    if(LRP_NVCC AND (PROJECT_IS_TOP_LEVEL OR LRP_WITH_CUDA STREQUAL "ON"))
        set(CMAKE_CUDA_COMPILER ${LRP_NVCC})
    endif()
endif()
set(LRP_HAS_NVCC FALSE)
if(LRP_WITH_CUDA AND (PROJECT_IS_TOP_LEVEL OR LRP_WITH_CUDA STREQUAL "ON"))
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
        set(CMAKE_CUDA_ARCHITECTURES 80 90 100 CACHE STRING "Cards to compile for; each with machine code and PTX")
    endif()
    if(NOT DEFINED CMAKE_CUDA_HOST_COMPILER AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
    endif()
    include(CheckLanguage)
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
        enable_language(CUDA)
        set(LRP_HAS_NVCC TRUE)
    endif()
endif()
lrp_find(CUDA CUDAToolkit)
if(LRP_HAS_CUDA)
    lrp_library(cuda)
    file(GLOB lrp_cuda_headers CONFIGURE_DEPENDS ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/cuda*.hpp)
    target_sources(lrpxx_cuda INTERFACE FILE_SET headers_backends_thrust TYPE HEADERS BASE_DIRS ${LRP_BACKEND_ROOT}/thrust FILES ${lrp_cuda_headers}
                   ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/arena.hpp ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/memory.hpp
                   ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/backend.hpp)
    set_target_properties(lrpxx_cuda PROPERTIES VERIFY_INTERFACE_HEADER_SETS OFF)  # a host compiler cannot; the tests compile them with nvcc
    target_link_libraries(lrpxx_cuda INTERFACE lrpxx_core CUDA::cudart_static CUDA::cublasLt)
    target_compile_options(lrpxx_cuda INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>)  # CMake before 3.25.2 drops CUDA_STANDARD 20 in silence
endif()

lrp_find(IO nlohmann_json ZLIB)
if(LRP_HAS_IO)
    lrp_library(io)
    lrp_headers(lrpxx_io ${LRP_INCLUDE_ROOT} lrp/io)
    target_link_libraries(lrpxx_io INTERFACE lrpxx_core nlohmann_json::nlohmann_json ZLIB::ZLIB)
    lrp_library(view)
    lrp_headers(lrpxx_view ${LRP_INCLUDE_ROOT} lrp/view)
    target_link_libraries(lrpxx_view INTERFACE lrpxx_core nlohmann_json::nlohmann_json)
endif()

lrp_find(TEXT PCRE2 utf8proc)
if(LRP_HAS_TEXT AND LRP_HAS_IO)
    lrp_library(text)
    lrp_headers(lrpxx_text ${LRP_INCLUDE_ROOT} lrp/text)
    target_link_libraries(lrpxx_text INTERFACE lrpxx_io PCRE2::8BIT utf8proc::utf8proc)
endif()

lrp_library(lrpxx)
lrp_headers(lrpxx_lrpxx ${LRP_INCLUDE_ROOT} lrp/pipeline)
target_sources(lrpxx_lrpxx INTERFACE FILE_SET headers_include TYPE HEADERS BASE_DIRS ${LRP_INCLUDE_ROOT} FILES ${LRP_INCLUDE_ROOT}/lrp/lrp.hpp)
get_property(lrp_parts GLOBAL PROPERTY LRP_LIBRARIES)
list(REMOVE_ITEM lrp_parts lrpxx_lrpxx lrpxx_cuda lrpxx_thrust lrpxx_thrust_omp lrpxx_thrust_tbb)  # those are asked for by name
target_link_libraries(lrpxx_lrpxx INTERFACE ${lrp_parts})

# What this project's own programs are compiled with; never seen by a user of the library.
add_library(lrpxx_dev INTERFACE)
target_compile_options(lrpxx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion>
                                           $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xcompiler=-Wall,-Wextra>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 warns about its own AVX-512 intrinsics and its own std::string.
    target_compile_options(lrpxx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized -Wno-uninitialized -Wno-restrict -Wno-free-nonheap-object>
                                               $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wno-maybe-uninitialized,-Wno-uninitialized,-Wno-restrict,-Wno-free-nonheap-object>)
endif()
