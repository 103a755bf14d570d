# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Finds OpenBLAS's C interface and defines CBLAS::CBLAS.
if(NOT TARGET CBLAS::CBLAS)
    find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas-pthread openblas-serial openblas)
    find_library(CBLAS_LIBRARY openblas)
    include(FindPackageHandleStandardArgs)
    find_package_handle_standard_args(CBLAS DEFAULT_MSG CBLAS_LIBRARY CBLAS_INCLUDE_DIR)
    if(CBLAS_FOUND)
        add_library(CBLAS::CBLAS UNKNOWN IMPORTED)
        set_target_properties(CBLAS::CBLAS PROPERTIES IMPORTED_LOCATION ${CBLAS_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${CBLAS_INCLUDE_DIR})
    endif()
    mark_as_advanced(CBLAS_INCLUDE_DIR CBLAS_LIBRARY)
endif()
