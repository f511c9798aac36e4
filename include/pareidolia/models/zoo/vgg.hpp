// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/zoo_parts.hpp>
#include <pareidolia/models/graph.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace pareidolia::zoo {

namespace detail {

/// Chatfield et al. (2014): five convolutions, pooled behind the first two and the last. What sets these apart from AlexNet are the
/// normalisation (alpha 5e-4, k 2) and convolutions without groups.
inline graph chatfield_with(std::string const& name, std::array<layer::convolution, 5> const& convolutions,
                            std::array<layer::pooling, 3> const& poolings, std::size_t normalised) {
  using namespace layer;
  graph g{.name = name, .input = {3, 224, 224}, .prepare = vgg_colours(), .nodes = {}};
  std::size_t pooled = 0;
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    std::string const number = std::to_string(i + 1);
    g.nodes.push_back({"conv" + number, convolutions[i]});
    g.nodes.push_back({"relu" + number, activation{}});
    if (i < normalised) g.nodes.push_back({"norm" + number, lrn{.alpha = 5e-4f, .k = 2}});
    if (i < 2 || i == 4) g.nodes.push_back({"pool" + number, poolings[pooled++]});
  }
  add_classifier(g);
  return g;
}

/// Simonyan & Zisserman (2015): five stages of 3x3 convolutions, `depths` of them in each.
inline graph vgg_with(std::string const& name, std::vector<std::size_t> const& depths) {
  using namespace layer;
  graph g{.name = name, .input = {3, 224, 224}, .prepare = vgg_colours(), .nodes = {}};
  std::size_t outputs = 64;
  for (std::size_t stage = 1; stage <= depths.size(); ++stage) {
    for (std::size_t i = 1; i <= depths[stage - 1]; ++i) {
      std::string const number = std::to_string(stage) + "_" + std::to_string(i);
      g.nodes.push_back({"conv" + number, square(outputs, 3, 1, 1)});
      g.nodes.push_back({"relu" + number, activation{}});
    }
    g.nodes.push_back({"pool" + std::to_string(stage), square_pool(pool::maximum, 2, 2)});
    outputs = outputs < 512 ? 2 * outputs : outputs;
  }
  add_classifier(g);
  return g;
}

}  // namespace detail

/// VGG-F (Chatfield et al. 2014), the fast one: (3, 224, 224), 1000 classes, 60,834,536 parameters. The mean colour stands for its mean
/// image, as for VGG-M and VGG-S.
[[nodiscard]] inline graph vgg_f() {
  using detail::square, detail::max_pool;
  return detail::chatfield_with("vgg_f",
                                {square(64, 11, 4), square(256, 5, 1, 2), square(256, 3, 1, 1), square(256, 3, 1, 1), square(256, 3, 1, 1)},
                                {max_pool(), max_pool(), max_pool()}, 2);
}

/// VGG-M (Chatfield et al. 2014), the medium one: (3, 224, 224), 1000 classes, 102,908,520 parameters.
///
/// After the paper's table, which leaves the edges of poolings open: they are Caffe's here, as in the published files of VGG-F and VGG-S.
[[nodiscard]] inline graph vgg_m() {
  using detail::square, detail::max_pool;
  return detail::chatfield_with("vgg_m",
                                {square(96, 7, 2), square(256, 5, 2, 1), square(512, 3, 1, 1), square(512, 3, 1, 1), square(512, 3, 1, 1)},
                                {max_pool(), max_pool(), max_pool()}, 2);
}

/// VGG-S (Chatfield et al. 2014), the slow one: (3, 224, 224), 1000 classes, 102,908,520 parameters.
[[nodiscard]] inline graph vgg_s() {
  using detail::square, detail::square_pool;
  auto const third = square_pool(layer::pool::maximum, 3, 3);
  return detail::chatfield_with("vgg_s",
                                {square(96, 7, 2), square(256, 5), square(512, 3, 1, 1), square(512, 3, 1, 1), square(512, 3, 1, 1)},
                                {third, square_pool(layer::pool::maximum, 2, 2), third}, 1);
}

/// VGG-16, configuration D: (3, 224, 224), 1000 classes, 138,357,544 parameters.
[[nodiscard]] inline graph vgg16() { return detail::vgg_with("vgg16", {2, 2, 3, 3, 3}); }

/// VGG-19, configuration E: the network of Ouarti & Carmona's 88 %. 143,667,240 parameters.
[[nodiscard]] inline graph vgg19() { return detail::vgg_with("vgg19", {2, 2, 4, 4, 4}); }

}  // namespace pareidolia::zoo
