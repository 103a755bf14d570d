// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/xtensor/adapt.hpp>

#include <lrp/op/linear.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/xtensor/backend.hpp>

#include "support/catch.hpp"

using namespace lrp;

namespace {
// The numbers 0, 1, 2, ... in an array of the shape.
template <class A>
A counted(const typename A::shape_type& shape) {
    A array = A::from_shape(shape);
    typename A::value_type next = 0;
    for (auto& value : array) value = next++;
    return array;
}
template <class E>
concept Viewable = requires(E&& array) { as_view(std::forward<E>(array)); };

template <class E>
std::string refusal(E& array) {
    try {
        (void)as_view(array);
    } catch (const Error& error) {
        return error.what();
    }
    return "none";
}
}  // namespace

// Only what owns or refers to numbers in memory, and only what has a name.
static_assert(Viewable<xt::xarray<float>&> && Viewable<const xt::xtensor<double, 2>&>);
static_assert(!Viewable<xt::xarray<float>> && !Viewable<const xt::xarray<float>> && !Viewable<xt::xarray<int>&>);
static_assert(!Viewable<decltype(std::declval<xt::xarray<float>&>() * 2)&>);

TEMPLATE_TEST_CASE("a matrix or vector of xtensor is a view of the same memory", "", float, double) {
    auto array = counted<xt::xarray<TestType>>({3, 4});
    const View<TestType> all = as_view(array);
    CHECK((all.data == array.data() && all.rows == 3 && all.cols == 4 && all.stride == 4 && all(2, 1) == 9));
    all(2, 1) = 70;
    CHECK(array(2, 1) == 70);

    auto tensor = counted<xt::xtensor<TestType, 2>>({3, 4});
    CHECK(as_view(tensor).data == tensor.data());

    auto vector = counted<xt::xtensor<TestType, 1>>({5});
    const View<TestType> row = as_view(vector);
    CHECK((row.data == vector.data() && row.rows == 1 && row.cols == 5 && row(0, 4) == 4));

    const auto& constant = array;
    static_assert(std::is_same_v<decltype(as_view(constant)), View<const TestType>>);
    CHECK(as_view(constant).data == array.data());
}

TEMPLATE_TEST_CASE("slices of rows and columns keep their place", "", float, double) {
    auto array = counted<xt::xarray<TestType>>({4, 6});
    const TestType* const origin = array.data();
    auto middle = xt::view(array, xt::range(1, 4), xt::range(2, 5));
    const auto inner = as_view(middle);
    CHECK((inner.data == origin + 8 && inner.rows == 3 && inner.cols == 3 && inner.stride == 6 && inner(2, 2) == 22));

    auto every_second = xt::view(array, xt::range(0, 4, 2), xt::all());
    CHECK((as_view(every_second).stride == 12 && as_view(every_second)(1, 5) == 17));

    auto strided = xt::strided_view(array, {xt::range(1, 3), xt::range(1, 3)});
    CHECK((as_view(strided).data == origin + 7 && as_view(strided)(1, 1) == 14));

    auto row = xt::view(array, 2, xt::all());
    CHECK((as_view(row).data == origin + 12 && as_view(row).rows == 1 && as_view(row).cols == 6));

    auto one_column = xt::view(array, xt::all(), xt::range(3, 4));
    CHECK((as_view(one_column).cols == 1 && as_view(one_column)(3, 0) == 21));
    auto one_row = xt::view(array, xt::range(3, 4), xt::range(1, 3));
    CHECK((as_view(one_row).rows == 1 && as_view(one_row)(0, 1) == 20));

    const auto& constant = array;
    auto read = xt::view(constant, xt::all(), xt::range(2, 5));
    static_assert(std::is_same_v<decltype(as_view(read)), View<const TestType>>);
    CHECK((as_view(read).data == origin + 2 && as_view(read)(1, 0) == 8));
}

