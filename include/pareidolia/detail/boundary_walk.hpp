// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/highest_classes.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/vectors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

// Ways from points to the boundaries of classification regions, many side by side. Nothing is kept in [0, 1].

namespace pareidolia::detail {

[[nodiscard]] inline int highest(std::span<float const> y) { return static_cast<int>(std::max_element(y.begin(), y.end()) - y.begin()); }

/// max over j != own of y_j - y_own: negative inside the region of `own`, 0 on its boundary.
[[nodiscard]] inline double excess(std::span<float const> y, int own) {
  auto const k = static_cast<std::size_t>(own);
  double most = -std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < y.size(); ++j)
    if (j != k) most = std::max(most, double{y[j]} - double{y[k]});
  return most;
}

/// Restricts nothing.
struct anywhere {
  void operator()(std::size_t, std::span<float>) const {}
};

struct walk_settings {
  std::size_t classes = 10;
  std::size_t steps = 50;
  float overshoot = .02f;
};

/// Where DeepFool's steps led: row i is x_i + (1 + overshoot) r_i.
struct walked {
  tensor<float, 2> ends;
  std::vector<int> own;               ///< class of x_i
  std::vector<std::uint8_t> reached;  ///< 1 where the end has another class than x_i, or the wanted one
};

/// DeepFool (Moosavi-Dezfooli et al., CVPR 2016, algorithms 1 and 2) from each row of x (n, d): out of its region, or into those of
/// `targets` where there are any. restrict(i, g) projects a gradient at row i on the directions in which it may move.
template <class M, class Restrict = anywhere>
[[nodiscard]] walked walk(landscape<M>& f, view<float const, 2> x, std::span<int const> targets, walk_settings const& how,
                          Restrict const& restrict = {}) {
  std::size_t const n = x.shape[0], d = x.shape[1];
  bool const targeted = !targets.empty();
  walked result{filled<float, 2>({n, d}), std::vector<int>(n), std::vector<std::uint8_t>(n)};
  std::copy_n(x.data, x.size(), result.ends.data());
  struct row {
    std::vector<int> candidates;
    int now = 0;
    double distance = 0;
  };
  std::vector<row> rows(n);
  auto r = filled<float, 2>({n, d}), step = filled<float, 2>({f.batch(), d});
  std::vector<std::size_t> active(n);
  std::iota(active.begin(), active.end(), std::size_t{0});
  std::size_t const each = targeted ? 1 : std::min(std::max<std::size_t>(how.classes, 2), f.classes()) - 1;
  for (std::size_t taken = 0; taken <= how.steps && !active.empty(); ++taken) {
    std::vector<std::size_t> on;
    for (std::size_t first = 0; first < active.size(); first += f.batch()) {  // steps of one batch at a time are kept
      std::span const part = std::span(active).subspan(first, std::min(f.batch(), active.size() - first));
      auto const step_of = [&](std::size_t k) { return as_view(step).row(k); };
      for (std::size_t i : part) rows[i].distance = std::numeric_limits<double>::infinity();
      auto const which = [&](std::size_t k, std::size_t j, std::span<float const> y) {
        std::size_t const i = part[k];
        auto& at = rows[i];
        if (j == 0) {
          at.now = highest(y);
          if (taken == 0) {
            result.own[i] = at.now;
            at.candidates = targeted ? std::vector<int>{targets[i]} : highest_classes(y, each + 1, at.now);
          }
        }
        int const from = targeted ? at.now : result.own[i];
        return typename landscape<M>::difference{at.candidates[j], from};
      };
      f.gradients(
          part.size(), each, [&](std::size_t k, std::span<float> to) { std::ranges::copy(as_view(result.ends).row(part[k]), to.begin()); },
          which,
          [&](std::size_t k, std::size_t j, std::span<float const> y, std::span<float const> g) {
            std::size_t const i = part[k];
            std::vector<float> direction(g.begin(), g.end());
            restrict(i, direction);
            double const slope = norm(direction);
            auto const up = static_cast<std::size_t>(rows[i].candidates[j]);
            auto const down = static_cast<std::size_t>(targeted ? rows[i].now : result.own[i]);
            double const gap = std::abs(double{y[down]} - double{y[up]});
            if (!(slope > 0) || !(gap / slope < rows[i].distance)) return;
            rows[i].distance = gap / slope;
            std::ranges::transform(direction, step_of(k).begin(),
                                   [&](float v) { return static_cast<float>(double{v} * gap / slope / slope); });
          });
      for (std::size_t k = 0; k < part.size(); ++k) {
        std::size_t const i = part[k];
        result.reached[i] = targeted ? rows[i].now == targets[i] : rows[i].now != result.own[i];
        if (result.reached[i] || taken == how.steps || !std::isfinite(rows[i].distance)) continue;
        auto const to = as_view(r).row(i);
        along(to, 1, step_of(k), to);
        along(x.row(i), 1 + double{how.overshoot}, to, as_view(result.ends).row(i));
        on.push_back(i);
      }
    }
    active = std::move(on);
  }
  return result;
}

