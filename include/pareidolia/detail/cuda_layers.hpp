// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_weighted_layers.hpp>
#include <pareidolia/detail/plain_layers.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::cuda {

/// Every kind of layer.
class layer_compiler : public weighted_layers {
 public:
  using weighted_layers::weighted_layers;

  compiled_layer compile(layer_place const& at, layer::operation const& what) {
    std::vector<std::size_t> sources;
    for (std::size_t v : at.sources) sources.push_back(as(multiplies(at.node) ? request_.stored : types_[at.node], v));
    layer_place const place{at.node, at.relu, sources};
    return std::visit([&](auto const& layer) { return compile(place, layer, sources.front()); }, what);
  }

 protected:
  using weighted_layers::compile;

  /// Pushes a step that leaves 32 bits for each value of the shape `what` to its backward: start(pointers, room), no room where none
  /// follows.
  template <class Start>
  std::size_t kept(std::vector<std::size_t> values, image_shape const& what, Start start) {
    std::size_t const here = values.size();
    bool const keep = keeps_gradients();
    std::size_t const room = keep ? builder_.add(what, number::float32) : program::none;
    if (keep) values.push_back(room);
    builder_.push(std::move(values), [=](pointers p) { start(p, keep ? p[here] : nullptr); });
    return room;
  }

  // ---- pooling ---------------------------------------------------------------------------------------------------------------------

  compiled_layer compile(layer_place const& at, layer::pooling const& given, std::size_t v) {
    image_shape const in = graph_.in[at.node], out = graph_.out[at.node];
    layer::pooling const p = resolved(given, in);
    auto const n = [](std::size_t extent) { return static_cast<int>(extent); };
    pooling_sizes const sizes{n(in[0]),       n(in[1]),       n(in[2]),       n(out[1]),       n(out[2]),      n(p.kernel[0]),
                              n(p.kernel[1]), n(p.stride[0]), n(p.stride[1]), n(p.padding[0]), n(p.padding[1])};
    auto const& library = kernels_for<pooling_kernels>(v);
    std::size_t const y = builder_.add_like(v, out);
    unsigned const inputs = kernel_count(builder_.size(v)), outputs = kernel_count(builder_.size(y));
    derivative back;
    if (p.kind == layer::pool::maximum) {
      std::size_t const indices = kept({v, y}, out, [=, &library](pointers p, void* room) {
        library.launch("max_pool_forward", outputs, p[0], p[1], room, sizes, outputs);
      });
      back.input = [=, this, &library](std::size_t diff) {
        std::size_t const dx = builder_.add_like(v);
        each(library, "max_pool_backward", std::array{diff, indices, dx}, inputs, sizes, inputs);
        return dx;
      };
    } else {
      int const count_padding = p.count_padding ? 1 : 0;
      each(library, "mean_pool_forward", std::array{v, y}, outputs, sizes, count_padding, outputs);
      back.input = [=, this, &library](std::size_t diff) {
        std::size_t const dx = builder_.add_like(v);
        each(library, "mean_pool_backward", std::array{diff, dx}, inputs, sizes, count_padding, inputs);
        return dx;
      };
    }
    return {y, std::move(back)};
  }

  // ---- elementwise and softmax -----------------------------------------------------------------------------------------------------

  /// An elementwise layer whose derivative follows from its output.
  template <class... Options>
  compiled_layer elementwise(std::size_t v, char const* forward, char const* backward, Options... options) {
    std::size_t const y = builder_.add_like(v);
    each(forward, {v, y}, options...);
    derivative back;
    back.input = [=, this](std::size_t diff) {
      std::size_t const dx = builder_.add_like(y);
      each(backward, {y, diff, dx}, options...);
      return dx;
    };
    return {y, std::move(back)};
  }
  compiled_layer compile(layer_place const&, layer::activation const& a, std::size_t v) {
    switch (a.kind) {
      case layer::function::sigmoid:
        return elementwise(v, "sigmoid_forward", "sigmoid_backward");
      case layer::function::tanh:
        return elementwise(v, "tanh_forward", "tanh_backward");
      default:
        return elementwise(v, "relu_forward", "relu_backward", a.slope);
    }
  }
  compiled_layer compile(layer_place const&, layer::clip const& c, std::size_t v) {
    return elementwise(v, "clip_forward", "clip_backward", c.low, c.high);
  }

  compiled_layer compile(layer_place const&, layer::softmax const&, std::size_t v) {
    image_shape const s = builder_.shape(v);
    std::size_t const y = builder_.add_like(v), rows = request_.count * plane(s);
    auto const& library = kernels_for<reduction_kernels>(v);
    int const channels = static_cast<int>(s[0]);
    builder_.push({v, y}, [=, &library](pointers p) { library.launch_blocks("softmax_forward", rows, p[0], p[1], channels); });
    derivative back;
    back.input = [=, this, &library](std::size_t diff) {
      std::size_t const dx = builder_.add_like(v);
      builder_.push({y, diff, dx},
                    [=, &library](pointers p) { library.launch_blocks("softmax_backward", rows, p[0], p[1], p[2], channels); });
      return dx;
    };
    return {y, std::move(back)};
  }

  compiled_layer compile(layer_place const&, layer::batch_normalization const&, std::size_t) {
    fail("cuda engine: a batch normalisation is left in the graph; fold() it first, as network does");
  }

  // ---- shapes ------------------------------------------------------------------------------------------------------------------------

