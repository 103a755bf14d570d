// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The units of one site of one layer as a file of arrays, and back: layers/<site>.<layer>.npz of a store (docs/store.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <lrp/analysis/unit_summary.hpp>
#include <lrp/io/npz.hpp>
#include <lrp/io/npz_read.hpp>

namespace lrp {

namespace detail {

template <class T>
inline constexpr const char* npy_type = "";
template <>
inline constexpr const char* npy_type<float> = "<f4";
template <>
inline constexpr const char* npy_type<double> = "<f8";
template <>
inline constexpr const char* npy_type<f16> = "<f2";
template <>
inline constexpr const char* npy_type<std::int32_t> = "<i4";
template <>
inline constexpr const char* npy_type<std::uint32_t> = "<u4";
template <>
inline constexpr const char* npy_type<std::uint64_t> = "<u8";

template <class T>
std::string npy_array(const std::vector<T>& values, const std::vector<std::uint64_t>& shape) {
    return npy(npy_type<T>, shape, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

/// The words of sums, [units, 2] low then high.
inline std::vector<std::uint64_t> words(const std::vector<ExactSum>& sums) {
    std::vector<std::uint64_t> result;
    for (const ExactSum& sum : sums) result.insert(result.end(), {sum.low(), static_cast<std::uint64_t>(sum.high())});
    return result;
}

}  // namespace detail

/// Arrays by name; U units, k entries, W positions of a window. Empty places of a list have document -1 and value 0.
[[nodiscard]] inline std::string summary_npz(const UnitSummary& summary) {
    using detail::npy_array;
    detail::ZipWriter zip;
    const auto units = static_cast<std::size_t>(summary.units()), k = static_cast<std::size_t>(summary.shape().k), width = static_cast<std::size_t>(summary.shape().width());
    const std::vector<std::uint64_t> list_shape{units, k}, window_shape{units, k, width};
    for (std::size_t which = 0; which < 4; ++which) {
        const TopList& list = summary.list(which);
        std::vector<float> value(units * k, 0.0f);
        std::vector<std::int32_t> document(units * k, -1), position(units * k, -1);
        std::array<std::vector<f16>, 2> windows;
        for (auto& window : windows) window.resize(units * k * width);
        for (std::size_t unit = 0; unit < units; ++unit) {
            const auto entries = list.entries(static_cast<Index>(unit));
            for (std::size_t rank = 0; rank < entries.size(); ++rank) {
                const std::size_t at = unit * k + rank;
                value[at] = entries[rank].value;
                document[at] = entries[rank].place.document;
                position[at] = entries[rank].place.position;
                const auto window = list.window(static_cast<Index>(unit), entries[rank]);
                for (std::size_t q = 0; q < 2; ++q)
                    std::copy_n(window.begin() + static_cast<std::ptrdiff_t>(q * width), width, windows[q].begin() + static_cast<std::ptrdiff_t>(at * width));
            }
        }
        const std::string name(list_names[which]);
        zip.add(name + "_value.npy", npy_array(value, list_shape));
        zip.add(name + "_document.npy", npy_array(document, list_shape));
        zip.add(name + "_position.npy", npy_array(position, list_shape));
        for (std::size_t q = 0; q < 2; ++q) zip.add(name + "_window_" + std::string(quantity_names[q]) + ".npy", npy_array(windows[q], window_shape));
    }
    for (std::size_t q = 0; q < 2; ++q) {
        const UnitSummary::Statistics& statistics = summary.statistics(q);
        std::vector<double> mean(units), variance(units), positive(units);
        for (std::size_t unit = 0; unit < units; ++unit) {
            const auto sketch = statistics.sketch_of(static_cast<Index>(unit));
            const std::uint64_t count = QuantileSketch::total(sketch);
            if (count == 0) continue;
            mean[unit] = statistics.sum[unit].value() / static_cast<double>(count);
            variance[unit] = statistics.squares[unit].variance(statistics.sum[unit], count);
            positive[unit] = static_cast<double>(QuantileSketch::positive(sketch)) / static_cast<double>(count);
        }
        const std::string name(quantity_names[q]);
        zip.add(name + "_mean.npy", npy_array(mean, {units}));
        zip.add(name + "_variance.npy", npy_array(variance, {units}));
        zip.add(name + "_positive.npy", npy_array(positive, {units}));
        zip.add(name + "_sketch.npy", npy_array(statistics.sketch, {units, QuantileSketch::bins}));
        zip.add(name + "_sum.npy", npy_array(detail::words(statistics.sum), {units, 2}));
        zip.add(name + "_squares.npy", npy_array(detail::words(statistics.squares), {units, 2}));
    }
    return zip.finish();
}

/// The summary of a file's bytes. Error naming `source` for anything that is not as summary_npz writes it.
[[nodiscard]] inline UnitSummary read_summary(std::string_view bytes, const std::string& source, Index unit_count, const SummaryShape& shape) {
    const NpzReader file(bytes, source);
    UnitSummary summary(unit_count, shape);
    const auto units = static_cast<std::size_t>(unit_count), k = static_cast<std::size_t>(shape.k), width = static_cast<std::size_t>(shape.width());
    const auto read = [&]<class T>(const std::string& name, const std::vector<std::uint64_t>& extents, std::vector<T>& out) {
        std::size_t count = 1;
        for (const auto extent : extents) count *= extent;
        out.resize(count);
        file.read<T>(name, detail::npy_type<T>, extents, out);
    };
    for (std::size_t which = 0; which < 4; ++which) {
        const std::string name(list_names[which]);
        std::vector<float> value;
        std::vector<std::int32_t> document, position;
        std::array<std::vector<f16>, 2> windows;
        read(name + "_value", {units, k}, value);
        read(name + "_document", {units, k}, document);
        read(name + "_position", {units, k}, position);
        for (std::size_t q = 0; q < 2; ++q) read(name + "_window_" + std::string(quantity_names[q]), {units, k, width}, windows[q]);
        for (std::size_t at = 0; at < units * k; ++at) {
            if (document[at] < 0) continue;
            const auto window = summary.list(which).offer(static_cast<Index>(at / k), value[at], {document[at], position[at]});
            require(!window.empty(), source, ": array '", name, "_value' is not a sorted list");
            for (std::size_t q = 0; q < 2; ++q)
                std::copy_n(windows[q].begin() + static_cast<std::ptrdiff_t>(at * width), width, window.begin() + static_cast<std::ptrdiff_t>(q * width));
        }
    }
    for (std::size_t q = 0; q < 2; ++q) {
        const std::string name(quantity_names[q]);
        UnitSummary::Statistics& statistics = summary.statistics(q);
        read(name + "_sketch", {units, QuantileSketch::bins}, statistics.sketch);
        for (auto [part, sums] : {std::pair{"_sum", &statistics.sum}, std::pair{"_squares", &statistics.squares}}) {
            std::vector<std::uint64_t> words;
            read(name + part, {units, 2}, words);
            for (std::size_t unit = 0; unit < units; ++unit) (*sums)[unit] = ExactSum(words[2 * unit], static_cast<std::int64_t>(words[2 * unit + 1]));
        }
    }
    return summary;
}

}  // namespace lrp
