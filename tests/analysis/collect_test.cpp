// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Collecting against a collector that keeps everything and sorts it.
#include <lrp/analysis/collect.hpp>

#include <cmath>
#include <map>
#include <random>

#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;

namespace {

using Model = LlamaModel<EigenBackend<float>, AttnLRP>;

LlamaConfig small_config() {
    LlamaConfig config;
    config.vocab_size = 23;
    config.hidden_size = 24;
    config.intermediate_size = 70;  // more than one tile, and not a whole number of them
    config.layers = 2;
    config.attention = {4, 2, 6};
    return config;
}

/// Texts of which some are the same, so that there are ties.
std::vector<CollectDocument> some_documents(std::size_t count) {
    std::mt19937 random(7);
    std::vector<CollectDocument> documents;
    for (std::size_t d = 0; d < count; ++d) {
        CollectDocument text;
        text.document = static_cast<std::int32_t>(d);
        if (d >= 4 && d % 3 == 0) {
            text.ids = documents[d - 3].ids;
        } else {
            const std::size_t length = 1 + random() % 9;
            for (std::size_t t = 0; t < length; ++t) text.ids.push_back(static_cast<std::int32_t>(random() % 23));
        }
        text.counts.assign(text.ids.size(), true);
        text.counts[0] = false;
        documents.push_back(text);
    }
    return documents;
}

/// Everything that was ever seen at a unit.
struct Seen {
    Place place;
    std::array<float, 2> value{};
};
struct Naive {
    std::map<std::pair<bool, Index>, std::vector<std::vector<Seen>>> units;            // (head?, layer) -> unit -> all that counts
    std::map<std::tuple<bool, Index, Place>, std::array<std::vector<float>, 2>> rows;  // all units' values at a place
};

/// Keeps x and x * c of every site as they come.
struct Keeper {
    std::map<std::pair<bool, Index>, std::array<std::vector<float>, 2>> values;
    Index heads = 0;
    [[nodiscard]] bool reads(Site site) const { return site == Site::neuron || site == Site::head; }
    void relevance(EigenBackend<float>::context&, SiteRef site, Activation<const float> x, Coefficient<float> c) {
        if (site.site != Site::neuron && site.site != Site::head) return;
        const bool head = site.site == Site::head;
        const Index units = head ? heads : x.cols, width = x.cols / units;
        auto& [activation, relevance] = values[{head, site.layer}];
        for (Index row = 0; row < x.rows; ++row)
            for (Index u = 0; u < units; ++u) {
                double squares = 0, total = 0;
                for (Index j = u * width; j < (u + 1) * width; ++j) {
                    squares += std::pow(static_cast<double>(x(row, j)), 2);
                    total += static_cast<double>(x(row, j)) * static_cast<double>(c(row, j));
                }
                activation.push_back(head ? static_cast<float>(std::sqrt(squares)) : x(row, u));
                relevance.push_back(head ? static_cast<float>(total) : x(row, u) * c(row, u));
            }
    }
};

Naive keep_everything(EigenBackend<float>::context& ctx, const Model& model, const std::vector<CollectDocument>& documents, Condition condition,
                      std::int32_t target) {
    Naive naive;
    for (const CollectDocument& text : documents) {
        const auto length = static_cast<std::int32_t>(text.ids.size());
        if (length < 2) continue;
        std::vector<std::int32_t> all;
        for (std::int32_t t = 0; t < length; ++t) all.push_back(t);
        auto pass = model.forward(ctx, text.ids, all, Recompute::keep());
        const auto logits = pass.logits.download(ctx);
        std::vector<Seed> seeds;
        for (std::int32_t t = 1; t < length; ++t) {
            if (condition != Condition::predictions && t + 1 < length) continue;
            const float* row = &logits[static_cast<std::size_t>(t) * 23];
            seeds.push_back({t, condition == Condition::target ? target : static_cast<std::int32_t>(std::max_element(row, row + 23) - row), 1.0});
        }
        Keeper keeper;
        keeper.heads = 4;
        model.relevance(ctx, pass, seeds, keeper);
        for (const auto& [key, values] : keeper.values) {
            const Index units = key.first ? 4 : 70;
            auto& into = naive.units[key];
            into.resize(static_cast<std::size_t>(units));
            for (std::int32_t t = 0; t < length; ++t) {
                auto& row = naive.rows[{key.first, key.second, Place{text.document, t}}];
                for (std::size_t q = 0; q < 2; ++q)
                    for (Index u = 0; u < units; ++u) row[q].push_back(t == 0 ? 0.0f : values[q][static_cast<std::size_t>(t * units + u)]);
                if (t == 0) continue;
                for (Index u = 0; u < units; ++u)
                    into[static_cast<std::size_t>(u)].push_back({{text.document, t}, {row[0][static_cast<std::size_t>(u)], row[1][static_cast<std::size_t>(u)]}});
            }
        }
    }
    return naive;
}

/// The right bin by logarithms instead of bits.
Index right_bin(float value) {
    if (value == 0) return QuantileSketch::zero;
    const double magnitude = std::abs(static_cast<double>(value));
    Index place = 1;
    if (magnitude >= std::ldexp(1.0, -24)) {
        const int octave = static_cast<int>(std::floor(std::log2(magnitude)));
        place = octave >= 8 ? 129 : 2 + 4 * (octave + 24) + static_cast<Index>(std::floor(4 * (std::ldexp(magnitude, -octave) - 1)));
        place = std::min<Index>(place, 129);
    }
    return value < 0 ? QuantileSketch::zero - place : QuantileSketch::zero + place;
}

void check_against(const CollectedUnits& units, const Naive& naive, const SummaryShape& shape, const std::vector<CollectDocument>& documents) {
    for (const auto& [key, all] : naive.units) {
        const UnitSummary& summary = (key.first ? units.head : units.neuron)[static_cast<std::size_t>(key.second)];
        REQUIRE(summary.units() == std::ssize(all));
        for (std::size_t u = 0; u < all.size(); ++u) {
            INFO((key.first ? "head " : "neuron ") << key.second << "/" << u);
            for (std::size_t which = 0; which < 4; ++which) {
                const std::size_t q = which / 2;
                std::vector<Seen> order = all[u];
                std::sort(order.begin(), order.end(), [&](const Seen& a, const Seen& b) {
                    if (a.value[q] != b.value[q]) return which % 2 == 0 ? a.value[q] > b.value[q] : a.value[q] < b.value[q];
                    return a.place < b.place;
                });
                order.resize(std::min(order.size(), static_cast<std::size_t>(shape.k)));
                const auto entries = summary.list(which).entries(static_cast<Index>(u));
                REQUIRE(entries.size() == order.size());
                for (std::size_t i = 0; i < order.size(); ++i) {
                    CHECK((entries[i].value == order[i].value[q] && entries[i].place == order[i].place));
                    const auto window = summary.list(which).window(static_cast<Index>(u), entries[i]);
                    const auto length = std::ssize(documents[static_cast<std::size_t>(order[i].place.document)].ids);
                    for (Index t = 0; t < shape.width(); ++t)
                        for (std::size_t p = 0; p < 2; ++p) {
                            const Index position = order[i].place.position - shape.before + t;
                            const float right =
                                position < 0 || position >= length
                                    ? 0.0f
                                    : naive.rows.at({key.first, key.second, Place{order[i].place.document, static_cast<std::int32_t>(position)}})[p][u];
                            const float found = static_cast<float>(window[p * static_cast<std::size_t>(shape.width()) + static_cast<std::size_t>(t)]);
                            CHECK(std::abs(found - right) <= std::max(std::abs(right) * 0x1p-11f, 0x1p-25f));
                        }
                }
            }
            for (std::size_t q = 0; q < 2; ++q) {
                long double sum = 0, squares = 0;
                std::vector<std::uint32_t> bins(static_cast<std::size_t>(QuantileSketch::bins));
                for (const Seen& seen : all[u]) {
                    sum += seen.value[q];
                    squares += static_cast<long double>(seen.value[q]) * seen.value[q];
                    ++bins[static_cast<std::size_t>(right_bin(seen.value[q]))];
                }
                const auto& s = summary.statistics(q);
                const double scale = std::sqrt(static_cast<double>(squares) * static_cast<double>(all[u].size())) + 1e-30;
                CHECK(std::abs(s.sum[u].value() - static_cast<double>(sum)) <= 1e-14 * scale + 1e-18);
                CHECK(std::abs(s.squares[u].value() - static_cast<double>(squares)) <= 1e-14 * static_cast<double>(squares) + 1e-18);
                const auto sketch = s.sketch_of(static_cast<Index>(u));
                CHECK(std::equal(sketch.begin(), sketch.end(), bins.begin(), bins.end()));
            }
        }
    }
}

CollectedUnits collect(EigenBackend<float>::context& ctx, const Model& model, const std::vector<CollectDocument>& documents, const CollectOptions& options,
                       unsigned threads = 2) {
    CollectedUnits units(2, 70, 4, options.shape);
    ThreadPool pool(threads);
    Collector<EigenBackend<float>> collector(units, pool);
    for (std::size_t at = 0; at < documents.size(); at += 5) {  // batches of five
        collect_batch(ctx, model, std::span(documents).subspan(at, std::min<std::size_t>(5, documents.size() - at)), options, collector);
        units.end_batch();
    }
    return units;
}

/// Whether two collections hold the same bits.
bool same(const CollectedUnits& a, const CollectedUnits& b) {
    for (const bool head : {false, true})
        for (std::size_t l = 0; l < a.neuron.size(); ++l) {
            const UnitSummary &x = (head ? a.head : a.neuron)[l], &y = (head ? b.head : b.neuron)[l];
            for (Index u = 0; u < x.units(); ++u)
                for (std::size_t which = 0; which < 4; ++which) {
                    const auto p = x.list(which).entries(u), r = y.list(which).entries(u);
                    if (p.size() != r.size()) return false;
                    for (std::size_t i = 0; i < p.size(); ++i) {
                        const auto v = x.list(which).window(u, p[i]), w = y.list(which).window(u, r[i]);
                        if (p[i].value != r[i].value || p[i].place != r[i].place) return false;
                        for (std::size_t j = 0; j < v.size(); ++j)
                            if (v[j].bits != w[j].bits) return false;
                    }
                }
            for (std::size_t q = 0; q < 2; ++q)
                if (x.statistics(q).sum != y.statistics(q).sum || x.statistics(q).squares != y.statistics(q).squares ||
                    x.statistics(q).sketch != y.statistics(q).sketch)
                    return false;
        }
    return true;
}

}  // namespace

