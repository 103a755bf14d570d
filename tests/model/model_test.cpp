// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The model as a user meets it: recomputing, threads, observers, seeds, changed roles, bad input.
#include <map>

#include <lrp/analysis/conservation.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::largest_difference;
using lrp::test::random_weights;

namespace {

const TraceSites everything{true, true, true, true};

struct UniformSoftmax : AttnLRP {
    using softmax = UniformRule<Softmax>;
};
struct StoppedSoftmax : AttnLRP {
    using softmax = StopRule<Softmax>;
};
struct GammaProjections : AttnLRP {
    using projection = GammaRule<Linear>;
};

template <Backend B, Composite R>
Trace run(const AttributeOptions& options, unsigned threads = 1, const LlamaConfig& config = test::small_llama()) {
    typename B::context ctx = [&] {
        if constexpr (std::is_constructible_v<typename B::context, unsigned>) {
            return typename B::context(threads);
        } else {
            return typename B::context{};
        }
    }();
    const LlamaModel<B, R> model(config, random_weights<B>(ctx, config));
    return attribute(ctx, model, test::small_prompt, options);
}

double sum(const std::vector<float>& values) {
    double total = 0;
    for (const float value : values) total += static_cast<double>(value);
    return total;
}

}  // namespace

TEST_CASE("recomputing layers and any number of threads give the same bits") {
    AttributeOptions options;
    options.sites = everything;
    options.recompute = Recompute::keep();
    const Trace one = run<EigenBackend<float>, AttnLRP>(options);
    for (const auto& recompute : {Recompute::layer(), Recompute::layers(2), Recompute::within(1 << 20)}) {
        for (const unsigned threads : {1u, 2u, 3u}) {
            options.recompute = recompute;
            const Trace other = run<EigenBackend<float>, AttnLRP>(options, threads);
            CHECK(one.embedding == other.embedding);
            CHECK(one.residual == other.residual);
            CHECK(one.head == other.head);
            CHECK(one.neuron == other.neuron);
            CHECK(one.logits == other.logits);
        }
    }
    options.recompute = Recompute::within(1000);
    CHECK_THROWS_WITH((run<EigenBackend<float>, AttnLRP>(options)), Contains("the budget is 1000 bytes"));
}

TEST_CASE("a budget recomputes as few layers as it allows") {
    const auto bytes = [](Index count) { return static_cast<std::uint64_t>(100 + 10 * (count == 0 ? 8 : 8 - count + 1)); };
    const auto room = [] { return std::uint64_t{150}; };
    CHECK(Recompute{}.decide(8, bytes, room) == 4);
    CHECK(Recompute{}.decide(8, bytes, [] { return std::uint64_t{1}; }) == 8);  // refused by nobody: less than that it cannot be
    CHECK(Recompute::within(180).decide(8, bytes, room) == 0);
    CHECK(Recompute::within(179).decide(8, bytes, room) == 2);
    CHECK(Recompute::within(150).decide(8, bytes, room) == 4);
    CHECK(Recompute::within(110).decide(8, bytes, room) == 8);
    CHECK_THROWS_WITH(Recompute::within(109).decide(8, bytes, room),
                      Contains("needs 180 bytes keeping everything and 110 bytes recomputing each layer; the budget is 109 bytes"));
    CHECK((Recompute::keep().decide(8, bytes, room) == 0 && Recompute::layer().decide(8, bytes, room) == 8 && Recompute::layers(3).decide(8, bytes, room) == 3 &&
           Recompute::layers(9).decide(8, bytes, room) == 8));
}

TEST_CASE("a recompute policy is read from text") {
    CHECK((Recompute::parse("never").by == Recompute::By::layers && Recompute::parse("never").first == 0));
    CHECK((Recompute::parse("always").by == Recompute::By::layers && Recompute::parse("always").first == Recompute::all));
    CHECK(Recompute::parse("auto").by == Recompute::By::room);
    CHECK((Recompute::parse("2G").by == Recompute::By::budget && Recompute::parse("2G").budget == std::uint64_t{2} << 30));
    CHECK(Recompute::parse("123").budget == 123);
    for (const char* bad : {"", "sometimes", "2T", "-1", "99999999999999G", "1.5G"}) CHECK_THROWS_AS(Recompute::parse(bad), UsageError);
    using Model = LlamaModel<EigenBackend<float>, AttnLRP>;
    CHECK(Model::pass_bytes(test::small_llama(), 100, test::small_llama().layers) < Model::pass_bytes(test::small_llama(), 100, 0));
}

