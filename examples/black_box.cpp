// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Your own classifier, known only by what it answers: any function from images to scores can be fooled.
#include <pareidolia/io/report.hpp>
#include <pareidolia/pareidolia.hpp>

#include <algorithm>
#include <cstdio>

using namespace pareidolia;

/// Says which quadrant of a 16x16 grey image is the brightest.
struct quadrants {
  static constexpr space memory = space::host;
  struct workspace {};

  image_shape input() const { return {1, 16, 16}; }
  std::size_t classes() const { return 4; }
  workspace prepare(std::size_t) const { return {}; }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      auto const image = x.row(i);
      auto const scores = y.row(i);
      for (float& s : scores) s = 0;
      for (std::size_t p = 0; p < image.size(); ++p) scores[p / 128 * 2 + p % 16 / 8] += image[p] / 4;
    }
  }
};

int main() {
  attack const fool{cppn{}, class_probability{}, map_elites{.children = 50, .generations = 60}};
  history log;
  outcome const found = run(fool, quadrants{}, blank({1, 16, 16}), rng{7}, progress{"black box"}, recorder{log});
  write_report("out/black_box", {.title = "Four quadrants", .sections = {{"cppn", found, log}}});
  for (std::size_t k = 0; k < found.size(); ++k) std::printf("class %zu: confidence %.4f\n", k, static_cast<double>(found.values[k]));
  return std::count(found.success.begin(), found.success.end(), 1) == 4 ? 0 : 1;
}
