// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include <lrp/op/op.hpp>

namespace lrp {

/// Embedding: y_t = E_(id_t). E [V, d], ids [T], y [T, d]. Relevance is read here (R = y * c) and goes no further; the plain backward,
/// dE_(id_t) += c_t, exists for gradients of the table.
struct Embedding {
    static constexpr std::string_view name = "Embedding";
    static constexpr bool gather = true;
    static constexpr bool weighted = true;

    template <class T, Storage W = T>
    struct Params {
        View<const W> table;                ///< [V, d]
        std::span<const std::int32_t> ids;  ///< [T], on the host
    };
    template <class T>
    struct Saved {
        Activation<const T> output;  ///< y
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const params_t<Embedding, C>& p, ActivationOut<C> y) {
        check(p);
        require_shape(y, static_cast<Index>(p.ids.size()), p.table.cols, "Embedding: output");
        C::backend::gather_rows(ctx, p.table, p.ids, y);
    }

    /// The coefficient of the table [V, d].
    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const params_t<Embedding, C>& p, const Saved<T>&, CoefficientIn<C> c_y, CoefficientOut<C> c_table, Write write = {}) {
        check(p);
        require_shape(c_table, p.table.rows, p.table.cols, "Embedding: coefficient of the table");
        require(write.scale == 1, "Embedding: the backward takes no scale");
        if (!write.accumulate) C::backend::fill(ctx, c_table, T(0));
        C::backend::scatter_add_rows(ctx, c_y, p.ids, c_table);
    }

  private:
    template <class P>
    static void check(const P& p) {
        for (const std::int32_t id : p.ids)
            require(id >= 0 && id < p.table.rows, "Embedding: token id ", id, " is outside the vocabulary of ", p.table.rows);
    }
};

}  // namespace lrp
