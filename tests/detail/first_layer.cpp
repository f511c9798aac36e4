// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/first_layer.hpp>
#include <pareidolia/engines/reference.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <omp.h>

#include <cstddef>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("the gradient of a layer of few channels is that of its definition, in bands or whole") {
  using layer::convolution;
  int const former = omp_get_max_threads();
  for (int threads : {1, 2, 3})
    for (convolution const& c :
         {convolution{.outputs = 6, .kernel = {5, 5}}, convolution{.outputs = 4, .kernel = {3, 3}, .padding = {1, 1}},
          convolution{.outputs = 5, .kernel = {11, 11}, .stride = {4, 4}},
          convolution{.outputs = 3, .kernel = {7, 3}, .stride = {2, 3}, .padding = {3, 1}}})
      for (std::size_t count : {1u, 4u}) {
        omp_set_num_threads(threads);
        graph const g{"one layer", {3, 41, 23}, {}, {{"conv", c}}};
        auto const p = plan(g);
        image_shape const out = p.out[0];
        auto const w = random_normal<float, 1>({p.slots[0].size}, 1);
        auto const dy = random_normal<float, 4>({count, out[0], out[1], out[2]}, 2);
        auto expected = filled<float, 4>({count, 3, 41, 23}), got = expected;
        tensor<float, 4> last = filled<float, 4>({count, out[1], out[2], out[0]});
        for (std::size_t i = 0; i < count; ++i) {
          detail::reference::site const site{g.input, out};
          detail::reference::backward<float>(c, site, w.data(), nullptr, nullptr, dy.data() + i * site.out_size(),
                                             expected.data() + i * site.in_size());
          for (std::size_t o = 0; o < out[0]; ++o)
            for (std::size_t h = 0; h < out[1]; ++h)
              for (std::size_t v = 0; v < out[2]; ++v) last(i, h, v, o) = dy(i, o, h, v);
        }
        got.fill(9);  // what is there before must not matter
        detail::few_channel_gradient{c, g.input, out}(count, w.data(), last.data(), got.data());
        CHECK(relative_error(got, expected) < 1e-5);
      }
  omp_set_num_threads(former);
}
