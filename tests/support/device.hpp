// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

// Arrays in both memories.

namespace pareidolia_test {

using namespace pareidolia;

/// A copy of an array in device memory.
template <class T, std::size_t Rank>
storage<T, Rank, space::device> on_device(tensor<T, Rank> const& values) {
  storage<T, Rank, space::device> there(as_view(values).shape);
  copy(as_view(values), there.view());
  return there;
}

/// A copy in host memory of an array that may be in either.
template <class T, std::size_t Rank, space S>
tensor<std::remove_const_t<T>, Rank> on_host(view<T, Rank, S> values) {
  auto here = filled<std::remove_const_t<T>, Rank>(values.shape);
  copy(values, as_view(here));
  return here;
}

/// Values from `low` to `high`.
template <std::size_t Rank>
tensor<float, Rank> random_values(std::array<std::size_t, Rank> const& shape, std::uint64_t seed, float low = 0, float high = 1) {
  auto values = filled<float, Rank>(shape);
  auto stream = rng(seed).stream(0);
  for (float& v : values) v = stream.uniform(low, high);
  return values;
}

template <class A, class B>
float largest_difference(A const& a, B const& b) {
  float largest = a.size() == b.size() ? 0.f : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a.data()[i] - b.data()[i]));
  return largest;
}

/// A model of host memory, asked by way of copies.
template <class M>
struct as_device_model {
  static constexpr space memory = space::device;
  struct workspace {
    typename M::workspace inner;
  };
  M model;

  image_shape input() const { return model.input(); }
  std::size_t classes() const { return model.classes(); }
  workspace prepare(std::size_t n) const { return {model.prepare(n)}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    auto const images = on_host(x);
    auto scores = filled<float, 2>(y.shape);
    model.forward(as_view(images), as_view(scores), w.inner);
    copy(as_view(scores), y);
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    auto const seeds = on_host(dy);
    auto gradients = filled<float, 4>(dx.shape);
    model.backward(as_view(seeds), as_view(gradients), w.inner);
    copy(as_view(gradients), dx);
  }
};

}  // namespace pareidolia_test
