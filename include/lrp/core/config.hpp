// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Version and the only macros of the library.
#pragma once

#define LRP_VERSION_MAJOR 0
#define LRP_VERSION_MINOR 1
#define LRP_VERSION_PATCH 0
#define LRP_VERSION_STRING "0.1.0"

// Marks a function that may run inside a device kernel. Empty for a host compiler, so that no CUDA header is needed.
#if defined(__CUDACC__)
#define LRP_HD __host__ __device__
#else
#define LRP_HD
#endif
