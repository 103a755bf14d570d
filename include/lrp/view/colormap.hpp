// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

namespace lrp {

struct Rgb {
    std::uint8_t red = 255, green = 255, blue = 255;
    friend bool operator==(const Rgb&, const Rgb&) = default;
};

/// Blue (-1) over white (0) to red (+1), symmetric about 0; values outside are clamped. Both ends have the same lightness and are told
/// apart with every common colour blindness.
[[nodiscard]] inline Rgb diverging_color(double value) {
    constexpr std::array<Rgb, 2> ends{{{59, 100, 200}, {200, 50, 47}}};
    const double strength = std::isnan(value) ? 0.0 : std::pow(std::min(std::abs(value), 1.0), 0.85);  // small values stay visible
    const Rgb& end = ends[value < 0 ? 0 : 1];
    const auto blend = [strength](std::uint8_t to) { return static_cast<std::uint8_t>(std::lround(255 + strength * (to - 255.0))); };
    return {blend(end.red), blend(end.green), blend(end.blue)};
}

/// Whether text on this colour should be white: by its relative luminance.
[[nodiscard]] inline bool wants_white_text(const Rgb& color) { return 0.299 * color.red + 0.587 * color.green + 0.114 * color.blue < 140; }

/// "#rrggbb"
[[nodiscard]] inline std::string hex_color(const Rgb& color, const char* prefix = "#") {
    constexpr const char* digits = "0123456789abcdef";
    std::string out = prefix;
    for (const std::uint8_t part : {color.red, color.green, color.blue}) {
        out += digits[part >> 4];
        out += digits[part & 15];
    }
    return out;
}

/// The nearest of the 216 cube colours and 24 greys of a 256-colour terminal.
[[nodiscard]] inline int xterm_color(const Rgb& color) {
    constexpr std::array<int, 6> levels{0, 95, 135, 175, 215, 255};
    const auto nearest = [&](int part) {
        int best = 0;
        for (int i = 1; i < 6; ++i)
            if (std::abs(levels[static_cast<std::size_t>(i)] - part) < std::abs(levels[static_cast<std::size_t>(best)] - part)) best = i;
        return best;
    };
    const auto distance = [&](int r, int g, int b) {
        return (r - color.red) * (r - color.red) + (g - color.green) * (g - color.green) + (b - color.blue) * (b - color.blue);
    };
    const int r = nearest(color.red), g = nearest(color.green), b = nearest(color.blue);
    const auto level = [&](int i) { return levels[static_cast<std::size_t>(i)]; };
    const int grey = std::clamp((color.red + color.green + color.blue) / 3 - 8, 0, 230) / 10;
    const int shade = 8 + 10 * grey;
    return distance(shade, shade, shade) < distance(level(r), level(g), level(b)) ? 232 + grey : 16 + 36 * r + 6 * g + b;
}

}  // namespace lrp
