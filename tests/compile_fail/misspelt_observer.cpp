// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: observer: expected activation
#include <lrp/model/observer.hpp>
#include <lrp/reference/backend.hpp>

using namespace lrp;
struct Watcher {
#if defined(LRP_BAD)
    void activations(ReferenceBackend<float>::context&, SiteRef, Activation<float>) {}
#else
    void activation(ReferenceBackend<float>::context&, SiteRef, Activation<float>) {}
#endif
};
inline Watch<ReferenceBackend<float>::context> watch(Watcher& watcher) { return watcher; }
