# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# cmake -DHOW=installed|subdirectory -DSOURCE=... -DBUILD=... -DWORK=... -DMODEL=... -DCOMPILER=... -DFLAGS=... -DGENERATOR=... -P run.cmake
function(step)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "failed: ${ARGV}")
    endif()
endfunction()
file(REMOVE_RECURSE ${WORK})
set(options -G ${GENERATOR} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}")
if(HOW STREQUAL "installed")
    step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
    list(APPEND options -DCMAKE_PREFIX_PATH=${WORK}/prefix)
else()
    list(APPEND options -DLRPXX_SOURCE=${SOURCE})
endif()
step(${CMAKE_COMMAND} -S ${SOURCE}/tests/consumer/${HOW} -B ${WORK}/build ${options})
step(${CMAKE_COMMAND} --build ${WORK}/build)
step(${WORK}/build/consumer ${MODEL})