TEST_CASE("the collector keeps what one that keeps everything would choose, under every condition") {
    EigenBackend<float>::context ctx(2);
    const Model model(small_config(), test::random_weights<EigenBackend<float>>(ctx, small_config()));
    const auto documents = some_documents(40);
    for (const Condition condition : {Condition::predictions, Condition::last, Condition::target}) {
        CollectOptions options{{5, 3, 2}, condition, 11, Recompute::keep(), 1};  // each document by itself, as the other does it
        const Naive naive = keep_everything(ctx, model, documents, condition, 11);
        check_against(collect(ctx, model, documents, options), naive, options.shape, documents);
        options.recompute = Recompute::layer();
        check_against(collect(ctx, model, documents, options, 1), naive, options.shape, documents);
    }
}

TEST_CASE("batches merge to the same bits in any order, and any number of threads collects the same") {
    EigenBackend<float>::context ctx(2);
    const Model model(small_config(), test::random_weights<EigenBackend<float>>(ctx, small_config()));
    const auto documents = some_documents(40);
    const CollectOptions options{{5, 3, 2}, Condition::predictions, 0, Recompute::keep()};
    const CollectedUnits whole = collect(ctx, model, documents, options);
    CHECK(same(whole, collect(ctx, model, documents, options, 3)));
    std::vector<CollectedUnits> parts;
    for (std::size_t batch = 0; batch < 8; ++batch)
        parts.push_back(collect(
            ctx, model, {documents.begin() + static_cast<std::ptrdiff_t>(5 * batch), documents.begin() + static_cast<std::ptrdiff_t>(5 * batch + 5)}, options));
    for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, {3, 1, 4, 0, 5, 7, 2, 6}}) {
        CollectedUnits merged(2, 70, 4, options.shape);
        for (const std::size_t part : order) merged.merge(parts[part]);
        CHECK(same(whole, merged));
    }
    CHECK_FALSE(same(whole, parts[0]));

    // Later batches first, into the same units: equal values must still go to the earlier place.
    CollectedUnits backwards(2, 70, 4, options.shape);
    ThreadPool pool(2);
    Collector<EigenBackend<float>> collector(backwards, pool);
    for (std::size_t batch = 8; batch-- > 0;) {
        collect_batch(ctx, model, std::span(documents).subspan(5 * batch, 5), options, collector);
        backwards.end_batch();
    }
    CHECK(same(whole, backwards));
}

