# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The backends beside the reference, which is part of lrpxx::core. One line each; docs/how_to/add_a_backend.md appends one.
lrp_find(EIGEN Eigen3)
if(LRP_HAS_EIGEN)
    lrp_backend(eigen lrp::EigenBackend Eigen3::Eigen PACKAGES Eigen3)
    # Multiplies the panels of processors for which the backend has no code of its own. Elsewhere only tests and benchmarks link it, unless ON:
    # OpenBLAS starts threads and takes memory as soon as a program begins.
    lrp_find(CBLAS CBLAS)
    set(LRP_LINKS_CBLAS ${LRP_HAS_CBLAS})
    if(LRP_WITH_CBLAS STREQUAL "AUTO" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
        set(LRP_LINKS_CBLAS FALSE)
    endif()
    if(LRP_LINKS_CBLAS)
        target_link_libraries(lrpxx_eigen INTERFACE CBLAS::CBLAS ${CMAKE_DL_LIBS})
        target_compile_definitions(lrpxx_eigen INTERFACE LRP_EIGEN_CBLAS)
        set_property(TARGET lrpxx_eigen APPEND PROPERTY LRP_PACKAGES CBLAS)
    endif()
endif()

# xtensor-blas requires BLAS and LAPACK even where it was only asked for, so these are looked for first.
lrp_find(XTENSOR xtensor BLAS LAPACK xtensor-blas)
if(LRP_HAS_XTENSOR)
    lrp_backend(xtensor lrp::XtensorBackend xtensor xtensor-blas PACKAGES xtensor BLAS LAPACK xtensor-blas)
endif()

# One text, three host systems. THRUST_DEVICE_SYSTEM is set alike for all, as each names its policy: two of them live in one program.
set(lrp_thrust_shared ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/arena.hpp ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/memory.hpp
                      ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/backend.hpp)
lrp_find(THRUST ThrustHeaders)
if(LRP_HAS_THRUST)
    lrp_library(thrust ThrustHeaders)
    target_sources(lrpxx_thrust INTERFACE FILE_SET headers_backends_thrust TYPE HEADERS BASE_DIRS ${LRP_BACKEND_ROOT}/thrust FILES
                   ${lrp_thrust_shared} ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/host_product.hpp ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/host.hpp ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/cpp.hpp)
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
        if(${package}_FOUND)
            lrp_library(thrust_${system} ${package})
            target_sources(lrpxx_thrust_${system} INTERFACE FILE_SET headers_backends_thrust TYPE HEADERS BASE_DIRS ${LRP_BACKEND_ROOT}/thrust FILES
                           ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/${system}.hpp)
            target_link_libraries(lrpxx_thrust_${system} INTERFACE lrpxx_thrust ${links})
        else()
            message(STATUS "lrpxx: thrust-${system} is left out, ${package} was not found")
        endif()
    endforeach()
endif()

# CUDA: the headers need nvcc and the toolkit's libraries. LRP_HAS_CUDA: the toolkit is there. LRP_HAS_NVCC: this project's own programs can use it.
set(LRP_HAS_NVCC FALSE)
if(LRP_WITH_CUDA AND (PROJECT_IS_TOP_LEVEL OR LRP_WITH_CUDA STREQUAL "ON"))
    if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
        find_program(LRP_NVCC nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
        mark_as_advanced(LRP_NVCC)
        if(LRP_NVCC)
            set(CMAKE_CUDA_COMPILER ${LRP_NVCC})
        endif()
    endif()
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
        set(CMAKE_CUDA_ARCHITECTURES 80 90 100 CACHE STRING "Cards to compile for; each with machine code and PTX")
        set(LRP_CUDA_TEST_ARCHITECTURES 80-virtual CACHE STRING "Cards to compile the tests for; by default PTX alone, which any of them takes")
    endif()
    if(NOT DEFINED LRP_CUDA_TEST_ARCHITECTURES)
        set(LRP_CUDA_TEST_ARCHITECTURES ${CMAKE_CUDA_ARCHITECTURES})
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
    lrp_library(cuda CUDAToolkit)
    file(GLOB lrp_cuda_headers CONFIGURE_DEPENDS ${LRP_BACKEND_ROOT}/thrust/lrp/thrust/cuda*.hpp)
    target_sources(lrpxx_cuda INTERFACE FILE_SET headers_backends_thrust TYPE HEADERS BASE_DIRS ${LRP_BACKEND_ROOT}/thrust FILES ${lrp_cuda_headers}
                   ${lrp_thrust_shared})
    set_target_properties(lrpxx_cuda PROPERTIES VERIFY_INTERFACE_HEADER_SETS OFF)  # a host compiler cannot; the tests compile them with nvcc
    target_link_libraries(lrpxx_cuda INTERFACE lrpxx_core CUDA::cudart_static CUDA::cublasLt)
    target_compile_options(lrpxx_cuda INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>)  # CMake before 3.25.2 drops CUDA_STANDARD 20 in silence
endif()
