# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# cmake -DCOMPILER=... -DFILE=... -DINCLUDES=... -P check.cmake
file(STRINGS ${FILE} line REGEX "^// expect: ")
string(REGEX REPLACE "^// expect: " "" expected "${line}")
if(expected STREQUAL "")
    message(FATAL_ERROR "${FILE}: the line '// expect: message' is missing")
endif()
list(TRANSFORM INCLUDES PREPEND -I)
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${INCLUDES} ${FILE} RESULT_VARIABLE control ERROR_VARIABLE text)
if(NOT control EQUAL 0)
    message(FATAL_ERROR "${FILE} does not compile without its mistake:\n${text}")
endif()
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -DLRP_BAD ${INCLUDES} ${FILE} RESULT_VARIABLE bad ERROR_VARIABLE text)
if(bad EQUAL 0)
    message(FATAL_ERROR "${FILE} compiles with its mistake")
endif()
string(FIND "${text}" "${expected}" at)
if(at EQUAL -1)
    message(FATAL_ERROR "${FILE}: the message '${expected}' is not among\n${text}")
endif()