namespace {
/// What is at the sites that a pass keeps only where they are read: values and coefficients, as they come.
struct OutputReader {
    std::vector<std::vector<float>> found;
    [[nodiscard]] bool reads(Site site) const {
        constexpr std::array sites{Site::attn_norm, Site::q_pre, Site::k_pre, Site::attn_out, Site::mlp_norm, Site::neuron, Site::mlp_out};
        return std::find(sites.begin(), sites.end(), site) != sites.end();
    }
    template <Context C>
    void relevance(C& ctx, SiteRef, Activation<const float> x, Coefficient<float> c) {
        found.push_back(download(ctx, x));
        found.push_back(download(ctx, c));
    }
};
}  // namespace

TEMPLATE_TEST_CASE("what nobody reads is not kept, and formed again for who reads them later", "", ReferenceBackend<float>, EigenBackend<float>) {
    using B = TestType;
    typename B::context ctx;
    LlamaModel<B, AttnLRP> model(test::small_llama(), random_weights<B>(ctx, test::small_llama(), 3));
    const std::vector<std::int32_t> ids{1, 7, 3, 9, 2};
    const std::vector<std::int32_t> last{4};
    const std::vector<Seed> seeds{{4, 5, 1.0}};
    for (const Recompute& recompute : {Recompute::keep(), Recompute::layers(2), Recompute::layer()}) {
        const auto pass_of = [&](auto&& observer) { return model.forward(ctx, ids, last, PassOptions(recompute), observer); };
        OutputReader from_the_start, later;
        auto watched = pass_of(from_the_start);
        for (const auto& layer : watched.layers)
            CHECK_FALSE((layer.mlp.out.empty() || layer.attention.out.empty() || layer.attention.q_pre.empty() || layer.mlp.neuron.empty() ||
                         layer.mlp_norm.empty() || layer.attn_norm.empty()));
        model.relevance(ctx, watched, seeds, from_the_start);
        NullObserver nobody;
        auto lean = pass_of(nobody);
        for (const auto& layer : lean.layers)
            CHECK((layer.mlp.out.empty() && layer.attention.out.empty() && layer.attention.q_pre.empty() && layer.attention.k_pre.empty() &&
                   layer.mlp.neuron.empty() && layer.mlp_norm.empty() && layer.attn_norm.empty()));
        model.relevance(ctx, lean, seeds, later);
        CHECK(from_the_start.found.size() == 2 * 7 * static_cast<std::size_t>(test::small_llama().layers));
        CHECK(later.found == from_the_start.found);
        model.rules().projection.epsilon = 0.1;  // now the rule reads them
        auto damped = pass_of(nobody);
        CHECK_FALSE(damped.layers[0].mlp.out.empty());
        CHECK_NOTHROW(model.relevance(ctx, damped, seeds));
        model.rules().projection.epsilon = 0;
    }
}

TEMPLATE_TEST_CASE("one changed role runs on every backend and differs from its neighbours", "", ReferenceBackend<float>, EigenBackend<float>,
                   ReferenceBackend<double>, EigenBackend<double>) {
    AttributeOptions options;
    const auto taylor = run<TestType, AttnLRP>(options).embedding;
    const auto uniform = run<TestType, UniformSoftmax>(options).embedding;
    const auto stopped = run<TestType, StoppedSoftmax>(options).embedding;
    const auto cp = run<TestType, CpLRP>(options).embedding;
    const auto gradient = run<TestType, Gradient>(options).embedding;
    const auto gamma = run<TestType, GammaProjections>(options).embedding;
    const std::vector<std::vector<float>> all{taylor, uniform, stopped, cp, gradient, gamma};
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) CHECK(largest_difference(all[i], all[j]) > 1e-3);
    // The reference backend in double is the yardstick of all.
    CHECK(largest_difference(uniform, run<ReferenceBackend<double>, UniformSoftmax>(options).embedding) < 1e-4);
    CHECK(largest_difference(gamma, run<ReferenceBackend<double>, GammaProjections>(options).embedding) < 1e-4);
    CHECK(largest_difference(taylor, run<ReferenceBackend<double>, AttnLRP>(options).embedding) < 1e-5);
}

