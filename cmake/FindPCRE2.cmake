# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Finds the 8-bit library of PCRE2 and defines PCRE2::8BIT.
if(NOT TARGET PCRE2::8BIT)
    find_path(PCRE2_INCLUDE_DIR pcre2.h)
    find_library(PCRE2_8_LIBRARY pcre2-8)
    include(FindPackageHandleStandardArgs)
    find_package_handle_standard_args(PCRE2 DEFAULT_MSG PCRE2_8_LIBRARY PCRE2_INCLUDE_DIR)
    if(PCRE2_FOUND)
        add_library(PCRE2::8BIT UNKNOWN IMPORTED)
        set_target_properties(PCRE2::8BIT PROPERTIES IMPORTED_LOCATION ${PCRE2_8_LIBRARY}
                              INTERFACE_INCLUDE_DIRECTORIES ${PCRE2_INCLUDE_DIR}
                              INTERFACE_COMPILE_DEFINITIONS PCRE2_CODE_UNIT_WIDTH=8)
    endif()
    mark_as_advanced(PCRE2_INCLUDE_DIR PCRE2_8_LIBRARY)
endif()
