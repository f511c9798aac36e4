// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/report/text.hpp>
#include <pareidolia/io/findings.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Axes of charts: from where to where they go, and their ticks.

namespace pareidolia::detail {

/// From where to where an axis goes, and its round ticks: at most six, 1, 2 or 5 times a power of ten apart.
struct round_axis {
  double low = 0, high = 1, unit = .2;

  /// Of an axis that shows all from `least` to `greatest`; one that is `whole` ends with ticks.
  round_axis(double least, double greatest, bool whole) {
    double const size = std::max(std::abs(least), std::abs(greatest));
    double const room = greatest - least > 1e-9 * size ? 0 : size > 0 ? size / 2 : .5;  // a single value stands in the middle
    low = least - room, high = greatest + room;
    double const power = std::pow(10., std::floor(std::log10((high - low) / 5)));
    unit = 10 * power;
    for (double const factor : {5., 2., 1.})
      if (factor * power * 5 >= (high - low) * (1 - 1e-9)) unit = factor * power;
    if (whole) low = unit * std::floor(low / unit + 1e-9), high = unit * std::ceil(high / unit - 1e-9);
  }

  [[nodiscard]] std::vector<double> ticks() const {
    double const first = std::ceil(low / unit - 1e-9), last = std::floor(high / unit + 1e-9);
    std::vector<double> result;
    for (int k = 0; k < 12 && first + k <= last; ++k) result.push_back((first + k) * unit);
    return result;
  }

  /// A tick with the digits that the unit asks for.
  [[nodiscard]] std::string text(double tick) const {
    if (std::abs(tick) < unit / 2) return "0";
    double const size = std::max(std::abs(low), std::abs(high));
    if (size >= 1e9 || size < 1e-4) return general(tick);
    if (unit > .5) return grouped_signed(tick);
    return fixed(tick, std::max(0, -static_cast<int>(std::floor(std::log10(unit) + 1e-9))));
  }
};

/// A tick of an axis, and what stands at it in HTML: nothing at a small one.
struct axis_tick {
  double value;
  std::string text;
};

/// From where to where a logarithmic axis goes, and its ticks: the decades, or where these are few, those times 1, 2 and 5, then times 1 to
/// 9, then round numbers; small ones between them.
struct decade_axis {
  double low = 1, high = 10;
  std::vector<axis_tick> ticks = {};

  /// Of an axis that shows all from `least` to `greatest`, both positive; one that is `whole` ends with ticks.
  decade_axis(double least, double greatest, bool whole) : low(least), high(greatest) {
    if (!(greatest > least * (1 + 1e-9))) low = least / std::sqrt(10.), high = greatest * std::sqrt(10.);
    int const first = exponent_below(low), last = exponent_below(high);
    if (int const every = 1 + (last - first) / 7; every > 1 || count_inside(decades, first, last) >= 3)
      mark(decades, every > 1 ? std::span<int const>(decades) : one_to_nine, every, first, last, whole);
    else if (count_inside(one_two_five, first, last) >= 2)
      mark(one_two_five, one_to_nine, 1, first, last, whole);
    else if (count_inside(one_to_nine, first, last) >= 3)
      mark(one_to_nine, one_to_nine, 1, first, last, whole);
    else {
      round_axis const round(low, high, whole);
      if (round.low > 0) low = round.low, high = round.high;
      for (double const t : round.ticks())
        if (t > 0) ticks.push_back({t, round.text(t)});
    }
  }

 private:
  static constexpr int one_to_nine[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, one_two_five[] = {1, 2, 5}, decades[] = {1};

  /// The largest power of ten that is not above v.
  [[nodiscard]] static int exponent_below(double v) { return static_cast<int>(std::floor(std::log10(v) + 1e-9)); }
  [[nodiscard]] static double value_of(int factor, int exponent) {
    return exponent < 0 ? factor / std::pow(10., -exponent) : factor * std::pow(10., exponent);
  }
  [[nodiscard]] bool inside(double v) const { return v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9); }

  [[nodiscard]] int count_inside(std::span<int const> factors, int first, int last) const {
    int count = 0;
    for (int e = first; e <= last; ++e)
      for (int const f : factors) count += inside(value_of(f, e));
    return count;
  }

  /// Ticks at the factors times every such power of ten, small ones at other factors, from end to end.
  void mark(std::span<int const> factors, std::span<int const> small, int every, int first, int last, bool whole) {
    if (whole) {
      double below = 0, above = INFINITY;
      for (int e = first - every; e <= last + every; ++e)
        for (int const f : factors) {
          double const v = value_of(f, e);
          if (e % every != 0 || !std::isnormal(v)) continue;
          if (v <= low * (1 + 1e-9)) below = std::max(below, v);
          if (v >= high * (1 - 1e-9)) above = std::min(above, v);
        }
      if (below > 0) low = below;
      if (std::isfinite(above)) high = above;
    }
    bool const plain = low >= .9e-3 && high <= 1.1e5;
    for (int e = first - every; e <= last + every; ++e)
      for (int const f : small) {
        double const v = value_of(f, e);
        if (!inside(v)) continue;
        bool const large = std::ranges::find(factors, f) != factors.end() && e % every == 0;
        ticks.push_back({v, large ? text(f, e, plain) : std::string()});
      }
  }

  [[nodiscard]] static std::string text(int factor, int exponent, bool plain) {
    if (plain) return exponent < 0 ? fixed(value_of(factor, exponent), -exponent) : grouped_signed(value_of(factor, exponent));
    return (factor == 1 ? "" : std::to_string(factor) + "·") + "10<sup>" + (exponent < 0 ? "−" : "") + std::to_string(std::abs(exponent)) +
           "</sup>";
  }
};

/// An axis of a chart of either scale.
struct chart_axis {
  bool logarithmic;
  double low, high;
  std::vector<axis_tick> ticks = {};

  chart_axis(axis_scale scale, double least, double greatest, bool whole) : logarithmic(scale == axis_scale::logarithmic) {
    if (logarithmic) {
      decade_axis a(least, greatest, whole);
      low = std::log10(a.low), high = std::log10(a.high), ticks = std::move(a.ticks);
    } else {
      round_axis const a(least, greatest, whole);
      low = a.low, high = a.high;
      for (double const t : a.ticks()) ticks.push_back({t, a.text(t)});
    }
  }

  /// Where a value stands; an infinite one at its end.
  [[nodiscard]] double percent(double v) const {
    if (std::isinf(v)) return v < 0 ? 0 : 100;
    return 100 * ((logarithmic ? std::log10(v) : v) - low) / (high - low);
  }
};

}  // namespace pareidolia::detail