TEST_CASE("CP-LRP conserves the logit at every cut of a model without biases") {
    AttributeOptions options;
    options.sites = everything;
    const Trace trace = run<EigenBackend<float>, CpLRP>(options);
    CHECK(sum(trace.embedding) == Approx(trace.explained).epsilon(1e-5));
    for (std::size_t l = 0; l < trace.layers; ++l)
        CHECK(sum({trace.residual.begin() + static_cast<std::ptrdiff_t>(l * test::small_prompt.size()),
                   trace.residual.begin() + static_cast<std::ptrdiff_t>((l + 1) * test::small_prompt.size())}) == Approx(trace.explained).epsilon(1e-5));
}

TEMPLATE_TEST_CASE("the ledger closes under every composite, with biases and without", "", AttnLRP, CpLRP, Gradient, UniformSoftmax, StoppedSoftmax) {
    for (const bool biases : {false, true}) {
        const auto config = test::small_llama(biases);
        EigenBackend<double>::context wide(1);
        LlamaModel<EigenBackend<double>, TestType> exact(config, random_weights<EigenBackend<double>>(wide, config));
        Ledger ledger = conservation(wide, exact, test::small_prompt);
        CHECK(ledger.largest_gap() < 1e-9);
        double absorbed = ledger.output.predicted;
        for (const auto& layer : ledger.layers) absorbed += layer.attention.predicted + layer.mlp.predicted;
        CHECK(ledger.explained - absorbed == Approx(ledger.embedding).margin(1e-9));
        REQUIRE(ledger.layers[1].rows.size() == 4 * test::small_prompt.size());
        for (const auto& row : ledger.layers[1].rows) CHECK(row.gap() < 1e-9);
        if constexpr (requires { exact.rules().projection.epsilon; }) {
            exact.rules().projection.epsilon = 0.05;  // damping is absorbed too, and predicted
            exact.rules().residual.epsilon = 0.01;
            CHECK(conservation(wide, exact, test::small_prompt).largest_gap() < 1e-9);
        }
        EigenBackend<float>::context narrow(1);
        const LlamaModel<EigenBackend<float>, TestType> model(config, random_weights<EigenBackend<float>>(narrow, config));
        CHECK(conservation(narrow, model, test::small_prompt).largest_gap() < 1e-5);
    }
}

namespace {
/// A uniform rule that forgets the half of the second factor.
template <class O>
struct Careless : UniformRule<O> {
    template <Context C, class T = typename C::scalar>
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_a, CoefficientOut<C> c_b,
                   Write write = {}) const {
        O::vjp_first(ctx, p, s, c_y, c_a, write.scaled(0.5));
        O::vjp_second(ctx, p, s, c_y, c_b, write);
    }
};
struct CarelessAttnLRP : AttnLRP {
    using gating = Careless<Multiply>;
};
}  // namespace
template <>
struct lrp::Absorption<Careless<Multiply>> : lrp::Absorption<UniformRule<Multiply>> {};

TEST_CASE("the ledger finds a rule that does not keep its promise") {
    EigenBackend<float>::context ctx(1);
    const LlamaModel<EigenBackend<float>, CarelessAttnLRP> model(test::small_llama(), random_weights<EigenBackend<float>>(ctx, test::small_llama()));
    CHECK(conservation(ctx, model, test::small_prompt).largest_gap() > 1e-3);
}