TEST_CASE("documents that share a pass are collected as each by itself") {
    using R = ReferenceBackend<float>;  // a row's arithmetic is the same in every pass
    R::context ctx;
    const LlamaModel<R, AttnLRP> model(small_config(), test::random_weights<R>(ctx, small_config()));
    const auto documents = some_documents(40);
    std::vector<CollectedUnits> results;
    for (const Index rows : {Index{1}, Index{13}, Index{512}}) {
        CollectedUnits& units = results.emplace_back(2, 70, 4, SummaryShape{5, 3, 2});
        ThreadPool pool(2);
        Collector<R> collector(units, pool);
        collect_batch(ctx, model, documents, {{5, 3, 2}, Condition::predictions, 0, Recompute::keep(), rows}, collector);
        units.end_batch();
    }
    CHECK(same(results[0], results[1]));
    CHECK(same(results[0], results[2]));
}

TEST_CASE("a blind collector takes nothing") {
    EigenBackend<float>::context ctx(1);
    const Model model(small_config(), test::random_weights<EigenBackend<float>>(ctx, small_config()));
    const auto documents = some_documents(4);
    CollectedUnits units(2, 70, 4, {5, 3, 2}), empty(2, 70, 4, {5, 3, 2});
    ThreadPool pool(1);
    Collector<EigenBackend<float>> collector(units, pool, true);
    collect_batch(ctx, model, documents, {{5, 3, 2}, Condition::predictions, 0, Recompute::keep()}, collector);
    CHECK(same(units, empty));
}

