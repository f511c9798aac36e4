// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <variant>

namespace pareidolia::detail {

/// Adds a number, an option, or several of one kind.
template <class T>
void add_option(hasher& h, T const& v) {
  if constexpr (std::is_same_v<T, float>)
    h.add(std::span<float const>(&v, 1));
  else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>)
    h.add(static_cast<std::uint64_t>(v));
  else
    for (auto const& part : v) add_option(h, part);
}

/// Adds the kind of a layer and every option that changes what it computes from given parameters.
inline void add_layer(hasher& h, layer::operation const& what) {
  auto const add = [&h](auto const&... options) { (add_option(h, options), ...); };
  h.add(what.index());
  std::visit(
      [&]<class Layer>(Layer const& l) {
        if constexpr (std::is_same_v<Layer, layer::convolution>) add(l.outputs, l.kernel, l.stride, l.padding, l.groups, l.bias);
        if constexpr (std::is_same_v<Layer, layer::inner_product>) add(l.outputs, l.bias);
        if constexpr (std::is_same_v<Layer, layer::pooling>) add(l.kind, l.kernel, l.stride, l.padding, l.edge, l.count_padding, l.global);
        if constexpr (std::is_same_v<Layer, layer::activation>) add(l.kind, l.slope);
        if constexpr (std::is_same_v<Layer, layer::clip>) add(l.low, l.high);
        if constexpr (std::is_same_v<Layer, layer::scale>) add(l.bias);
        if constexpr (std::is_same_v<Layer, layer::batch_normalization>) add(l.epsilon, l.affine);
        if constexpr (std::is_same_v<Layer, layer::lrn>) add(l.size, l.alpha, l.beta, l.k, l.over);
        if constexpr (std::is_same_v<Layer, layer::padding>) add(l.top, l.left, l.bottom, l.right);
        if constexpr (std::is_same_v<Layer, layer::reshape>) add(l.shape);
      },
      what);
}

}  // namespace pareidolia::detail