TEST_CASE("targets: another token, a contrast, another position, the logit as seed") {
    using B = EigenBackend<double>;
    AttributeOptions options;
    const auto with = [&](auto change) {
        AttributeOptions own = options;
        own.sites = everything;
        change(own);
        return run<B, AttnLRP>(own);
    };
    const Trace a = with([](auto&o) { o.target = 5; }), b = with([](auto&o) { o.target = 6; });
    const Trace contrast = with([](auto& o) {
        o.target = 5;
        o.contrast = 6;
    });
    CHECK(contrast.explained == Approx(a.explained - b.explained));
    for (std::size_t t = 0; t < test::small_prompt.size(); ++t) CHECK(contrast.embedding[t] == Approx(a.embedding[t] - b.embedding[t]).margin(1e-6));
    const Trace logit = with([](auto& o) {
        o.target = 5;
        o.seed_with_logit = true;
    });
    for (std::size_t t = 0; t < test::small_prompt.size(); ++t) CHECK(logit.embedding[t] == Approx(a.embedding[t] * a.explained).margin(1e-6));
    const Trace difference = with([](auto& o) {
        o.target = 5;
        o.contrast = 6;
        o.seed_with_logit = true;
    });
    for (std::size_t t = 0; t < test::small_prompt.size(); ++t) CHECK(difference.embedding[t] == Approx(contrast.embedding[t] * contrast.explained).margin(1e-6));
    const Trace earlier = with([](auto& o) { o.position = 3; });
    CHECK(earlier.embedding.size() == test::small_prompt.size());
    CHECK((earlier.embedding[3] != 0 && earlier.embedding[4] == 0 && earlier.residual[2 * test::small_prompt.size() + 7] == 0));
    CHECK_THROWS_AS(with([](auto& o) { o.position = 8; }), UsageError);
    CHECK_THROWS_WITH(with([](auto& o) { o.target = 50; }), Contains("target: expected a token id below 50, found 50"));
    CHECK_THROWS_AS(with([](auto& o) { o.contrast = -1; }), UsageError);
    const Trace best = with([](auto&) {});
    CHECK(best.target == best.predictions.front().id);
    CHECK(best.predictions.size() == 5);
    CHECK(best.predictions[0].logit >= best.predictions[1].logit);
    double certain = 0;
    for (const Prediction& one : with([](auto& o) { o.top = 50; }).predictions) {
        certain += one.probability;
        CHECK(one.probability == Approx(std::exp(log_probability(best.logits, one.id))).epsilon(1e-5));
    }
    CHECK(certain == Approx(1));
}

namespace {
/// Doubles one neuron while the model runs, and notes what it saw.
struct Meddler {
    using B = EigenBackend<double>;
    std::vector<std::string> seen;
    double factor = 1;
    void activation(B::context& ctx, SiteRef site, Activation<double> x) {
        if (!site.recomputed) seen.push_back(site.text());
        const auto scale = [&](View<double> part) { B::map(ctx, Add::Scale<double>{factor}, part, View<const double>(part)); };
        if (site.site == Site::neuron && site.layer == 1) scale(x.columns(3, 1));
        if ((site.site == Site::resid_pre || site.site == Site::resid_post) && site.layer == 1) scale(x.columns(5, 1));
    }
};
/// Lets no relevance through the MLP of a layer, and keeps what flows past it in the stream.
struct Blocker {
    using B = EigenBackend<double>;
    std::vector<std::string> seen;
    std::vector<double> above, below;
    void relevance(B::context& ctx, SiteRef site, Activation<const double> x, Coefficient<double> c) {
        CHECK((x.rows == c.rows && x.cols == c.cols));
        seen.push_back(site.text());
        if (site.site == Site::mlp_out && site.layer == 1) B::fill(ctx, c, 0);
        if (site.site == Site::resid_post && site.layer == 1) above = download(ctx, c);
        if (site.site == Site::resid_mid && site.layer == 1) below = download(ctx, c);
    }
};
struct Misspelt {
    void activations(int);
};
static_assert(!ObserverFor<Misspelt, EigenBackend<double>::context>);
static_assert(ObserverFor<NullObserver, EigenBackend<double>::context> && ObserverFor<Meddler, EigenBackend<double>::context>);
}  // namespace