TEST_CASE("values in double are collected as values in float are: activations with their sign, relevance as their product with the coefficient") {
    CollectedUnits units(1, 2, 2, {2, 1, 0});
    ThreadPool pool(1);
    PassReader reader(units, pool);
    const std::vector<CollectDocument> documents{{4, {1, 2, 3}, {}}};
    reader.begin(documents);
    reader.take<double>({Site::neuron, 0}, std::vector<double>{1, -2, -3, 0.5, 1e6, 0.25}, std::vector<double>{2, 3, 4, -5, 1, 8});
    reader.take<double>({Site::head, 0}, std::vector<double>{3, 4, 0, 1, 6, 8, 0, 2, 0, 1, 5, 12}, std::vector<double>{1, -1, 1, 1, 1, 1, 2, 2, 0, -3, 1, 0});
    units.end_batch();
    const auto values = [](const UnitSummary& summary, std::size_t list, Index unit) {
        std::vector<std::pair<float, std::int32_t>> out;
        for (const TopEntry& entry : summary.list(list).entries(unit)) out.emplace_back(entry.value, entry.place.position);
        return out;
    };
    using List = std::vector<std::pair<float, std::int32_t>>;
    CHECK(values(units.neuron[0], 0, 0) == List{{1e6f, 2}, {1.0f, 0}});
    CHECK(values(units.neuron[0], 1, 0) == List{{-3.0f, 1}, {1.0f, 0}});
    CHECK(values(units.neuron[0], 2, 1) == List{{2.0f, 2}, {-2.5f, 1}});
    CHECK(values(units.neuron[0], 3, 0) == List{{-12.0f, 1}, {2.0f, 0}});
    CHECK(values(units.head[0], 0, 0) == List{{10.0f, 1}, {5.0f, 0}});
    CHECK(values(units.head[0], 2, 0) == List{{14.0f, 1}, {-1.0f, 0}});
    CHECK(values(units.head[0], 2, 1) == List{{5.0f, 2}, {4.0f, 1}});
    // What half precision cannot hold stands in a window as the largest that it can.
    const TopList& list = units.neuron[0].list(0);
    const auto window = list.window(0, list.entries(0)[0]);
    CHECK((static_cast<float>(window[0]) == -3.0f && static_cast<float>(window[1]) == 65504.0f));
}
