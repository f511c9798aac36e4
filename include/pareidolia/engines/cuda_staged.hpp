// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/engines/cuda.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// cuda_engine for those whose images are in host memory: what goes in is uploaded, what comes out downloaded, call by call. For parts
/// that only the host has, at the price of the copies.
///
///     network const net{staged_cuda_engine{}, zoo::googlenet(), weights};
struct staged_cuda_engine {
  cuda_engine on_device = {};

  using scalar = float;
  static constexpr space memory = space::host;
  using parameters = cuda_engine::parameters;

  class plan {
   public:
    explicit plan(cuda_engine::plan inner) : inner_(std::move(inner)) {}

    void forward(view<float const, 4> x, view<float, 2> y) {
      auto const device_y = room(y, scores_);
      inner_.forward(uploaded(x, images_), device_y);
      detail::cuda::download(static_cast<float const*>(device_y.data), y.flat());
    }
    void activation(std::size_t k, view<float, 4> to) const {
      detail::cuda::buffer memory(to.size() * sizeof(float), "activations");
      inner_.activation(k, {memory.as<float>(), to.shape});
      detail::cuda::download(memory.as<float const>(), to.flat());
    }
    void backward(view<float const, 2> dy, view<float, 4> dx) {
      auto const device_dx = room(dx, images_);
      inner_.backward(uploaded(dy, scores_), device_dx);
      detail::cuda::download(static_cast<float const*>(device_dx.data), dx.flat());
    }
    void backward_weights(view<float const, 2> dy, std::span<float> dtheta) { inner_.backward_weights(uploaded(dy, scores_), dtheta); }

   private:
    template <class T, std::size_t Rank>
    static view<float, Rank, space::device> room(view<T, Rank> like, detail::cuda::buffer& memory) {
      if (std::size_t const bytes = like.size() * sizeof(float); bytes > memory.size()) {
        memory = {};
        memory = detail::cuda::buffer(bytes, "a batch of images");
      }
      return {memory.as<float>(), like.shape};
    }
    template <std::size_t Rank>
    static view<float const, Rank, space::device> uploaded(view<float const, Rank> from, detail::cuda::buffer& memory) {
      auto const to = room(from, memory);
      detail::cuda::upload(from.flat(), to.data);
      return to;
    }

    cuda_engine::plan inner_;
    detail::cuda::buffer images_, scores_;
  };

  [[nodiscard]] parameters load(graph const& g, weights const& w) const { return on_device.load(g, w); }
  [[nodiscard]] plan compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched = {}) const {
    return plan(on_device.compile(p, n, std::move(watched)));
  }
};

}  // namespace pareidolia
