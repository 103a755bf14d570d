// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The numbers that the page of a store is drawn from, unpacked again.
#include <lrp/pipeline/dashboard.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/tiny_store.hpp"

using namespace lrp;

namespace {

/// What an element of the page holds.
std::string unpacked(const std::string& page, const std::string& id) {
    const std::string mark = "id=\"" + id + "\">";
    const std::size_t begin = page.find(mark) + mark.size();
    std::string packed;
    std::uint32_t bits = 0;
    int held = 0;
    for (std::size_t at = begin; page[at] != '<' && page[at] != '='; ++at) {
        const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bits = bits << 6 | static_cast<std::uint32_t>(digits.find(page[at]));
        held += 6;
        if (held >= 8) packed += static_cast<char>(bits >> (held -= 8));
    }
    std::string out(1 << 20, '\0');
    uLongf size = out.size();
    REQUIRE(::uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size()) == Z_OK);
    out.resize(size);
    return out;
}

template <class T>
T take(const std::string& bytes, std::size_t& at) {
    T value{};
    REQUIRE(at + sizeof(T) <= bytes.size());
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return value;
}

}  // namespace

TEST_CASE("a histogram by octave: each value in the octave of its magnitude, on its side of zero") {
    using H = detail::OctaveHistogram;
    for (const double value : {1.0, 1.99, 2.0, 0.5, 255.0, 1e-3, 0x1p-24}) {
        const auto octave = static_cast<Index>(std::floor(std::log2(value))) + 24;
        for (const double sign : {1.0, -1.0}) {
            std::vector<std::uint32_t> sketch(static_cast<std::size_t>(QuantileSketch::bins));
            sketch[static_cast<std::size_t>(QuantileSketch::bin(static_cast<float>(sign * value)))] = 3;
            const auto bins = H::of(sketch);
            INFO(sign * value);
            REQUIRE(std::ssize(bins) == H::bins);
            CHECK(bins[static_cast<std::size_t>(H::zero + (sign > 0 ? 1 : -1) * (2 + octave))] == 3);
        }
    }
    std::vector<std::uint32_t> sketch(static_cast<std::size_t>(QuantileSketch::bins));
    sketch[static_cast<std::size_t>(QuantileSketch::zero)] = 5;
    sketch[static_cast<std::size_t>(QuantileSketch::zero + 1)] = 7;
    CHECK((H::of(sketch)[static_cast<std::size_t>(H::zero)] == 5 && H::of(sketch)[static_cast<std::size_t>(H::zero + 1)] == 7));
}

TEST_CASE("the page's lists are the store's: places, values, and windows scaled by their largest") {
    const test::TinyStore tiny;
    test::TemporaryFolder folder;
    tiny.write(folder.path());
    NeuronStore store = NeuronStore::open(folder.path());
    const std::string page = dashboard_page(store);
    for (const bool head : {false, true}) {
        const std::string bytes = unpacked(page, head ? "n.head.0" : "n.neuron.0");
        std::size_t at = 0;
        for (std::size_t unit = head ? 4 : 0; unit < (head ? 6u : 4u); ++unit) {
            for (std::size_t q = 0; q < 2; ++q) {
                std::uint64_t counted = 0, positive = 0;
                for (Index bin = 0; bin < detail::OctaveHistogram::bins; ++bin) {
                    const auto count = take<std::uint32_t>(bytes, at);
                    counted += count;
                    if (bin > detail::OctaveHistogram::zero) positive += count;
                }
                const auto& values = tiny.all[unit][q];
                CHECK((counted == values.size() && positive == static_cast<std::uint64_t>(std::count_if(values.begin(), values.end(), [](double v) { return v > 0; }))));
            }
            for (std::size_t which = 0; which < 4; ++which)
                for (const std::size_t i : tiny.ranked(unit, which / 2, which % 2)) {
                    const Place place = tiny.places[i].first;
                    CHECK((take<std::int32_t>(bytes, at) == place.document));
                    CHECK((take<std::int32_t>(bytes, at) == place.position));
                    CHECK(static_cast<double>(take<float>(bytes, at)) == tiny.all[unit][which / 2][i]);
                    std::array<std::vector<double>, 2> window;
                    for (std::int32_t t = place.position - 2; t < place.position + 2; ++t)
                        for (std::size_t q = 0; q < 2; ++q) {
                            double right = 0;
                            for (std::size_t j = 0; j < tiny.places.size(); ++j)
                                if (tiny.places[j].first == Place{place.document, t}) right = tiny.all[unit][q][j];
                            window[q].push_back(right);
                        }
                    std::array<double, 2> scale{};
                    for (std::size_t q = 0; q < 2; ++q) {
                        for (const double value : window[q]) scale[q] = std::max(scale[q], std::abs(value));
                        CHECK(take<float>(bytes, at) == Approx(scale[q]).epsilon(1e-3));
                    }
                    for (std::size_t q = 0; q < 2; ++q)
                        for (const double value : window[q]) CHECK(std::abs(take<std::int8_t>(bytes, at) - 127 * value / scale[q]) < 0.6);
                }
        }
        CHECK(at == bytes.size());
    }
}

TEST_CASE("neighbours share three of their most active places or more, and say how many") {
    struct One : test::TinyStore {
        One() {
            units = sizes.empty();
            const auto put = [&](UnitSummary& summary, Index unit, std::size_t list, std::initializer_list<Place> at) {
                for (const Place& place : at) (void)summary.list(list).offer(unit, 1, place);
            };
            put(units.neuron[0], 0, 0, {{0, 1}, {0, 2}, {0, 3}, {1, 1}});
            put(units.neuron[0], 1, 0, {{0, 1}, {0, 2}, {0, 3}, {1, 2}});  // three of them
            put(units.neuron[0], 2, 0, {{0, 1}, {0, 2}, {1, 4}});          // two
            put(units.neuron[0], 3, 1, {{0, 1}, {0, 2}, {0, 3}, {1, 1}});  // of the other pole
            put(units.head[0], 1, 0, {{0, 1}, {0, 2}, {0, 3}, {1, 1}});    // all four
        }
    };
    const One tiny;
    test::TemporaryFolder folder;
    tiny.write(folder.path());
    NeuronStore store = NeuronStore::open(folder.path());
    const auto facts = nlohmann::json::parse(unpacked(dashboard_page(store), "j.neuron.0"));
    CHECK(facts[0]["n"] == nlohmann::json::parse("[[1,0,1,4],[0,0,1,3]]"));
    CHECK(facts[1]["n"] == nlohmann::json::parse("[[0,0,0,3],[1,0,1,3]]"));
    CHECK((!facts[2].contains("n") && !facts[3].contains("n")));
}
