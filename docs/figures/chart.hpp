// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Two kinds of small charts as SVG: bars by category and lines over x.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <lrp/view/label.hpp>

namespace figures {

struct Series {
    std::string name;
    std::vector<double> values;
};

class Chart {
  public:
    explicit Chart(std::string title) : title_(std::move(title)) {}

    [[nodiscard]] std::string bars(const std::vector<std::string>& categories, const std::vector<Series>& series) {
        scale(series);
        std::string body = axis();
        const double slot = plot_w / static_cast<double>(categories.size()), bar = slot * 0.8 / static_cast<double>(series.size());
        for (std::size_t c = 0; c < categories.size(); ++c) {
            body += text(left + slot * (static_cast<double>(c) + 0.5), top + plot_h + 18, categories[c], "middle");
            for (std::size_t s = 0; s < series.size(); ++s) {
                const double x = left + slot * (static_cast<double>(c) + 0.1) + bar * static_cast<double>(s);
                const double a = y(series[s].values[c]), b = y(0);
                body += "<rect x=\"" + num(x) + "\" y=\"" + num(std::min(a, b)) + "\" width=\"" + num(bar * 0.92) + "\" height=\"" + num(std::abs(a - b)) + "\" fill=\"" +
                        color(s) + "\"/>\n";
            }
        }
        return page(body + legend(series));
    }

    [[nodiscard]] std::string lines(const std::vector<double>& x, const std::vector<Series>& series) {
        scale(series);
        std::string body = axis();
        const double low = x.front(), span = x.back() - x.front();
        for (int i = 0; i <= 4; ++i) body += text(left + plot_w * i / 4, top + plot_h + 18, lrp::number_text(low + span * i / 4, 3), "middle");
        for (std::size_t s = 0; s < series.size(); ++s) {
            body += "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + color(s) + "\" points=\"";
            for (std::size_t i = 0; i < x.size(); ++i) body += num(left + plot_w * (x[i] - low) / span) + "," + num(y(series[s].values[i])) + " ";
            body += "\"/>\n";
        }
        return page(body + legend(series));
    }

  private:
    static constexpr double left = 56, top = 40, plot_w = 420, plot_h = 200;

    static std::string num(double value) { return lrp::number_text(std::round(value * 10) / 10, 6); }
    static std::string color(std::size_t index) { return std::vector<std::string>{"#3b64c8", "#c8322f", "#4f9d69", "#8a6fb0", "#c98a1b"}[index % 5]; }
    static std::string text(double x, double y, const std::string& what, const char* anchor) {
        return "<text x=\"" + num(x) + "\" y=\"" + num(y) + "\" text-anchor=\"" + anchor + "\">" + lrp::markup(what) + "</text>\n";
    }
    void scale(const std::vector<Series>& series) {
        for (const Series& one : series)
            for (const double v : one.values) {
                low_ = std::min(low_, v);
                high_ = std::max(high_, v);
            }
        if (high_ - low_ < 1e-9) high_ = low_ + 1;
        const double room = 0.06 * (high_ - low_);
        if (low_ < 0) low_ -= room;
        high_ += room;
    }
    [[nodiscard]] double y(double value) const { return top + plot_h * (high_ - value) / (high_ - low_); }
    [[nodiscard]] std::string axis() const {
        std::string out;
        const double step = std::pow(10, std::floor(std::log10((high_ - low_) / 3)));
        const double tick = (high_ - low_) / step > 12 ? 5 * step : (high_ - low_) / step > 6 ? 2 * step : step;
        for (double v = std::ceil(low_ / tick) * tick; v <= high_; v += tick) {
            const double at = std::abs(v) < tick / 1000 ? 0 : v;
            out += "<line x1=\"" + num(left) + "\" x2=\"" + num(left + plot_w) + "\" y1=\"" + num(y(at)) + "\" y2=\"" + num(y(at)) + "\" stroke=\"" + (at == 0 ? "#444444" : "#e2e2e2") +
                   "\"/>\n" + text(left - 8, y(at) + 4, lrp::number_text(at, 3), "end");
        }
        return out;
    }
    static std::string legend(const std::vector<Series>& series) {
        std::string out;
        for (std::size_t s = 0; s < series.size(); ++s) {
            const double at = top + 6 + 20 * static_cast<double>(s);
            out += "<rect x=\"" + num(left + plot_w + 16) + "\" y=\"" + num(at) + "\" width=\"12\" height=\"12\" fill=\"" + color(s) + "\"/>\n" +
                   text(left + plot_w + 34, at + 11, series[s].name, "start");
        }
        return out;
    }
    [[nodiscard]] std::string page(const std::string& body) const {
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 680 280\" width=\"680\" height=\"280\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n"
               "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"56\" y=\"22\" font-size=\"14\">" +
               lrp::markup(title_) + "</text>\n" + body + "</svg>\n";
    }

    std::string title_;
    double low_ = 0, high_ = 0;
};

}  // namespace figures
