// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// The base alone: a model of the user's, the pixels encoding, MAP-Elites.
#include <pareidolia/pareidolia.hpp>

using namespace pareidolia;

/// Two classes, dark and bright.
struct brightness {
  static constexpr space memory = space::host;
  struct workspace {};
  image_shape input() const { return {1, 1, 1}; }
  std::size_t classes() const { return 2; }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      y.row(i)[0] = 1 - x.row(i)[0];
      y.row(i)[1] = x.row(i)[0];
    }
  }
};

int main() {
  brightness const model;
  attack const fool{pixels{}, class_probability{}, map_elites{.generations = 20}};
  outcome const found = run(fool, model, blank(model.input()), rng{1});
  return found.labels[0] == 0 && found.labels[1] == 1 ? 0 : 1;
}
