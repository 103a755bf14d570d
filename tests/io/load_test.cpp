// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/load.hpp>

#include <array>
#include <limits>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

/// A folder whose model holds one tensor "model.w".
struct OneTensor {
    OneTensor(const std::string& dtype, const std::string& shape, const std::string& data) {
        std::string header = R"({"model.w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,)" + std::to_string(data.size()) + "]}}";
        std::string length(8, '\0');
        const std::uint64_t size = header.size();
        std::memcpy(length.data(), &size, 8);
        folder.write("model.safetensors", length + header + data);
    }
    template <class T>
    [[nodiscard]] std::vector<T> load(std::vector<std::uint64_t> shape, const std::string& name = "model.w") const {
        std::size_t count = 1;
        for (const auto extent : shape) count *= extent;
        std::vector<T> out(count);
        load_tensor<T>(Checkpoint::open(folder.path()), name, shape, out);
        return out;
    }
    test::TemporaryFolder folder;
};

template <class... T>
std::string raw(T... values) {
    std::string out;
    (out.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
    return out;
}

}  // namespace

TEST_CASE("load_tensor converts every type of weight to both types of computation") {
    using u16 = std::uint16_t;
    const std::vector<std::pair<std::string, std::string>> forms{{"F32", raw(1.5f, -2.0f)}, {"F64", raw(1.5, -2.0)}, {"BF16", raw(u16{0x3fc0}, u16{0xc000})},
                                                                 {"F16", raw(u16{0x3e00}, u16{0xc000})}};
    for (const auto& [dtype, data] : forms) {
        const OneTensor file(dtype, "[2,1]", data);
        CHECK(file.load<float>({2, 1}) == std::vector<float>{1.5f, -2.0f});
        CHECK(file.load<double>({2, 1}) == std::vector<double>{1.5, -2.0});
    }
}

TEST_CASE("load_tensor says what it expected and what it found") {
    const OneTensor file("F32", "[2,3]", raw(1.f, 2.f, 3.f, 4.f, 5.f, 6.f));
    CHECK(file.load<float>({2, 3}).back() == 6);
    const std::string where = "model.safetensors: tensor 'model.w': ";
    CHECK_THROWS_WITH(file.load<float>({3, 2}), Contains(where + "expected shape [3, 2], found [2, 3]"));
    CHECK_THROWS_WITH(file.load<float>({6}), Contains(where + "expected shape [6], found [2, 3]"));
    CHECK_THROWS_WITH(file.load<float>({}), Contains(where + "expected shape [], found [2, 3]"));
    CHECK_THROWS_WITH(file.load<float>({2, 3}, "model.other"), Contains("tensor 'model.other' is missing"));
    std::vector<float> small(5);
    const std::array<std::uint64_t, 2> shape{2, 3};
    CHECK_THROWS_WITH(load_tensor<float>(Checkpoint::open(file.folder.path()), "model.w", shape, small), Contains("expected 5 values, found shape [2, 3]"));
    CHECK_THROWS_WITH(OneTensor("I32", "[1]", raw(7)).load<float>({1}), Contains(where + "expected weights of type F32, F16, BF16 or F64, found I32"));
    CHECK_THROWS_WITH(OneTensor("F8_E4M3", "[1]", "x").load<float>({1}), Contains("found F8_E4M3"));
}

TEMPLATE_TEST_CASE("all_finite: every place of every length, both signs; the largest and smallest numbers are finite", "", float, double, bf16) {
    using T = TestType;
    using Wide = std::conditional_t<std::same_as<T, double>, double, float>;
    constexpr Wide infinity = std::numeric_limits<Wide>::infinity(), largest = std::same_as<T, bf16> ? Wide(3.38e38) : std::numeric_limits<Wide>::max();
    for (const std::size_t size : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 21u}) {
        std::vector<T> values(size, T(-largest));
        CHECK(lrp::detail::all_finite(std::span<const T>(values)));
        for (std::size_t at = 0; at < size; ++at) {
            for (const Wide bad : {infinity, -infinity, std::numeric_limits<Wide>::quiet_NaN(), -std::numeric_limits<Wide>::quiet_NaN()}) {
                values[at] = T(bad);
                CHECK_FALSE(lrp::detail::all_finite(std::span<const T>(values)));
            }
            for (const Wide good : {largest, Wide(0), -Wide(0), std::numeric_limits<Wide>::denorm_min()}) {
                values[at] = T(good);
                CHECK(lrp::detail::all_finite(std::span<const T>(values)));
            }
        }
    }
}

TEST_CASE("load_tensor names the first value that is not finite") {
    constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH(OneTensor("F32", "[3]", raw(1.f, -infinity, nan)).load<float>({3}), Contains("tensor 'model.w': value 1 is not finite (-inf)"));
    CHECK_THROWS_WITH(OneTensor("F32", "[3]", raw(1.f, 2.f, nan)).load<double>({3}), Contains("value 2 is not finite (nan)"));
    CHECK_THROWS_WITH(OneTensor("F16", "[1]", raw(std::uint16_t{0x7c00})).load<float>({1}), Contains("value 0 is not finite (inf)"));
    CHECK_THROWS_WITH(OneTensor("BF16", "[1]", raw(std::uint16_t{0x7fc0})).load<float>({1}), Contains("value 0 is not finite (nan)"));
    CHECK_THROWS_WITH(OneTensor("F64", "[1]", raw(1e300)).load<float>({1}), Contains("value 0 is not finite (inf)"));
    CHECK(OneTensor("F64", "[1]", raw(1e300)).load<double>({1}) == std::vector<double>{1e300});
}

TEST_CASE("mapped_tensor lends what lies as the type asked for, and names a value that is not finite in whichever piece it lies") {
    ThreadPool pool(2);
    const std::size_t piece = std::size_t{1} << 20;
    for (const std::size_t size : {std::size_t{3}, piece, 2 * piece + 5})
        for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
            std::vector<float> values(size, 1.5f);
            TensorEntry entry;
            entry.name = "w";
            entry.dtype = Dtype::f32;
            entry.shape = {size};
            entry.bytes = std::as_bytes(std::span(values));
            const auto lent = mapped_tensor<float>(entry, pool);
            REQUIRE(lent.has_value());
            CHECK((lent->data() == values.data() && lent->size() == size));
            CHECK((!mapped_tensor<double>(entry, pool) && !mapped_tensor<bf16>(entry, pool)));
            values[at] = std::numeric_limits<float>::infinity();
            CHECK_THROWS_WITH(mapped_tensor<float>(entry, pool), Contains("tensor 'w': value " + std::to_string(at) + " is not finite (inf)"));
        }
    alignas(8) std::array<std::byte, 16> bytes{};
    TensorEntry entry;
    entry.dtype = Dtype::f32;
    entry.shape = {2};
    entry.bytes = std::span(bytes).subspan(4, 8);
    CHECK(lies_as<float>(entry));
    entry.bytes = std::span(bytes).subspan(2, 8);
    CHECK_FALSE(lies_as<float>(entry));
}