  compiled_layer compile(layer_place const&, layer::dropout const&, std::size_t v) {
    derivative back;
    back.input = [](std::size_t diff) { return diff; };
    return {v, std::move(back)};
  }
  compiled_layer compile(layer_place const& at, layer::flatten const&, std::size_t v) {
    if (only_multiplied(graph_, readers_, at.node)) return compile(at, layer::dropout{}, v);
    return reshaped(at, v);
  }
  compiled_layer compile(layer_place const& at, layer::reshape const&, std::size_t v) { return reshaped(at, v); }
  compiled_layer reshaped(layer_place const& at, std::size_t v) {
    derivative back;
    back.input = [this, from = builder_.shape(v)](std::size_t diff) { return in_shape(diff, from); };
    return {in_shape(v, graph_.out[at.node]), std::move(back)};
  }

  compiled_layer compile(layer_place const& at, layer::padding const& p, std::size_t v) {
    image_shape const in = graph_.in[at.node], out = graph_.out[at.node];
    auto const n = [](std::size_t extent) { return static_cast<int>(extent); };
    auto const pad = [=, this](char const* kernel, std::size_t from, std::size_t to) {
      unsigned const items = kernel_count(builder_.size(to));
      each(kernels_for<elementwise_kernels>(to), kernel, std::array{from, to}, items, items, kernel_count(in[0]), n(in[1]), n(in[2]),
           n(out[1]), n(out[2]), n(p.top), n(p.left));
    };
    std::size_t const y = builder_.add_like(v, out);
    pad("pad", v, y);
    derivative back;
    back.input = [=, this](std::size_t diff) {
      std::size_t const dx = builder_.add_like(v);
      pad("pad_backward", diff, dx);
      return dx;
    };
    return {y, std::move(back)};
  }

  // ---- local response normalisation --------------------------------------------------------------------------------------------------

  compiled_layer compile(layer_place const& at, layer::lrn const& l, std::size_t v) {
    image_shape const s = graph_.in[at.node];
    auto const n = [](std::size_t extent) { return static_cast<int>(extent); };
    float const weight = reference::lrn_weight<float>(l);
    int const half = n(l.size / 2);
    auto const& library = kernels_for<reduction_kernels>(v);
    std::size_t const y = builder_.add_like(v);
    unsigned const items = kernel_count(builder_.size(v));
    bool const across = l.over == layer::region::across_channels;
    std::size_t const scales = kept({v, y}, s, [=, &library, beta = l.beta, k = l.k](pointers p, void* room) {
      if (across)
        library.launch("lrn_across_forward", items, p[0], p[1], room, half, weight, beta, k, items, n(s[0]));
      else
        library.launch("lrn_within_forward", items, p[0], p[1], room, half, weight, beta, k, items, n(s[0]), n(s[1]), n(s[2]));
    });
    derivative back;
    back.input = [=, this, &library, beta = l.beta](std::size_t diff) {
      std::size_t const dx = builder_.add_like(v);
      std::array const values{v, y, scales, diff, dx};
      float const factor = 2 * beta * weight;
      if (across)
        each(library, "lrn_across_backward", values, items, half, factor, beta, items, n(s[0]));
      else
        each(library, "lrn_within_backward", values, items, half, factor, beta, items, n(s[0]), n(s[1]), n(s[2]));
      return dx;
    };
    return {y, std::move(back)};
  }

  // ---- layers of several inputs ------------------------------------------------------------------------------------------------------

  void copy_channels(std::size_t from, std::size_t from_first, std::size_t to, std::size_t to_first, std::size_t channels) {
    std::size_t const items = request_.count * plane(builder_.shape(to)) * channels;
    each(kernels_for<elementwise_kernels>(to), "copy_channels", std::array{from, to}, items, kernel_count(items), kernel_count(channels),
         kernel_count(builder_.shape(from)[0]), kernel_count(from_first), kernel_count(builder_.shape(to)[0]), kernel_count(to_first));
  }

  compiled_layer compile(layer_place const& at, layer::concat const&, std::size_t v) {
    std::size_t const y = builder_.add_like(v, graph_.out[at.node]);
    std::vector<std::size_t> firsts;
    std::size_t first = 0;
    for (std::size_t from : at.sources) {
      firsts.push_back(first);
      copy_channels(from, 0, y, first, builder_.shape(from)[0]);
      first += builder_.shape(from)[0];
    }
    derivative back;
    back.one_of_several = [this, firsts, sources = at.sources](std::size_t i, std::size_t diff) {
      image_shape const s = builder_.shape(sources[i]);
      std::size_t const dx = builder_.add_like(sources[i]);
      copy_channels(diff, firsts[i], dx, 0, s[0]);
      return dx;
    };
    return {y, std::move(back)};
  }

  compiled_layer compile(layer_place const& at, layer::sum const&, std::size_t v) {
    derivative back;
    back.one_of_several = [](std::size_t, std::size_t diff) { return diff; };
    return {total(at.sources, v), std::move(back)};
  }
};

/// Compiles a graph for a number of images.
class graph_compiler : public layer_compiler {
 public:
  using layer_compiler::layer_compiler;

  program compile_graph() {
    program& p = builder_.result();
    p.image = builder_.add(graph_.source.input, request_.stored);
    graph_walk<layer_compiler> walk(*this, graph_, readers_);
    walk.forward(p.image);
    std::size_t const last = graph_.out.size() - 1;
    p.scores = walk.value(last);
    for (std::size_t k : request_.watched) p.watched.push_back(walk.value(k));
    p.forward = p.input = p.weights = builder_.steps();
    if (request_.input || request_.weights) p.seed = builder_.add(graph_.out[last], number::float32);
    if (request_.input) p.input_gradient = walk.backward_to_image(p.seed, p.image);
    p.input = builder_.steps();
    if (request_.weights) walk.backward_to_weights(p.seed);
    p.weights = builder_.steps();
    return builder_.finish();
  }
};

}  // namespace pareidolia::detail::cuda
