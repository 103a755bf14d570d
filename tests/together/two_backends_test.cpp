// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Two backends with threads of their own kinds, Eigen on our pool and Thrust on OpenMP, in one program and one source file: both compute, in turn
// and at the same time, and each gives what it gives alone.
#include <thread>

#include <lrp/analysis/compare.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/thrust/omp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using lrp::test::random_weights;

namespace {

using OnEigen = EigenBackend<float>;
using OnThrust = ThrustOmpBackend<float>;
using Right = ReferenceBackend<double>;

LlamaConfig two_layers() {
    LlamaConfig config;
    config.vocab_size = 30;
    config.hidden_size = 32;
    config.intermediate_size = 80;
    config.layers = 2;
    config.attention = {4, 2, 8};
    return config;
}
std::vector<std::int32_t> prompt() {
    std::vector<std::int32_t> ids(150);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7 % 30);
    return ids;
}

/// A backend with a model whose weights are those of all the others, rounded to its scalar.
template <class B>
struct Side {
    typename B::context ctx;
    LlamaModel<B, AttnLRP> model{two_layers(), random_weights<B>(ctx, two_layers())};

    [[nodiscard]] AttributeOptions options() const {
        AttributeOptions all;
        all.target = 3;
        all.sites = {true, true, true, true};
        return all;
    }
    SiteRecording record() { return record_sites(ctx, model, prompt(), options()); }
    /// All that a trace holds, as one list.
    std::vector<float> trace() {
        const Trace found = attribute(ctx, model, prompt(), options());
        std::vector<float> out;
        for (const auto* part : {&found.logits, &found.embedding, &found.residual, &found.head, &found.neuron}) out.insert(out.end(), part->begin(), part->end());
        return out;
    }
};

}  // namespace

TEST_CASE("Eigen and Thrust on OpenMP agree at every site, and with the reference") {
    Side<OnEigen> eigen;
    Side<OnThrust> thrust;
    Side<Right> right;
    const SiteRecording of_eigen = eigen.record(), of_thrust = thrust.record(), truth = right.record();
    const double allowed = 10 * tolerance<float>;  // two layers, each site by itself, as in the conformance tests
    const SiteComparison both = compare_sites(of_thrust, of_eigen);
    CHECK(both.sites.size() > 40);
    CHECK((both.mine.find("thrust-omp") != std::string::npos && both.right.find("eigen") != std::string::npos));
    CHECK(both.largest() <= allowed);
    CHECK(both.largest() > 0);  // two backends, not one twice
    CHECK(compare_sites(of_eigen, truth).largest() <= allowed);
    CHECK(compare_sites(of_thrust, truth).largest() <= allowed);
}

TEST_CASE("each gives the same bits alone, in turn and while the other computes") {
    std::vector<float> eigen_alone, thrust_alone;
    {
        Side<OnEigen> eigen;
        eigen_alone = eigen.trace();
    }
    {
        Side<OnThrust> thrust;
        thrust_alone = thrust.trace();
    }
    REQUIRE((eigen_alone.size() > 1000 && eigen_alone.size() == thrust_alone.size()));
    Side<OnEigen> eigen;
    Side<OnThrust> thrust;
    for (int turn = 0; turn < 2; ++turn) {
        CHECK(eigen.trace() == eigen_alone);
        CHECK(thrust.trace() == thrust_alone);
    }
    std::vector<float> meanwhile;
    std::thread other([&] { meanwhile = thrust.trace(); });
    const auto mine = eigen.trace();
    other.join();
    CHECK(mine == eigen_alone);
    CHECK(meanwhile == thrust_alone);
}

TEST_CASE("numbers go from one to the other through the host, and are worked on there") {
    OnEigen::context eigen;
    OnThrust::context thrust;
    std::vector<float> numbers(64 * 48);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 17) - 8;  // small integers: products are exact
    Tensor<OnEigen> a(eigen, 64, 48), square(eigen, 64, 64);
    a.upload(eigen, numbers);
    OnEigen::matmul(eigen, {.transpose_b = true}, std::as_const(a).view(), std::as_const(a).view(), square.view());
    Tensor<OnThrust> there(thrust, 64, 64), twice(thrust, 64, 64);
    there.upload(thrust, square.download(eigen));
    OnThrust::matmul(thrust, {}, std::as_const(there).view(), std::as_const(there).view(), twice.view());
    Tensor<OnEigen> again(eigen, 64, 64);
    OnEigen::matmul(eigen, {}, std::as_const(square).view(), std::as_const(square).view(), again.view());
    CHECK(again.download(eigen) == twice.download(thrust));
}
