// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The picture of a steering report: points where they belong, every text escaped, nothing from elsewhere.
#include <lrp/view/steering_figure.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

SteeringPoint point(double multiplier, double rate, double perplexity) {
    SteeringPoint result;
    result.multiplier = multiplier;
    result.rate = rate;
    result.rate_interval = {rate - 0.1, rate + 0.1};
    result.perplexity = perplexity;
    result.off_target = 0.125;
    return result;
}

SteeringReport example() {
    SteeringReport report;
    report.prompts = 7;
    report.chosen.points = {point(0, 0.25, 2), point(1, 0.5, 3), point(2, 0.75, 7.5)};
    report.random.resize(2);
    report.random[0].points = {point(0, 0.5, 2), point(1, 0.5, 3), point(2, 0.25, 4)};
    report.random[1].points = {point(0, 0.25, 4), point(1, 0.5, 3), point(2, 0.5, 5)};
    report.difference = {-0.125, 0, 0.375};
    report.difference_interval = {{-0.2, 0}, {0, 0}, {0.25, 0.5}};
    return report;
}

const SteeringFigure figure{"<b>Food & \"drink\"", "<script>", "3 & more", {{0, "a"}, {2, "</td><img src=x>"}}};

}  // namespace

TEST_CASE("the figure has its points where they belong") {
    const std::string svg = svg_steering(example(), figure);
    // Frames are 330 x 230 at (62, 78) and (468, 78); rates run from 0 to 1, perplexities from 1.5 to 7.5.
    CHECK_THAT(svg, Contains("<polyline points=\"62,250.5 227,193 392,135.5\"") && Contains("<polyline points=\"62,193 227,193 392,250.5\"") && Contains("<polyline points=\"62,221.75 227,193 392,221.75\""));
    CHECK_THAT(svg, Contains("<polyline points=\"468,288.83 633,250.5 798,78\"") && Contains("7 prompts, 1 continuation each; on target: &lt;script&gt;</text>"));
    CHECK_THAT(svg, Contains("&lt;b&gt;Food &amp; ") && Contains("3 &amp; more") && !Contains("<b>"));
    SteeringFigure of_many = figure;
    of_many.target = std::string(300, 'x');
    CHECK_THAT(svg_steering(example(), of_many), Contains("each; on target: xxx") && Contains("xxx…</text>"));
    CHECK(random_point(example(), 2).rate == Approx(0.375));
    CHECK(random_point(example(), 2).off_target == Approx(0.125));
    CHECK_THAT(svg, Contains("<polygon points=\"62,273.5 227,216 392,158.5 392,112.5 227,170 62,227.5\""));  // Wilson's band: the lower ends, and back along the upper ones
    CHECK((random_point(example(), 2).least == 0.25 && random_point(example(), 2).most == 0.5 && random_point(example(), 0).perplexity == 3));
    CHECK(detail::round_range(2, 7.5) == std::pair{1.5, 7.5});
    CHECK(detail::round_range(3.2, 23) == std::pair{0.0, 24.0});
    CHECK((detail::round_range(4.03, 4.08).first == Approx(4.02) && detail::round_range(4.03, 4.08).second == Approx(4.10)));
    CHECK((detail::round_range(5, 5).first <= 5 && detail::round_range(5, 5).second > 5));
    SteeringReport alone = example();
    alone.random.clear();
    CHECK_THAT(svg_steering(alone, figure), Contains("chosen units") && !Contains("random sets"));
}

TEST_CASE("the page needs nothing from elsewhere and takes no text for markup") {
    const std::string page = html_steering(example(), figure);
    CHECK_THAT(page, Contains("<svg") && Contains("<td>0.375</td>") && Contains("[0.25, 0.5]") && Contains("&lt;/td&gt;&lt;img src=x&gt;") && Contains("&lt;script&gt;"));
    CHECK_THAT(page, !Contains("<script") && !Contains("<img") && !Contains("src=\"") && !Contains("https:"));
    SteeringReport report = example();
    report.chosen.slope = 0.25;
    report.chosen.against = 0.5;
    report.slope_interval = {0.1, 0.4};
    report.random_slope = -0.05;
    report.random_slope_interval = {-0.2, 0.15};
    CHECK_THAT(html_steering(report, figure), Contains("Slope of the rate: 0.25 [0.1, 0.4]; of random units -0.05 [-0.2, 0.15]. Prompts that move the other way: 50 %") && Contains("<td>[0.15, 0.35]</td>"));
    CHECK_THAT(html_steering({1, 1, {{}, {point(1, 0.5, 2)}, 0, 0}, {}, {}, {}, {}, 0, {}}, figure), Contains("<td>0.5</td>"));
}
