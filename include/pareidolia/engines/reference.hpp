// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/preprocess.hpp>
#include <pareidolia/detail/reference_layers.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/models/parameters.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia {

/// The readable engine: every layer by its definition, one image after the other, in float or double.
///
/// The oracle for the fast engines, and what there is where nothing but xtensor-blas and a BLAS is installed. Memory: every activation of
/// every image, twice once a backward was asked for.
template <class T>
struct reference_engine {
  using scalar = T;
  static constexpr space memory = space::host;
  using parameters = host_parameters<T>;

  class plan {
   public:
    plan(parameters const& p, std::size_t n, std::vector<std::size_t> watched) : content_(p.contents()), watched_(std::move(watched)) {
      planned_graph const& g = content_->plan;
      std::size_t const nodes = g.out.size();
      input_.resize(n * pixels(g.source.input));
      for (std::size_t k = 0; k < nodes; ++k) y_.emplace_back(n * pixels(g.out[k]));
      dy_.resize(nodes);
      capacity_ = n;
    }

    void forward(view<T const, 4> x, view<T, 2> y) {
      if (x.shape[0] > capacity_) detail::fail("reference engine: ", x.shape[0], " images given to a plan for ", capacity_);
      count_ = x.shape[0];
      detail::preprocess<T>(content_->plan.source.prepare, x, input_.data());
      parallel_for(count_, [&](std::size_t i, std::size_t) {
        for (std::size_t k = 0; k < y_.size(); ++k)
          visit(k, [&](auto const& what, auto const& site, T const* theta) {
            T* const y = y_[k].data() + i * site.out_size();
            if constexpr (joins<decltype(what)>) {
              std::fill_n(y, site.out_size(), T{0});
              each_input(k, i, [&](T const* from, std::size_t, std::size_t size, std::size_t first) {
                detail::reference::forward(what, size, first, from, y);
              });
            } else {
              detail::reference::forward(what, site, theta, source(k, i), y);
            }
          });
      });
      std::copy_n(y_.back().data(), y.size(), y.data);
    }

    /// The activations of node k, a watched one, in the last forward: to (count, channels, height, width).
    void activation(std::size_t k, view<T, 4> to) const {
      static_cast<void>(detail::watched_index("reference engine", content_->plan, watched_, k));
      if (count_ != to.shape[0]) detail::fail("reference engine: activations of ", to.shape[0], " images after a forward of ", count_);
      std::copy_n(y_[k].data(), to.size(), to.data);
    }

    void backward(view<T const, 2> dy, view<T, 4> dx) {
      propagate(dy);
      detail::preprocess_backward<T>(content_->plan.source.prepare, dinput_.data(), dx);
    }

    void backward_weights(view<T const, 2> dy, std::span<T> dtheta) {
      propagate(dy);
      std::fill(dtheta.begin(), dtheta.end(), T{0});
      for (std::size_t k = 0; k < y_.size(); ++k)
        visit(k, [&](auto const& what, auto const& site, T const*) {
          if constexpr (requires(T const* x, T* out) { detail::reference::backward_weights(what, site, x, x, out); })
            for (std::size_t i = 0; i < count_; ++i)
              detail::reference::backward_weights(what, site, source(k, i), dy_[k].data() + i * site.out_size(), dtheta.data() + offset(k));
        });
    }

   private:
    static std::size_t pixels(image_shape const& s) { return s[0] * s[1] * s[2]; }

    template <class Layer>
    static constexpr bool joins =
        std::same_as<std::remove_cvref_t<Layer>, layer::concat> || std::same_as<std::remove_cvref_t<Layer>, layer::sum>;

    /// What node k reads for image i, of its first input.
    T const* source(std::size_t k, std::size_t i) const {
      std::size_t const from = content_->plan.inputs[k].front();
      return (from == planned_graph::image ? input_ : y_[from]).data() + i * pixels(content_->plan.in[k]);
    }
    /// Calls f(values, node, size, values of the inputs before) for each input of node k and image i.
    template <class F>
    void each_input(std::size_t k, std::size_t i, F const& f) const {
      std::size_t first = 0;
      for (std::size_t from : content_->plan.inputs[k]) {
        std::size_t const size = pixels(content_->plan.shape_of(from));
        f((from == planned_graph::image ? input_ : y_[from]).data() + i * size, from, size, first);
        first += size;
      }
    }
    std::size_t offset(std::size_t k) const {
      auto const& g = content_->plan;
      return g.first_slot[k] < g.slots.size() ? g.slots[g.first_slot[k]].offset : g.parameters;
    }
    template <class F>
    void visit(std::size_t k, F const& f) const {
      auto const& g = content_->plan;
      detail::reference::site const site{g.in[k], g.out[k]};
      std::visit([&](auto const& what) { f(what, site, content_->values.data() + offset(k)); }, g.source.nodes[k].what);
    }

    /// dy_[k] = derivative with respect to the output of node k, dinput_ with respect to the preprocessed image.
    void propagate(view<T const, 2> dy) {
      dinput_.assign(input_.size(), T{0});
      for (std::size_t k = 0; k < y_.size(); ++k) dy_[k].assign(y_[k].size(), T{0});
      std::copy_n(dy.data, dy.size(), dy_.back().data());
      parallel_for(count_, [&](std::size_t i, std::size_t) {
        for (std::size_t k = y_.size(); k-- > 0;)
          visit(k, [&](auto const& what, auto const& site, T const* theta) {
            T const* const dy = dy_[k].data() + i * site.out_size();
            each_input(k, i, [&](T const* x, std::size_t from, std::size_t size, std::size_t first) {
              T* const dx = (from == planned_graph::image ? dinput_ : dy_[from]).data() + i * size;
              if constexpr (joins<decltype(what)>)
                detail::reference::backward(what, size, first, dy, dx);
              else
                detail::reference::backward(what, site, theta, x, y_[k].data() + i * site.out_size(), dy, dx);
            });
          });
      });
    }

    std::shared_ptr<typename parameters::content const> content_;
    std::vector<std::size_t> watched_;
    std::size_t capacity_ = 0, count_ = 0;
    std::vector<T> input_, dinput_;
    std::vector<std::vector<T>> y_, dy_;
  };

  [[nodiscard]] parameters load(graph const& g, weights const& w) const { return {g, w}; }
  [[nodiscard]] plan compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched = {}) const {
    return {p, n, std::move(watched)};
  }
};

}  // namespace pareidolia