TEST_CASE("what cannot be a view is refused with its shape and strides") {
    using Catch::Matchers::Contains;
    xt::xarray<float, xt::layout_type::column_major> columns = counted<xt::xarray<float>>({3, 4});
    CHECK_THAT(refusal(columns), Contains("strides [at least 4, 1]") && Contains("shape [3, 4] with strides [1, 3]"));
    auto cube = counted<xt::xarray<float>>({2, 3, 4});
    CHECK_THAT(refusal(cube), Contains("1 or 2 dimensions, found 3"));
    xt::xarray<float> number = 3.0f;
    CHECK_THAT(refusal(number), Contains("1 or 2 dimensions, found 0"));
    auto array = counted<xt::xarray<float>>({4, 6});
    auto gaps = xt::view(array, xt::all(), xt::range(0, 6, 2));
    CHECK_THAT(refusal(gaps), Contains("shape [4, 3] with strides [6, 2]"));
    auto down = xt::view(array, xt::all(), 2);
    CHECK_THAT(refusal(down), Contains("vector of stride 1") && Contains("stride 6"));
    auto turned = xt::transpose(array);
    CHECK_THAT(refusal(turned), Contains("shape [6, 4] with strides [1, 6]"));
    auto upward = xt::view(array, xt::range(3, xt::placeholders::_, -1), xt::all());
    CHECK_THAT(refusal(upward), Contains("shape [4, 6] with strides [-6, 1]"));
}

TEST_CASE("a view is an expression of xtensor, slices too") {
    auto array = counted<xt::xarray<double>>({3, 5});
    const auto inner = as_view(array).columns(1, 3);
    auto expression = as_xtensor(inner);
    CHECK((expression.data() == array.data() + 1 && expression.shape()[0] == 3 && expression.shape()[1] == 3));
    const xt::xarray<double> doubled = expression * 2;
    CHECK((doubled(0, 0) == 2 && doubled(2, 2) == 26));
    expression += as_xtensor(View<const double>(inner.rows_from(0, 1)));  // one row for all
    CHECK((array(0, 0) == 0 && array(0, 1) == 2 && array(2, 3) == 16 && array(2, 4) == 14));
    expression = xt::eval(expression * 10);
    xt::noalias(expression) = expression / 10;
    CHECK((array(0, 0) == 0 && array(0, 1) == 2 && array(2, 3) == 16 && array(2, 4) == 14));
    const auto back = as_view(expression);
    CHECK((back.data == inner.data && back.rows == 3 && back.cols == 3 && back.stride == 5));
    static_assert(std::is_same_v<decltype(as_xtensor(View<const double>()).data()), const double*>);
}

TEMPLATE_TEST_CASE("an op and a rule on xtensor's arrays, as they lie", "", float, double) {
    using B = XtensorBackend<TestType>;
    typename B::context ctx;
    const auto weight = counted<xt::xarray<TestType>>({2, 3});
    auto table = counted<xt::xarray<TestType>>({4, 5});
    auto x = xt::view(table, xt::all(), xt::range(1, 4));
    xt::xarray<TestType> z = xt::zeros<TestType>({4, 2});
    Linear::forward(ctx, {as_view(weight)}, Activation<const TestType>(as_view(x)), Activation<TestType>(as_view(z)));
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 2; ++j) {
            TestType right = 0;
            for (std::size_t k = 0; k < 3; ++k) right += table(i, 1 + k) * weight(j, k);
            CHECK(z(i, j) == right);
        }

    // A coefficient of 2^j at output j, so that with epsilon 0 column k receives sum_j w(j, k) 2^j: whole numbers, exact.
    xt::xarray<TestType> c_z = xt::zeros<TestType>({4, 2});
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 2; ++j) c_z(i, j) = static_cast<TestType>(1 << j);
    auto into = counted<xt::xarray<TestType>>({4, 5});
    const TestType* const memory = into.data();
    auto c_x = xt::view(into, xt::all(), xt::range(1, 4));
    EpsilonRule<Linear>{}.propagate(ctx, {as_view(weight)}, {Activation<const TestType>(as_view(x)), Activation<const TestType>(as_view(z))},
                                    Coefficient<const TestType>(as_view(c_z)), Coefficient<TestType>(as_view(c_x)));
    CHECK(into.data() == memory);
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t k = 0; k < 5; ++k) CHECK(into(i, k) == (k == 0 || k == 4 ? static_cast<TestType>(5 * i + k) : weight(0, k - 1) + 2 * weight(1, k - 1)));
}
