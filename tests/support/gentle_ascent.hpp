// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/encodings/device/pixels.hpp>
#include <pareidolia/optimizer.hpp>

#include <support/device.hpp>

#include <algorithm>
#include <cstddef>

namespace pareidolia_test {

/// Follows the gradients of pixels for 8 steps, in either memory; what it adds, it adds on the host.
struct gentle_ascent {
  template <space S>
  struct search {
    pixel_genes<S> p;
    std::size_t taken = 0;

    pixel_genes<S> const& ask() const { return p; }
    bool done() const { return taken == 8; }
    pixel_genes<S> const& best() const { return p; }
    standing where() const { return {taken, 8, {}}; }
    void tell(evaluation<S> const&, pixel_genes<S> const& dp) {
      auto genes = on_host(p.rows());
      auto const gradient = on_host(dp.rows());
      for (std::size_t j = 0; j < genes.size(); ++j) genes.data()[j] = std::clamp(genes.data()[j] + gradient.data()[j], 0.f, 1.f);
      copy(as_view(genes), p.rows());
      ++taken;
    }
  };
  std::size_t genotypes = 0;  // 0: one for each canvas

  template <space S>
  search<S> start(pixels const& e, view<float const, 4, S> canvas, rng const&) const {
    return {e.buffer(genotypes == 0 ? canvas.shape[0] : genotypes, canvas)};
  }
};

}  // namespace pareidolia_test
