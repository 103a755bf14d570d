// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A steering report as a picture: rate on target and perplexity against the multiplier, chosen units beside random ones.
#pragma once

#include <lrp/analysis/steering_report.hpp>
#include <lrp/core/human.hpp>
#include <lrp/view/html_frame.hpp>
#include <lrp/view/label.hpp>

namespace lrp {

/// What a reader is told beside the numbers.
struct SteeringFigure {
    std::string title, target, units;
    std::vector<std::pair<double, std::string>> examples;  ///< a continuation at each multiplier
};

/// The controls at one multiplier, together: mean, least and most.
struct RandomPoint {
    double rate = 0, least = 0, most = 0, perplexity = 0, off_target = 0;
};

/// Means over the random sets at a multiplier; zeros where there are none.
[[nodiscard]] inline RandomPoint random_point(const SteeringReport& report, std::size_t at) {
    RandomPoint result;
    if (report.random.empty()) return result;
    result.least = 1;
    for (const SteeringCurve& curve : report.random) {
        const SteeringPoint& point = curve.points[at];
        const double part = 1 / static_cast<double>(report.random.size());
        result.rate += part * point.rate;
        result.perplexity += part * point.perplexity;
        result.off_target += part * point.off_target.value_or(0);
        result.least = std::min(result.least, point.rate);
        result.most = std::max(result.most, point.rate);
    }
    return result;
}

namespace detail {

/// The narrowest range around [least, most] whose ends and quarters are multiples of a short number times a power of ten.
inline std::pair<double, double> round_range(double least, double most) {
    const double span = most > least ? most - least : std::max(std::abs(most), 1e-9);
    for (double power = std::pow(10, std::floor(std::log10(span / 4)));; power *= 10)
        for (const double digit : {1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0}) {
            const double step = digit * power, bottom = step * std::floor(least / step * (1 + 1e-12));
            if (bottom + 4 * step >= most) return {bottom, bottom + 4 * step};
        }
}

/// One frame with axes; values become places in it.
class Panel {
  public:
    Panel(double left, double low_x, double high_x, double low_y, double high_y) : left_(left), low_x_(low_x), high_x_(high_x), low_y_(low_y), high_y_(high_y) {}

    static constexpr double width = 330, height = 230, top = 78;
    [[nodiscard]] double x(double value) const { return left_ + width * (value - low_x_) / (high_x_ > low_x_ ? high_x_ - low_x_ : 1); }
    [[nodiscard]] double y(double value) const { return top + height * (1 - (value - low_y_) / (high_y_ > low_y_ ? high_y_ - low_y_ : 1)); }
    [[nodiscard]] std::string at(double px, double py) const { return number_text(x(px), 5) + "," + number_text(y(py), 5); }

    [[nodiscard]] std::string frame(const std::string& name, const std::vector<double>& multipliers) const {
        std::string out = "<text x=\"" + number_text(left_, 5) + "\" y=\"" + number_text(top - 10, 5) + "\">" + name + "</text>\n";
        for (int i = 0; i <= 4; ++i) {
            const double value = low_y_ + (high_y_ - low_y_) * i / 4;
            out += "<path d=\"M" + at(low_x_, value) + "H" + number_text(left_ + width, 5) + "\" stroke=\"#e4e4e4\"/><text x=\"" + number_text(left_ - 6, 5) + "\" y=\"" +
                   number_text(y(value) + 4, 5) + "\" text-anchor=\"end\" font-size=\"11\">" + number_text(value, 6) + "</text>\n";
        }
        for (const double m : multipliers)
            out += "<text x=\"" + number_text(x(m), 5) + "\" y=\"" + number_text(top + height + 16, 5) + "\" text-anchor=\"middle\" font-size=\"11\">" + number_text(m, 3) + "</text>\n";
        return out + "<text x=\"" + number_text(left_ + width / 2, 5) + "\" y=\"" + number_text(top + height + 34, 5) + "\" text-anchor=\"middle\">units multiplied by</text>\n";
    }
    [[nodiscard]] std::string line(const std::vector<double>& xs, const std::vector<double>& ys, const char* style) const {
        std::string points;
        for (std::size_t i = 0; i < xs.size(); ++i) points += (i > 0 ? " " : "") + at(xs[i], ys[i]);
        return "<polyline points=\"" + points + "\" fill=\"none\" " + style + "/>\n";
    }

