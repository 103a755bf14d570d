# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Finds utf8proc and defines utf8proc::utf8proc.
if(NOT TARGET utf8proc::utf8proc)
    find_path(UTF8PROC_INCLUDE_DIR utf8proc.h)
    find_library(UTF8PROC_LIBRARY utf8proc)
    include(FindPackageHandleStandardArgs)
    find_package_handle_standard_args(utf8proc DEFAULT_MSG UTF8PROC_LIBRARY UTF8PROC_INCLUDE_DIR)
    if(utf8proc_FOUND)
        add_library(utf8proc::utf8proc UNKNOWN IMPORTED)
        set_target_properties(utf8proc::utf8proc PROPERTIES IMPORTED_LOCATION ${UTF8PROC_LIBRARY}
                              INTERFACE_INCLUDE_DIRECTORIES ${UTF8PROC_INCLUDE_DIR})
    endif()
    mark_as_advanced(UTF8PROC_INCLUDE_DIR UTF8PROC_LIBRARY)
endif()
