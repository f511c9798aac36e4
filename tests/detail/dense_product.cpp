// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/arena.hpp>
#include <pareidolia/detail/dense_product.hpp>

#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <omp.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// y, computed for `count` of the images together.
tensor<float, 2> product(tensor<float, 2> const& x, tensor<float, 2> const& w, float const* bias, std::optional<float> slope) {
  std::size_t const count = x.shape()[0], inputs = x.shape()[1], outputs = w.shape()[0];
  auto y = filled<float, 2>({count, outputs}, 9.f);
  detail::aligned_block const room(count * inputs * sizeof(float));
  detail::dense_product{count, inputs, outputs, slope}(x.data(), w.data(), bias, y.data(), reinterpret_cast<float*>(room.data()));
  return y;
}

}  // namespace

TEST_CASE("a dense product is its definition for any numbers of images, inputs and outputs, with and without bias and ReLU") {
  for (std::size_t count : {1u, 2u, 7u, 13u})
    for (std::size_t inputs : {1u, 15u, 100u, 2053u})
      for (std::size_t outputs : {1u, 5u, 101u})
        for (std::optional<float> slope : {std::optional<float>(), std::optional(0.f), std::optional(.25f)}) {
          auto const x = random_normal<float, 2>({count, inputs}, 1), w = random_normal<float, 2>({outputs, inputs}, 2);
          auto const b = random_normal<float, 1>({outputs}, 3);
          bool const biased = outputs != 5;
          auto expected = filled<double, 2>({count, outputs});
          for (std::size_t i = 0; i < count; ++i)
            for (std::size_t o = 0; o < outputs; ++o) {
              double sum = biased ? static_cast<double>(b(o)) : 0;
              for (std::size_t k = 0; k < inputs; ++k) sum += static_cast<double>(x(i, k)) * static_cast<double>(w(o, k));
              expected(i, o) = sum > 0 || !slope ? sum : sum * static_cast<double>(*slope);
            }
          CHECK(relative_error(product(x, w, biased ? b.data() : nullptr, slope), expected) < 1e-6);
        }
}

TEST_CASE("an image's row of a dense product has the same bits in every batch and for every number of threads") {
  int const former = omp_get_max_threads();
  auto const x = random_normal<float, 2>({11, 3001}, 1), w = random_normal<float, 2>({97, 3001}, 2);
  auto const all = product(x, w, nullptr, {});
  for (int threads : {1, 2, 3})
    for (std::size_t count : {1u, 2u, 5u, 8u}) {
      omp_set_num_threads(threads);
      tensor<float, 2> some = filled<float, 2>({count, 3001});
      std::memcpy(some.data(), x.data() + 3001, some.size() * sizeof(float));
      auto const y = product(some, w, nullptr, {});
      CHECK(std::memcmp(y.data(), all.data() + 97, y.size() * sizeof(float)) == 0);
    }
  omp_set_num_threads(former);
}
