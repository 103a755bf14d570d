# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# Compiles row_kernels.cu for every generation of cards with warnings as errors and reads the assembler's report: no kernel may spill registers.
# EXPECT_SPILLS turns the question round, with a kernel that needs more registers than it is allowed, to show that the report is read.
file(MAKE_DIRECTORY ${WORK})
set(flags -std=c++20 -O3 -Werror all-warnings -Xcompiler=-Wall,-Wextra -Xptxas=-v)
if(EXPECT_SPILLS)
    list(APPEND flags -DLRP_HUNGRY_KERNEL -maxrregcount=24 -gencode=arch=compute_90,code=sm_90)
else()
    foreach(arch 80 90 100)
        list(APPEND flags -gencode=arch=compute_${arch},code=[sm_${arch},compute_${arch}])
    endforeach()
endif()
execute_process(COMMAND ${NVCC} ${flags} -ccbin ${HOST} -I${ROOT}/include -I${ROOT}/backends/reference -I${ROOT}/backends/thrust
                        -c ${ROOT}/tests/gpu/row_kernels.cu -o ${WORK}/row_kernels.o
                RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
if(NOT code EQUAL 0)
    message(FATAL_ERROR "nvcc failed:\n${out}${err}")
endif()
string(REGEX MATCHALL "[0-9]+ bytes spill stores, [0-9]+ bytes spill loads" reports "${out}${err}")
list(LENGTH reports kernels)
list(FILTER reports EXCLUDE REGEX "^0 bytes spill stores, 0 bytes spill loads$")
list(LENGTH reports spilling)
message(STATUS "${kernels} kernels, ${spilling} of them spill registers")
if(kernels LESS 30)
    message(FATAL_ERROR "the report of the assembler was not found")
endif()
if(EXPECT_SPILLS)
    if(spilling EQUAL 0)
        message(FATAL_ERROR "a kernel with 64 live numbers in 24 registers should spill: the report is not read")
    endif()
elseif(spilling GREATER 0)
    message(FATAL_ERROR "kernels spill registers:\n${out}${err}")
endif()
