// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/first_layer_folded.hpp>
#include <pareidolia/engines/reference.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// z in plain order from z in blocks of 16 channels, or back.
void reorder(image_shape const& s, std::size_t count, std::vector<float>& plain, std::vector<float>& blocked, bool to_plain) {
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 0; c < s[0]; ++c)
      for (std::size_t p = 0; p < s[1] * s[2]; ++p) {
        float& a = plain[(i * s[0] + c) * s[1] * s[2] + p];
        float& b = blocked[((i * s[0] + c) / 16 * s[1] * s[2] + p) * 16 + c % 16];
        (to_plain ? a : b) = to_plain ? b : a;
      }
}

}  // namespace

TEST_CASE("a convolution with folded strides is the convolution, and so is its gradient") {
  using layer::convolution;
  for (convolution const& c : {convolution{.outputs = 5, .kernel = {11, 11}, .stride = {4, 4}},
                               convolution{.outputs = 4, .kernel = {7, 7}, .stride = {2, 2}, .padding = {3, 3}},
                               convolution{.outputs = 3, .kernel = {5, 9}, .stride = {3, 4}, .padding = {1, 2}},
                               convolution{.outputs = 2, .kernel = {2, 2}, .stride = {4, 4}}})
    for (std::size_t count : {1u, 3u}) {
      image_shape const in{3, 41, 26};
      auto const p = plan({"one layer", in, {}, {{"conv", c}}});
      image_shape const out = p.out[0];
      detail::folded_strides const fold{c, in, out};
      image_shape const folded = fold.input();
      REQUIRE(plan({"folded", folded, {}, {{"conv", fold.convolution()}}}).out[0] == out);

      auto const x = random_normal<float, 4>({count, in[0], in[1], in[2]}, 1);
      auto const w = random_normal<float, 1>({p.slots[0].size}, 2), b = random_normal<float, 1>({c.outputs}, 3);
      auto const dy = random_normal<float, 4>({count, out[0], out[1], out[2]}, 4);
      std::size_t const size = folded[0] * folded[1] * folded[2];
      std::vector<float> z(count * size, 9.f), blocked(z), dz(z.size(), 0.f);
      std::vector<float> v(c.outputs * folded[0] * fold.convolution().kernel[0] * fold.convolution().kernel[1], 9.f);
      fold.images(count, x.data(), blocked.data());
      reorder(folded, count, z, blocked, true);
      fold.weights(w.data(), v.data());

      // As engines keep them: weights, then the bias.
      std::vector<float> theta(w.begin(), w.end()), folded_theta(v);
      theta.insert(theta.end(), b.begin(), b.end());
      folded_theta.insert(folded_theta.end(), b.begin(), b.end());
      auto expected = filled<float, 4>(dy.shape()), got = expected;
      auto dx = filled<float, 4>(x.shape()), folded_dx = filled<float, 4>(x.shape(), 9.f);
      detail::reference::site const site{in, out}, folded_site{folded, out};
      for (std::size_t i = 0; i < count; ++i) {
        std::size_t const o = i * site.out_size();
        detail::reference::forward<float>(c, site, theta.data(), x.data() + i * site.in_size(), expected.data() + o);
        detail::reference::forward<float>(fold.convolution(), folded_site, folded_theta.data(), z.data() + i * size, got.data() + o);
        detail::reference::backward<float>(c, site, w.data(), nullptr, nullptr, dy.data() + o, dx.data() + i * site.in_size());
        detail::reference::backward<float>(fold.convolution(), folded_site, v.data(), nullptr, nullptr, dy.data() + o,
                                           dz.data() + i * size);
      }
      CHECK(relative_error(got, expected) < 1e-5);
      reorder(folded, count, dz, blocked, false);
      fold.gradient(count, blocked.data(), folded_dx.data());
      CHECK(relative_error(folded_dx, dx) < 1e-5);
    }
}
