// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Steering: neurons, heads and directions of the residual stream changed while a model runs, as an observer like any other.
#pragma once

#include <map>
#include <utility>

#include <lrp/analysis/generate.hpp>
#include <lrp/analysis/unit_ref.hpp>
#include <lrp/core/human.hpp>
#include <lrp/op/add.hpp>

namespace lrp {

/// One unit's change: a neuron (the input of down_proj) or a head (all of its outputs before o_proj) becomes `value`, is multiplied by it, or gets it added.
struct UnitEdit {
    enum class Kind { set, scale, add };
    Site site = Site::neuron;  ///< neuron or head
    Index layer = 0;
    Index unit = 0;
    Kind kind = Kind::scale;
    double value = 0;
};

/// A vector [d], times `scale`, added to the residual stream behind a layer (resid_post).
struct DirectionEdit {
    Index layer = 0;
    std::vector<float> values;
    double scale = 1;
};

/// What is changed. Edits of one unit take place one after another.
struct SteeringPlan {
    std::vector<UnitEdit> units{};
    std::vector<DirectionEdit> directions{};
    std::vector<RowSpan> positions{};  ///< rows of the pass at which; empty: all

    [[nodiscard]] bool empty() const { return units.empty() && directions.empty(); }
};

namespace detail {
/// x <- factor x + offset in the columns of unit e, and how many values that changed.
template <class T>
struct EditUnit {
    const T* unit;  // whole numbers
    const T* factor;
    const T* offset;
    T* changed;
    Index width;
    View<T> x;
    template <Group G>
    LRP_HD void operator()(G& group, Index e) const {
        const Index first = static_cast<Index>(unit[e]) * width;
        const auto count = row_sum<sum_t<G, T>>(group, x.rows * width, [&](Index i) {
            T& value = x(i / width, first + i % width);
            const T before = value;
            value = factor[e] == 0 ? offset[e] : before * factor[e] + offset[e];
            return value != before ? 1 : 0;
        });
        if (group.rank() == 0) changed[e] += static_cast<T>(count);
    }
};
}  // namespace detail

/// UsageError if the model lacks the unit that is to be edited, Error for a value that is not finite.
template <class Config>
void check_edit(const Config& config, const UnitEdit& edit) {
    require_unit(config, {edit.site, edit.layer, edit.unit}, detail::concat("steering: unit ", edit.layer, "/", edit.unit));
    require(std::isfinite(edit.value), "steering: the value of ", site_name(edit.site), " ", edit.layer, "/", edit.unit, " is not finite");
}

/// Carries a plan out in every forward pass that it observes, recomputed layers included. Of a pass over several prompts, positions are rows of the pass.
template <Backend B>
class Steering {
  public:
    using C = typename B::context;
    using T = typename B::scalar;
    static constexpr bool takes_rows = true;

    /// UsageError for a plan that is empty or names a layer or unit that the model lacks, Error for a direction of another size or a number that is not finite.
    template <class Config>
    Steering(C& ctx, const Config& config, const SteeringPlan& plan) : positions_(plan.positions) {
        if (plan.empty()) fail<UsageError>("steering: nothing is to be changed");
        std::map<Key, std::map<Index, Affine>> units;
        for (const UnitEdit& edit : plan.units) {
            check_edit(config, edit);
            units[{edit.site, edit.layer}][edit.unit].then(edit);
        }
        for (const auto& [key, edits] : units) add_table(ctx, key, edits, key.first == Site::neuron ? 1 : config.attention.head_dim);
        std::map<Index, std::vector<T>> directions;
        for (const DirectionEdit& edit : plan.directions) {
            require_layer(config, edit.layer, "steering");
            require(std::ssize(edit.values) == config.hidden_size, "steering: expected a direction of ", config.hidden_size, " values at layer ", edit.layer, ", found ",
                    edit.values.size());
            auto& sum = directions[edit.layer];
            sum.resize(edit.values.size());
            for (std::size_t i = 0; i < sum.size(); ++i) {
                sum[i] += static_cast<T>(edit.scale * static_cast<double>(edit.values[i]));
                require(std::isfinite(sum[i]), "steering: value ", i, " of the direction at layer ", edit.layer, " is not finite");
            }
        }
        for (const auto& [layer, values] : directions) {
            Direction& direction = directions_[layer];
            direction.values.resize(ctx, 1, config.hidden_size);
            direction.values.upload(ctx, values);
            direction.zero = std::all_of(values.begin(), values.end(), [](T value) { return value == 0; });
        }
    }

    [[nodiscard]] bool reads(Site site) const {
        if (site == Site::resid_post) return !directions_.empty();
        return std::any_of(tables_.begin(), tables_.end(), [&](const auto& entry) { return entry.first.first == site; });
    }

    void activation(C& ctx, SiteRef site, Activation<T> x) {
        const auto table = tables_.find({site.site, site.layer});
        const auto direction = site.site == Site::resid_post ? directions_.find(site.layer) : directions_.end();
        if (table == tables_.end() && direction == directions_.end()) return;
        const std::array all{RowSpan{0, x.rows}};
        Index at = 0;
        for (const RowSpan& held : site.rows.empty() ? std::span<const RowSpan>(all) : site.rows) {
            for (const RowSpan& wanted : positions_.empty() ? std::span<const RowSpan>(&held, 1) : std::span<const RowSpan>(positions_)) {
                const Index first = std::max(held.first, wanted.first), end = std::min(held.first + held.count, wanted.first + wanted.count);
                if (first >= end) continue;
                const View<T> part = x.rows_from(at + first - held.first, end - first);
                if (table != tables_.end()) edit(ctx, table->second, part);
                if (direction != directions_.end()) add(ctx, direction->second, part);
            }
            at += held.count;
        }
    }