  private:
    double left_, low_x_, high_x_, low_y_, high_y_;
};

}  // namespace detail

/// The report as a stand-alone SVG, its title left out if it is empty: on the left the rate with Wilson's interval, each control as a thin line and their mean dashed; on the right
/// the continuations' perplexity under the untouched model.
[[nodiscard]] inline std::string svg_steering(const SteeringReport& report, const SteeringFigure& figure) {
    constexpr const char *red = "stroke=\"#c8322f\" stroke-width=\"2\"", *grey = "stroke=\"#b8b8b8\" stroke-width=\"1\"", *dashed = "stroke=\"#555555\" stroke-width=\"2\" stroke-dasharray=\"5 4\"";
    std::vector<double> xs, rates, perplexities, random_rates, random_perplexities;
    std::string band, back;
    double least = std::numeric_limits<double>::max(), most = 0;
    for (std::size_t m = 0; m < report.chosen.points.size(); ++m) {
        const SteeringPoint& point = report.chosen.points[m];
        const RandomPoint control = random_point(report, m);
        xs.push_back(point.multiplier);
        rates.push_back(point.rate);
        perplexities.push_back(point.perplexity);
        random_rates.push_back(control.rate);
        random_perplexities.push_back(control.perplexity);
        for (const double value : {point.perplexity, report.random.empty() ? point.perplexity : control.perplexity}) {
            least = std::min(least, value);
            most = std::max(most, value);
        }
    }
    const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
    const auto [bottom, ceiling] = detail::round_range(least, most);
    const detail::Panel rate(62, *low, *high, 0, 1), perplexity(62 + detail::Panel::width + 76, *low, *high, bottom, ceiling);
    for (std::size_t m = 0; m < xs.size(); ++m) {
        band += (m > 0 ? " " : "") + rate.at(xs[m], report.chosen.points[m].rate_interval.low);
        back = " " + rate.at(xs[m], report.chosen.points[m].rate_interval.high) + back;
    }
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" " + std::string(figure.title.empty() ? "viewBox=\"0 26 830 356\" width=\"830\" height=\"356\"" : "viewBox=\"0 0 830 382\" width=\"830\" height=\"382\"") + " font-family=\"system-ui, sans-serif\" font-size=\"13\">\n"
                      "<rect width=\"830\" height=\"382\" fill=\"#ffffff\"/>\n" +
                      (figure.title.empty() ? "" : "<text x=\"20\" y=\"21\" font-size=\"16\">" + markup(visible(figure.title)) + "</text>\n");
    const auto told = [&](const char* y, const std::string& text) {
        const std::string whole = visible(text);
        out += std::string("<text x=\"20\" y=\"") + y + "\" font-size=\"12\" fill=\"#555555\">" + markup(display_width(whole) <= 125 ? whole : fit(whole, 124) + "…") + "</text>\n";
    };
    told("38", counted(report.prompts, "prompt") + ", " + counted(report.samples, "continuation") + " each; on target: " + figure.target);
    told("53", "units: " + figure.units);
    out += rate.frame("share of continuations on target", xs) + "<polygon points=\"" + band + back + "\" fill=\"#c8322f\" fill-opacity=\"0.15\"/>\n";
    for (const SteeringCurve& curve : report.random) {
        std::vector<double> own;
        for (const SteeringPoint& point : curve.points) own.push_back(point.rate);
        out += rate.line(xs, own, grey);
    }
    if (!report.random.empty()) out += rate.line(xs, random_rates, dashed);
    out += rate.line(xs, rates, red) + perplexity.frame("perplexity under the untouched model", xs);
    if (!report.random.empty()) out += perplexity.line(xs, random_perplexities, dashed);
    out += perplexity.line(xs, perplexities, red);
    const auto key = [](double x, const char* style, const std::string& text) {
        return "<path d=\"M" + number_text(x, 5) + ",362h26\" " + style + "/><text x=\"" + number_text(x + 32, 5) + "\" y=\"366\">" + text + "</text>\n";
    };
    out += key(62, red, "chosen units (band: 95 % Wilson)");
    if (!report.random.empty()) out += key(322, grey, "each of " + std::to_string(report.random.size()) + " random sets") + key(520, dashed, "their mean");
    return out + "</svg>\n";
}

/// Figure, table and examples as one self-contained page.
[[nodiscard]] inline std::string html_steering(const SteeringReport& report, const SteeringFigure& figure) {
    const auto cell = [](const std::string& text) { return "<td>" + markup(text) + "</td>"; };
    const auto interval = [](const Interval& i) { return "[" + number_text(i.low, 3) + ", " + number_text(i.high, 3) + "]"; };
    std::string rows;
    for (std::size_t m = 0; m < report.chosen.points.size(); ++m) {
        const SteeringPoint& point = report.chosen.points[m];
        const RandomPoint control = random_point(report, m);
        const bool controls = !report.random.empty();
        rows += "<tr>" + cell(number_text(point.multiplier, 4)) + cell(number_text(point.rate, 3)) + cell(interval(point.rate_interval)) + cell(controls ? number_text(control.rate, 3) : "") +
                cell(controls ? number_text(report.difference[m], 3) : "") + cell(controls ? interval(report.difference_interval[m]) : "") + cell(number_text(point.perplexity, 4)) +
                cell(controls ? number_text(control.perplexity, 4) : "") + cell(point.off_target ? number_text(*point.off_target, 3) : "") +
                cell(point.off_target && controls ? number_text(control.off_target, 3) : "");
        for (const auto& [multiplier, text] : figure.examples)
            if (multiplier == point.multiplier) rows += cell(visible(text));
        rows += "</tr>\n";
    }
    const std::string title = markup(visible(figure.title));
    SteeringFigure untitled = figure;
    untitled.title.clear();
    return detail::html_head(title, "td,th{padding:2px 8px;text-align:left}svg{max-width:100%;height:auto}table.list td:last-child{white-space:normal;min-width:14rem}", false) + "<h1>" + title +
           "</h1>\n<p>On target: " + markup(visible(figure.target)) + ".</p>\n" + svg_steering(report, untitled) + "<p>Slope of the rate: " + number_text(report.chosen.slope, 3) + " " +
           interval(report.slope_interval) + "; of random units " + number_text(report.random_slope, 3) + " " + interval(report.random_slope_interval) + ". Prompts that move the other way: " +
           number_text(100 * report.chosen.against, 3) + " %. Intervals of rates are Wilson's, of differences and slopes bootstrapped over prompts, all at 95 %.</p>\n"
           "<table class=\"list\"><tr><th>multiplier</th><th>rate</th><th>interval</th><th>random</th><th>difference</th><th>interval</th><th>perplexity</th><th>random</th>"
           "<th>off target (nats)</th><th>random</th><th>a continuation</th></tr>\n" +
           rows + "</table>\n</body></html>\n";
}

}  // namespace lrp
