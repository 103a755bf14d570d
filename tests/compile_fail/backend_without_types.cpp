// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: backend: scalar, weight, context (with context::backend and context::scalar) and name are needed
#include <lrp/reference/backend.hpp>

using namespace lrp;
struct Mine : ReferenceBackend<float> {
    struct context {
#if !defined(LRP_BAD)
        using backend = Mine;
#endif
        using scalar = float;
        operator ReferenceBackend<float>::context&() { return inner; }
        ReferenceBackend<float>::context inner;
    };
};
static_assert(check_backend<Mine>());