TEST_CASE("an observer sees every site in order and may replace what is there") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const LlamaModel<B, AttnLRP> model(test::small_llama(), random_weights<B>(ctx, test::small_llama()));
    const std::vector<std::int32_t> last{7};
    Meddler meddler;
    auto pass = model.forward(ctx, test::small_prompt, last, Recompute::keep(), meddler);
    const std::vector<std::string> layer{"resid_pre", "attn_norm", "q_pre",    "k_pre", "v",   "q",  "k",      "scores",  "probs",     "head",
                                         "attn_out",  "resid_mid", "mlp_norm", "gate",  "act", "up", "neuron", "mlp_out", "resid_post"};
    std::vector<std::string> right{"embedding"};
    for (int l = 0; l < 3; ++l)
        for (const auto& site : layer) right.push_back("layers." + std::to_string(l) + "." + site);
    right.insert(right.end(), {"final_norm", "logits"});
    CHECK(meddler.seen == right);
    Blocker blocker;
    const std::vector<Seed> seeds{{7, 5, 1.0}};
    const auto blocked = model.relevance(ctx, pass, seeds, blocker).download(ctx);
    CHECK(blocker.seen.size() == right.size());
    CHECK(std::is_permutation(blocker.seen.begin(), blocker.seen.end(), right.begin()));
    CHECK(blocker.seen.front() == "logits");
    CHECK(blocker.above == blocker.below);  // only the stream's own share went past the blocked MLP
    CHECK(lrp::test::largest_magnitude(blocker.below) > 0);
    const auto open = model.relevance(ctx, pass, seeds).download(ctx);
    CHECK(largest_difference(blocked, open) > 1e-6);

    // A changed neuron changes the logits, and recomputing with the same observer gives the same bits as keeping everything.
    Meddler doubling{{}, 2};
    auto kept = model.forward(ctx, test::small_prompt, last, Recompute::keep(), doubling);
    CHECK(largest_difference(kept.logits.download(ctx), pass.logits.download(ctx)) > 1e-6);
    auto recomputed = model.forward(ctx, test::small_prompt, last, Recompute::layer(), doubling);
    CHECK(model.relevance(ctx, kept, seeds, doubling).download(ctx) == model.relevance(ctx, recomputed, seeds, doubling).download(ctx));
    CHECK(model.relevance(ctx, kept, seeds, doubling).download(ctx) == model.relevance(ctx, recomputed, seeds, doubling).download(ctx));  // and again
}

TEST_CASE("input that does not fit is an error with the numbers in it") {
    using B = EigenBackend<float>;
    B::context ctx(1);
    const LlamaModel<B, AttnLRP> model(test::small_llama(), random_weights<B>(ctx, test::small_llama()));
    const std::vector<std::int32_t> none, outside{1, 50}, last{0}, two{1, 0};
    CHECK_THROWS_WITH(attribute(ctx, model, none), Contains("the prompt has no token"));
    CHECK_THROWS_WITH(attribute(ctx, model, outside), Contains("token id 50 at position 1 is outside the vocabulary of 50"));
    CHECK_THROWS_WITH(model.forward(ctx, test::small_prompt, two, {}), Contains("positions must ascend"));
    auto pass = model.forward(ctx, test::small_prompt, last, {});
    const std::vector<Seed> elsewhere{{3, 5, 1.0}};
    CHECK_THROWS_WITH(model.relevance(ctx, pass, elsewhere), Contains("the pass has no logits at position 3"));
    CHECK_THROWS_WITH(model.relevance(ctx, pass, {}), Contains("no seed was given"));
    auto odd = test::small_llama();
    odd.attention.kv_heads = 3;
    CHECK_THROWS_WITH(odd.validate(), Contains("num_attention_heads 4 must be a multiple of num_key_value_heads 3"));

    // A weight that overflows: the error names a site, and no number is returned.
    const auto broken =
        std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, test::small_llama(), [](const std::string& name, Index, Index, auto host) {
            for (auto& value : host) value = name.ends_with("down_proj.weight") ? 1e38f : 0.5f;
        }));
    const LlamaModel<B, AttnLRP> overflowing(test::small_llama(), broken);
    CHECK_THROWS_WITH(attribute(ctx, overflowing, test::small_prompt), Contains("site logits is not finite"));
}

TEST_CASE("RoPE's frequencies: the golden divisors of Llama 3.1 8B and 3.2 1B") {
    const auto divisors = [](Index head_dim, double factor) {
        RopeConfig rope{.theta = 5e5, .scaling = RopeScaling::llama3, .factor = factor, .original_max_positions = 8192};
        RopeConfig plain{.theta = 5e5};
        const auto scaled = rope.frequencies(head_dim), free = plain.frequencies(head_dim);
        std::vector<double> out;
        for (std::size_t i = 0; i < scaled.size(); ++i) out.push_back(free[i] / scaled[i]);
        return out;
    };
    const auto large = divisors(128, 8);
    for (std::size_t i = 0; i <= 28; ++i) CHECK(large[i] == 1);
    const std::vector<double> blended{1.207484, 1.553415, 2.026313, 2.694530, 3.684253, 5.257327};
    for (std::size_t i = 0; i < blended.size(); ++i) CHECK(large[29 + i] == Approx(blended[i]).epsilon(1e-6));
    for (std::size_t i = 35; i < 64; ++i) CHECK(large[i] == Approx(8));
    const auto little = divisors(64, 32);
    CHECK((little[14] == 1 && little[15] == Approx(1.651329).epsilon(1e-6) && little[16] == Approx(3.292262).epsilon(1e-6)));
    CHECK((little[17] == Approx(9.666729).epsilon(1e-6) && little[18] == Approx(32)));
    const auto linear = RopeConfig{.theta = 100, .scaling = RopeScaling::linear, .factor = 4}.frequencies(4);
    CHECK((linear[0] == Approx(0.25) && linear[1] == Approx(0.025)));
}