/// Where rays leave the region of their class for the first time that is found: t in (0, 1] of x + t u.
struct crossings {
  std::vector<double> t;   ///< (n), infinite where x + u is still inside
  std::vector<int> other;  ///< (n), the class beyond
};

/// The zero of excess() on x_i + t u_i, by the Illinois variant of regula falsi, for the rows of x and u (n, d). Exact to 1e-6 of u, or to
/// 1e-5 of the excess at x.
template <class M>
[[nodiscard]] crossings cross(landscape<M>& f, view<float const, 2> x, view<float const, 2> u, std::span<int const> own) {
  std::size_t const n = x.shape[0];
  struct bracket {
    double low = 0, high = 1, at_low = 0, at_high = 0, scale = 0, t = 1;
    int side = 0, other = 0;
  };
  std::vector<bracket> all(n);
  crossings result{std::vector<double>(n, std::numeric_limits<double>::infinity()), std::vector<int>(n)};
  f.scores(
      n, [&](std::size_t i, std::span<float> to) { std::ranges::copy(x.row(i), to.begin()); },
      [&](std::size_t i, std::span<float const> y) { all[i].scale = all[i].at_low = excess(y, own[i]); });
  std::vector<std::size_t> active;
  for (std::size_t i = 0; i < n; ++i)
    if (all[i].at_low < 0) active.push_back(i);
  constexpr std::size_t most = 60;
  for (std::size_t round = 0; round < most && !active.empty(); ++round) {
    f.scores(
        active.size(), [&](std::size_t k, std::span<float> to) { along(x.row(active[k]), all[active[k]].t, u.row(active[k]), to); },
        [&](std::size_t k, std::span<float const> y) {
          std::size_t const i = active[k];
          bracket& b = all[i];
          double const value = excess(y, own[i]);
          if (value >= 0) {
            b.other = highest_classes(y, 2, own[i]).front();
            b.high = b.t;
            b.at_high = value;
            if (b.side > 0) b.at_low /= 2;
            b.side = 1;
          } else {
            b.low = b.t;
            b.at_low = value;
            if (b.side < 0) b.at_high /= 2;
            b.side = -1;
          }
          bool const found = value >= 0 && value <= 1e-5 * -b.scale;
          b.t = found || b.high - b.low < 1e-6 ? b.high : b.high - b.at_high * (b.high - b.low) / (b.at_high - b.at_low);
          if (!(b.t > b.low && b.t < b.high)) b.t = found || b.high - b.low < 1e-6 ? b.high : (b.low + b.high) / 2;
        });
    std::erase_if(active, [&](std::size_t i) {
      bracket const& b = all[i];
      if (round == 0 && b.low == 1) return true;  // x + u is inside
      if (b.t != b.high) return false;
      result.t[i] = b.high;
      result.other[i] = b.other;
      return true;
    });
  }
  for (std::size_t i : active) {
    result.t[i] = all[i].high;
    result.other[i] = all[i].other;
  }
  return result;
}

}  // namespace pareidolia::detail