    /// Units and directions that the plan names.
    [[nodiscard]] std::size_t asked() const {
        std::size_t count = directions_.size();
        for (const auto& [key, table] : tables_) count += static_cast<std::size_t>(table.unit.cols());
        return count;
    }
    /// Of these, those of which at least one value became another one so far.
    [[nodiscard]] std::size_t changed(C& ctx) const {
        std::size_t count = 0;
        for (const auto& [layer, direction] : directions_) count += direction.applied && !direction.zero ? 1 : 0;
        for (const auto& [key, table] : tables_)
            for (const T value : table.changed.download(ctx)) count += value > 0 ? 1 : 0;
        return count;
    }

  private:
    using Key = std::pair<Site, Index>;

    /// factor x + offset, composed of edits in turn.
    struct Affine {
        double factor = 1, offset = 0;
        void then(const UnitEdit& edit) {
            if (edit.kind == UnitEdit::Kind::set) factor = offset = 0;
            if (edit.kind == UnitEdit::Kind::scale) {
                factor *= edit.value;
                offset *= edit.value;
            } else {
                offset += edit.value;
            }
        }
    };
    struct Table {
        Tensor<B> unit, factor, offset, changed;  ///< [1, edits]
        Index width = 1;                          ///< columns of a unit
    };
    struct Direction {
        Tensor<B> values;  ///< [1, d]
        bool zero = false, applied = false;
    };

    void add_table(C& ctx, const Key& key, const std::map<Index, Affine>& edits, Index width) {
        std::vector<T> unit, factor, offset;
        for (const auto& [index, affine] : edits) {
            unit.push_back(static_cast<T>(index));
            factor.push_back(static_cast<T>(affine.factor));
            offset.push_back(static_cast<T>(affine.offset));
            require(std::isfinite(factor.back()) && std::isfinite(offset.back()), "steering: the edits of ", site_name(key.first), " ", key.second, "/", index, " come to more than a ", scalar_name<T>, " holds");
        }
        Table& table = tables_[key];
        table.width = width;
        for (auto* t : {&table.unit, &table.factor, &table.offset, &table.changed}) t->resize(ctx, 1, std::ssize(unit));
        table.unit.upload(ctx, unit);
        table.factor.upload(ctx, factor);
        table.offset.upload(ctx, offset);
        B::fill(ctx, table.changed.view(), T(0));
    }
    static void edit(C& ctx, Table& table, const View<T>& x) {
        const detail::EditUnit<T> each{table.unit.view().data, table.factor.view().data, table.offset.view().data, table.changed.view().data, table.width, x};
        B::for_each_row(ctx, table.unit.cols(), x.rows * table.width, each);
    }
    static void add(C& ctx, Direction& direction, const View<T>& x) {
        B::map(ctx, detail::AddTo<T>{}, x, View<const T>(x), PerColumn<T>{direction.values.view().data});
        direction.applied = true;
    }

    std::vector<RowSpan> positions_;
    std::map<Key, Table> tables_;
    std::map<Index, Direction> directions_;
};

/// Where a plan acts while text is generated. `new_tokens`: in the passes that choose new tokens, that is from the prompt's last position on; the cache of the
/// prompt before it is kept as the unchanged model made it. `all_positions`: everywhere; the prompt is read again.
enum class SteeringMode { new_tokens, all_positions };

/// Generation without and with a plan, under the same options (and the same random numbers).
struct Steered {
    Generated before, after;
    std::size_t asked = 0, changed = 0;  ///< units and directions named, and really changed
};

/// A plan was carried out and nothing is other than without it.
struct NothingChanged : Error {
    using Error::Error;
};

/// NothingChanged, when all tokens are chosen: the units had those values already, or no pass came to the positions.
template <class Decoder>
[[nodiscard]] Steered steer(Decoder& decoder, std::span<const std::int32_t> ids, const SteeringPlan& plan, SteeringMode mode, const GenerateOptions& options,
                            const TokenCallback& before = {}, const TokenCallback& after = {}) {
    require(!ids.empty(), "steering: the prompt has no token");
    Steering<typename Decoder::backend> steering(decoder.context(), decoder.model().config(), plan);
    Steered result;
    decoder.keep(0);
    result.before = generate(decoder, ids, options, NullObserver{}, before);
    const std::size_t kept = mode == SteeringMode::new_tokens ? ids.size() - 1 : 0;
    decoder.keep(kept);
    result.after = generate(decoder, ids.subspan(kept), options, steering, after);
    result.asked = steering.asked();
    result.changed = steering.changed(decoder.context());
    if (result.changed == 0)
        fail<NothingChanged>("steering: nothing was changed by the edits of ", counted(result.asked, "unit"),
                             ": these values were there already, or the positions were never reached");
    return result;
}

}  // namespace lrp
