# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Thrust's headers for host systems: those of Debian's libthrust-dev, or those a CUDA Toolkit brings. Target ThrustHeaders::ThrustHeaders.
find_path(THRUST_HEADERS_INCLUDE_DIR thrust/version.h HINTS ENV CUDA_PATH PATHS /usr/include /usr/local/cuda/include PATH_SUFFIXES cccl)
if(THRUST_HEADERS_INCLUDE_DIR)
    file(STRINGS ${THRUST_HEADERS_INCLUDE_DIR}/thrust/version.h thrust_line REGEX "#define THRUST_VERSION +[0-9]+")
    string(REGEX MATCH "[0-9]+" ThrustHeaders_VERSION "${thrust_line}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ThrustHeaders REQUIRED_VARS THRUST_HEADERS_INCLUDE_DIR)
mark_as_advanced(THRUST_HEADERS_INCLUDE_DIR)
if(ThrustHeaders_FOUND AND NOT TARGET ThrustHeaders::ThrustHeaders)
    add_library(ThrustHeaders::ThrustHeaders INTERFACE IMPORTED)
    if(NOT THRUST_HEADERS_INCLUDE_DIR STREQUAL "/usr/include")  # a system folder named as such hides the compiler's own order
        target_include_directories(ThrustHeaders::ThrustHeaders SYSTEM INTERFACE ${THRUST_HEADERS_INCLUDE_DIR})
    endif()
endif()
