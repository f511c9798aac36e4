// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/penalised.hpp>

#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/distortion.hpp>
#include <pareidolia/objectives/logit.hpp>
#include <pareidolia/objectives/opposite.hpp>
#include <pareidolia/objectives/total_variation.hpp>

#include <doctest/doctest.h>

#include <support/archetypes.hpp>
#include <support/image_addends.hpp>
#include <support/objectives.hpp>

#include <cstddef>
#include <type_traits>

using namespace pareidolia_test;

namespace {

constexpr auto host = space::host, device = space::device;

template <class O, class A>
using sum = decltype(O{} + A{});
using near = sum<logit, distortion>;
static_assert(near::targeted && !sum<cross_entropy, distortion>::targeted);
static_assert(DifferentiableObjective<near, host> && ImageObjective<near, host> && !ClasswiseObjective<near, host>);
static_assert(ImageObjective<sum<near, total_variation>, host> && !ImageObjective<logit, host>);

// No addend gets lost where another has the verbs for a memory and it has not.
struct anywhere {
  template <space S>
  void add_value(view<float const, 4, S>, view<float const, 4, S>, view<float, 1, S>) const {}
  template <space S>
  void add_gradient(view<float const, 4, S>, view<float const, 4, S>, view<float, 4, S>) const {}
};
struct here_only {
  void add_value(const_image_view<host>, const_image_view<host>, value_view<host>) const {}
  void add_gradient(const_image_view<host>, const_image_view<host>, image_view<host>) const {}
};
static_assert(ImageObjective<sum<sum<logit, anywhere>, anywhere>, device>);
static_assert(!ImageObjective<sum<sum<logit, here_only>, anywhere>, device>);
static_assert(!ImageObjective<sum<sum<logit, anywhere>, here_only>, device>);
static_assert(ImageObjective<sum<sum<logit, here_only>, anywhere>, host>);

}  // namespace

TEST_CASE("a sum is its objective on scores and its addends on images") {
  auto const wanted = towards{cross_entropy{}} + distortion{.weight = 12} + total_variation{.weight = 24, .smoothing = .2f};
  static_assert(std::remove_const_t<decltype(wanted)>::targeted);
  tensor<float, 2> const y{{1, 4, 2}, {0, 3, 3}};
  CHECK(values_of(wanted, y, {1, 2}) == values_of(towards{cross_entropy{}}, y, {1, 2}));
  CHECK(seeds_of(wanted, y, {1, 2}) == seeds_of(towards{cross_entropy{}}, y, {1, 2}));

  auto const x = random_images({3, 1, 4, 4}, 1), canvas = random_images({2, 1, 4, 4}, 2);
  auto const both = added_values(wanted, x, canvas), first = added_values(wanted.objective, x, canvas),
             second = added_values(wanted.addend, x, canvas);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(both[i] == doctest::Approx(first[i] + second[i]));
    CHECK(first[i] < 0);
    CHECK(second[i] < 0);
  }
  check_gradient(wanted, 2);
}
