// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/adapt.hpp>

#include <lrp/eigen/backend.hpp>
#include <lrp/op/linear.hpp>
#include <lrp/rule/epsilon.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class E>
concept Viewable = requires(E&& matrix) { as_view(std::forward<E>(matrix)); };

template <class T>
RowMajor<T> counted(Index rows, Index cols) {
    RowMajor<T> matrix(rows, cols);
    for (Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = static_cast<T>(i);
    return matrix;
}

}  // namespace

// Only what lies in memory, and only what has a name.
static_assert(Viewable<RowMajor<float>&> && Viewable<const RowMajor<double>&> && Viewable<Eigen::RowVectorXf&>);
static_assert(!Viewable<RowMajor<float>> && !Viewable<const RowMajor<float>> && !Viewable<Eigen::RowVectorXi&>);
static_assert(!Viewable<decltype(std::declval<RowMajor<float>&>() * 2)&>);

TEMPLATE_TEST_CASE("a matrix, array, vector, map or block of Eigen is a view of the same memory", "", float, double) {
    auto matrix = counted<TestType>(3, 4);
    const View<TestType> all = as_view(matrix);
    CHECK((all.data == matrix.data() && all.rows == 3 && all.cols == 4 && all.stride == 4 && all(2, 1) == 9));
    all(2, 1) = 70;
    CHECK(matrix(2, 1) == 70);
    const auto& constant = matrix;
    static_assert(std::is_same_v<decltype(as_view(constant)), View<const TestType>>);
    CHECK(as_view(constant).data == matrix.data());

    auto block = matrix.block(1, 1, 2, 2);
    const View<TestType> part = as_view(block);
    CHECK((part.rows == 2 && part.cols == 2 && part.stride == 4 && part(1, 1) == matrix(2, 2)));
    auto column = matrix.col(2);
    const View<TestType> down = as_view(column);
    CHECK((down.rows == 3 && down.cols == 1 && down(2, 0) == matrix(2, 2)));
    auto row = matrix.row(1);
    CHECK((as_view(row).rows == 1 && as_view(row).cols == 4 && as_view(row)(0, 3) == matrix(1, 3)));

    Eigen::Matrix<TestType, Eigen::Dynamic, 1> vector(5);
    vector << 5, 6, 7, 8, 9;
    const View<TestType> tall = as_view(vector);
    CHECK((tall.rows == 5 && tall.cols == 1 && tall(3, 0) == 8));
    Eigen::Array<TestType, 1, Eigen::Dynamic> wide(3);
    wide << 1, 2, 3;
    CHECK((as_view(wide).rows == 1 && as_view(wide).cols == 3 && as_view(wide)(0, 2) == 3));
    auto every_other = Eigen::Map<Eigen::Matrix<TestType, 1, Eigen::Dynamic>, 0, Eigen::InnerStride<2>>(vector.data(), 3);
    CHECK_THROWS_WITH(as_view(every_other), Contains("as_view: expected rows of neighbouring numbers, found shape [1, 3] with 2 from one to the next"));
}

TEMPLATE_TEST_CASE("a view is a map of Eigen's, and a rule runs on both", "", float, double) {
    auto x = counted<TestType>(2, 4), weight = counted<TestType>(3, 4);
    RowMajor<TestType> z(2, 3), c_x(2, 4);
    const RowMajor<TestType> c_z = RowMajor<TestType>::Ones(2, 3);
    typename EigenBackend<TestType>::context ctx(1);
    const Linear::Params<TestType> params{as_view(std::as_const(weight))};
    Linear::forward(ctx, params, Activation<const TestType>(as_view(std::as_const(x))), Activation<TestType>(as_view(z)));
    CHECK(z == x * weight.transpose());
    EpsilonRule<Linear>{}.propagate(ctx, params, {}, Coefficient<const TestType>(as_view(c_z)), Coefficient<TestType>(as_view(c_x)));
    CHECK(c_x == c_z * weight);

    auto part = as_eigen(as_view(c_x).rows_from(1, 1));
    part.array() += 1;
    CHECK(c_x(1, 0) == weight.col(0).sum() + 1);
    CHECK(as_eigen(as_view(c_z)).sum() == 6);
    static_assert(std::is_same_v<decltype(as_eigen(as_view(c_z)).data()), const TestType*>);
}
