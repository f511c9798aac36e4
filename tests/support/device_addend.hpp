// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/objective.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <array>
#include <cstddef>

namespace pareidolia_test {

/// What an addend adds to values and to gradients in device memory is what it adds in host memory.
template <class A>
void check_addend_on_device(A const& addend) {
  if (!has_device()) return;
  constexpr std::array<std::array<std::size_t, 4>, 3> shapes{{{5, 3, 16, 15}, {1, 1, 1, 1}, {7, 2, 3, 1}}};
  for (auto const& shape : shapes)
    for (std::size_t canvases : {1u, 2u}) {
      auto const x = random_values<4>(shape, 1), canvas = random_values<4>({canvases, shape[1], shape[2], shape[3]}, 2);
      auto const x_there = on_device(x), canvas_there = on_device(canvas);
      auto v = random_values<1>({shape[0]}, 3);
      auto dx = random_values<4>(shape, 4);
      auto const v_there = on_device(v);
      auto const dx_there = on_device(dx);

      addend.add_value(as_view(x), as_view(canvas), as_view(v));
      addend.add_value(x_there.view(), canvas_there.view(), v_there.view());
      CHECK(largest_difference(on_host(v_there.view()), v) < 1e-6f);
      addend.add_gradient(as_view(x), as_view(canvas), as_view(dx));
      addend.add_gradient(x_there.view(), canvas_there.view(), dx_there.view());
      CHECK(largest_difference(on_host(dx_there.view()), dx) < 1e-6f);
    }
}

}  // namespace pareidolia_test
