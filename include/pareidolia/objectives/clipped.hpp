// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/objective.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pareidolia {

/// v = min(o, limit): what is won already pulls no more. Where many images share a perturbation, those that are far beyond their border
/// would otherwise outweigh those that are still to be fooled (Shafahi et al., AAAI 2020, who clip the cross entropy).
///
///     clipped{cross_entropy{}, 9.f}
///
/// seed: that of o, 0 where o >= limit. It has the memory spaces of o.
template <class O>
struct clipped {
  static constexpr bool targeted = O::targeted;

  O objective = {};
  float limit = 9;

  template <class A>
  void settings(A& a) const {
    a.setting("clipped.limit", limit);
    detail::describe(a, "objective", objective);
  }

  template <space S>
  requires Objective<O, S>
  void value(view<float const, 2, S> y, label_view t, view<float, 1, S> v) const {
    objective.value(y, t, v);
    auto values = on_host(v);
    for (float& each : values) each = std::min(each, limit);
    copy(const_value_view<space::host>{values.data(), {values.size()}}, v);
  }

  template <space S>
  requires DifferentiableObjective<O, S>
  void seed(view<float const, 2, S> y, label_view t, view<float, 2, S> dy) const {
    storage<float, 1, S> values({y.shape[0]});
    objective.value(y, t, values.view());
    objective.seed(y, t, dy);
    auto factors = on_host(values.view());
    for (float& each : factors) each = each < limit ? 1.f : 0.f;
    scale_rows(factors, dy);
  }

 private:
  template <space S>
  static std::vector<float> on_host(view<float, 1, S> v) {
    std::vector<float> values(v.shape[0]);
    copy(view<float const, 1, S>(v), value_view<space::host>{values.data(), {values.size()}});
    return values;
  }
};
template <class O>
clipped(O, float) -> clipped<O>;

}  // namespace pareidolia
