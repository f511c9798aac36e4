// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/clipped.hpp>

#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

using namespace pareidolia;

static_assert(DifferentiableObjective<clipped<cross_entropy>, space::host>);
static_assert(clipped<class_probability>::targeted && !clipped<cross_entropy>::targeted);

TEST_CASE("what is above the limit is the limit and pulls no more; the rest is as it was") {
  std::array y{0.f, 5.f, 0.f, 1.f};
  std::vector<int> const t{0, 0};
  const_score_view<space::host> const scores{y.data(), {2, 2}};
  std::array<float, 2> v{}, w{};
  std::array<float, 4> dy{}, dw{};
  clipped const capped{cross_entropy{}, 3.f};
  capped.value(scores, t, value_view<space::host>{v.data(), {2}});
  capped.seed(scores, t, score_view<space::host>{dy.data(), {2, 2}});
  cross_entropy{}.value(scores, t, value_view<space::host>{w.data(), {2}});
  cross_entropy{}.seed(scores, t, score_view<space::host>{dw.data(), {2, 2}});
  REQUIRE(w[0] > 5);
  CHECK(v[0] == 3);
  CHECK(v[1] == w[1]);
  CHECK(dy == std::array{0.f, 0.f, dw[2], dw[3]});
  CHECK(dw[3] != 0);
}
