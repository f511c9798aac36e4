// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <cstddef>
#include <utility>

namespace pareidolia_test {

/// The score of a class is one pixel.
struct glance {
  static constexpr pareidolia::space memory = pareidolia::space::host;
  struct workspace {};

  [[nodiscard]] pareidolia::image_shape input() const { return {3, 2, 3}; }
  [[nodiscard]] std::size_t classes() const { return 4; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  void forward(pareidolia::const_image_view<memory> x, pareidolia::score_view<memory> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      for (std::size_t k = 0; k < y.stride(); ++k) y.row(i)[k] = x.row(i)[k];
  }
};

/// Two small runs, whose states are of small files.
template <class E, class... Extras>
pareidolia::outcome evolve(E const& encoding, Extras&&... extras) {
  using namespace pareidolia;
  attack const fool{encoding, class_probability{}, map_elites{.children = 3, .generations = 4}};
  return run(fool, glance{}, blank(glance{}.input()), rng{1}, std::forward<Extras>(extras)...);
}

}  // namespace pareidolia_test
