// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: backend: copy(ctx, View<const scalar>, View<scalar>) is missing
#include <lrp/reference/backend.hpp>

using namespace lrp;
struct Mine : ReferenceBackend<float> {
    struct context {
        using backend = Mine;
        using scalar = float;
        operator ReferenceBackend<float>::context&() { return inner; }
        ReferenceBackend<float>::context inner;
    };
#if defined(LRP_BAD)
    static void copy() = delete;
#endif
};
static_assert(check_backend<Mine>());