TEST_CASE("the ledger's heads are sums of their rows, its totals those of an observer, its scale the largest mass") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(test::small_llama(true), random_weights<B>(ctx, test::small_llama(true)));
    const Ledger ledger = conservation(ctx, model, test::small_prompt);
    struct Totals {
        std::map<std::pair<Site, Index>, double> sums{};
        double mass = 0;
        void relevance(B::context& context, SiteRef site, Activation<const double> x, Coefficient<double> c) {
            const auto values = download(context, View<const double>(x)), coefficients = download(context, View<const double>(c));
            for (Index row = 0; row < x.rows; ++row) {
                double sum = 0;
                for (Index col = 0; col < x.cols; ++col) {
                    const auto at = static_cast<std::size_t>(row * x.cols + col);
                    if (site.site != Site::scores || coefficients[at] != 0) sum += values[at] * coefficients[at];
                }
                sums[{site.site, site.layer}] += sum;
                if (site.site == Site::resid_post) masses[site.layer] += std::abs(sum);
            }
        }
        std::map<Index, double> masses{};
    } totals;
    (void)attribute(ctx, model, test::small_prompt, {}, totals);
    double scale = std::abs(ledger.explained);
    for (const auto& [layer, mass] : totals.masses) scale = std::max(scale, mass);
    CHECK(ledger.scale == Approx(scale));
    CHECK(ledger.embedding == Approx(totals.sums.at({Site::embedding, 0})));
    for (std::size_t l = 0; l < 3; ++l) {
        const LedgerLayer& layer = ledger.layers[l];
        for (const Site site : {Site::resid_post, Site::mlp_out, Site::neuron, Site::act, Site::gate, Site::up, Site::mlp_norm, Site::resid_mid, Site::attn_out, Site::head, Site::probs, Site::scores,
                                Site::q, Site::k, Site::v, Site::q_pre, Site::k_pre, Site::attn_norm, Site::resid_pre}) {
            INFO(site_name(site) << " of layer " << l);
            CHECK(layer.total[static_cast<std::size_t>(site)] == Approx(totals.sums.at({site, static_cast<Index>(l)})).margin(1e-9));
        }
        REQUIRE((layer.heads.size() == 4 && layer.rows.size() == 4 * test::small_prompt.size()));
        for (std::size_t h = 0; h < 4; ++h) {
            double predicted = 0, observed = 0;
            for (std::size_t t = 0; t < test::small_prompt.size(); ++t) {
                predicted += layer.rows[h * test::small_prompt.size() + t].predicted;
                observed += layer.rows[h * test::small_prompt.size() + t].observed;
            }
            CHECK(layer.heads[h].predicted == Approx(predicted).margin(1e-12));
            CHECK(layer.heads[h].observed == Approx(observed).margin(1e-12));
        }
    }
}

TEST_CASE("the largest gap is looked for everywhere, has no sign, and is relative to the scale") {
    Ledger ledger;
    ledger.scale = 4;
    ledger.layers.resize(2);
    ledger.layers[1].heads.resize(2);
    for (Absorbed* one : {&ledger.output, &ledger.layers[0].mlp, &ledger.layers[1].attention, &ledger.layers[1].heads[1]})
        for (const double gap : {8.0, -8.0}) {
            *one = {2, 2 + gap};
            CHECK(ledger.largest_gap() == 2);
            *one = {};
        }
    CHECK(ledger.largest_gap() == 0);
    ledger.scale = 0;
    ledger.output = {1, 3};
    CHECK(ledger.largest_gap() == 2);
}
