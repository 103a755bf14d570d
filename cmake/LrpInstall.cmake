# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs the headers, the CMake package lrpxx, a pkg-config file for the header-only core, and the program lrp where it was built (component `program`, the
# rest: `development`).
include(CMakePackageConfigHelpers)

set(lrp_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/lrpxx)  # nothing in it depends on the machine
get_property(lrp_all GLOBAL PROPERTY LRP_LIBRARIES)
foreach(library IN LISTS lrp_all)
    get_target_property(sets ${library} INTERFACE_HEADER_SETS)
    set(install_sets)
    foreach(set IN LISTS sets)
        list(APPEND install_sets FILE_SET ${set} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    endforeach()
    install(TARGETS ${library} EXPORT lrpxxTargets COMPONENT development ${install_sets})
endforeach()
install(EXPORT lrpxxTargets NAMESPACE lrpxx:: DESTINATION ${lrp_package_dir} COMPONENT development)

# The packages of a library and of those that it links.
function(lrp_packages_of library out)
    get_target_property(links ${library} INTERFACE_LINK_LIBRARIES)
    set(packages)
    foreach(link IN LISTS links)
        if(link MATCHES "^lrpxx_")
            lrp_packages_of(${link} more)
            list(APPEND packages ${more})
        endif()
    endforeach()
    get_target_property(own ${library} LRP_PACKAGES)
    if(own)
        list(APPEND packages ${own})
    endif()
    list(REMOVE_DUPLICATES packages)
    set(${out} ${packages} PARENT_SCOPE)
endfunction()
set(lrp_component_needs)
set(lrp_components)
foreach(library IN LISTS lrp_all)
    get_target_property(component ${library} EXPORT_NAME)
    lrp_packages_of(${library} packages)
    list(JOIN packages " " packages)
    string(APPEND lrp_component_needs "lrpxx_needs(${component} ${packages})\n")
    list(APPEND lrp_components ${component})
endforeach()
list(JOIN lrp_components ", " lrp_components)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/lrpxxConfig.cmake.in ${PROJECT_BINARY_DIR}/lrpxxConfig.cmake INSTALL_DESTINATION ${lrp_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lrpxxConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/lrpxxConfig.cmake ${PROJECT_BINARY_DIR}/lrpxxConfigVersion.cmake ${CMAKE_CURRENT_LIST_DIR}/FindCBLAS.cmake ${CMAKE_CURRENT_LIST_DIR}/FindPCRE2.cmake
              ${CMAKE_CURRENT_LIST_DIR}/Findutf8proc.cmake ${CMAKE_CURRENT_LIST_DIR}/FindThrustHeaders.cmake DESTINATION ${lrp_package_dir} COMPONENT development)
file(RELATIVE_PATH lrp_prefix_from_pc "/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/")
set(lrp_pc_include "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(lrp_pc_include "${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/lrpxx.pc.in ${PROJECT_BINARY_DIR}/lrpxx.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lrpxx.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig COMPONENT development)
