# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs the headers, the CMake package lrpxx and a pkg-config file for the header-only core.
include(CMakePackageConfigHelpers)

set(lrp_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/lrpxx)
get_property(lrp_all GLOBAL PROPERTY LRP_LIBRARIES)
foreach(library IN LISTS lrp_all)
    get_target_property(sets ${library} INTERFACE_HEADER_SETS)
    set(install_sets)
    foreach(set IN LISTS sets)
        list(APPEND install_sets FILE_SET ${set} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    endforeach()
    install(TARGETS ${library} EXPORT lrpxxTargets ${install_sets})
endforeach()
install(EXPORT lrpxxTargets NAMESPACE lrpxx:: DESTINATION ${lrp_package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/lrpxxConfig.cmake.in ${PROJECT_BINARY_DIR}/lrpxxConfig.cmake INSTALL_DESTINATION ${lrp_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lrpxxConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/lrpxxConfig.cmake ${PROJECT_BINARY_DIR}/lrpxxConfigVersion.cmake ${CMAKE_CURRENT_LIST_DIR}/FindCBLAS.cmake ${CMAKE_CURRENT_LIST_DIR}/FindPCRE2.cmake
              ${CMAKE_CURRENT_LIST_DIR}/Findutf8proc.cmake ${CMAKE_CURRENT_LIST_DIR}/FindThrustHeaders.cmake DESTINATION ${lrp_package_dir})
configure_file(${CMAKE_CURRENT_LIST_DIR}/lrpxx.pc.in ${PROJECT_BINARY_DIR}/lrpxx.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lrpxx.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
