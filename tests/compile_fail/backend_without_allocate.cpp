// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: backend: allocate<E>(ctx, n) must return B::buffer<E> with data() and size()
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
    static void allocate() = delete;
#endif
};
static_assert(check_backend<Mine>());
