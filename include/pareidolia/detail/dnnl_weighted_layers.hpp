// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/dnnl_layer_base.hpp>
#include <pareidolia/detail/first_layer.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onednn {

/// Layers with parameters.
class weighted_layers : protected layer_base {
 protected:
  using layer_base::layer_base;

  // ---- convolution -----------------------------------------------------------------------------------------------------------------

  /// F(4x4, 3x3) pays from a few hundred output positions on; PERFORMANCE: 1.5 to 2.7 times direct. A rule and not a stopwatch, so that the
  /// same program computes the same bits every time.
  [[nodiscard]] bool suits_winograd(layer::convolution const& c, image_shape const& in, image_shape const& out) const {
    return request_.winograd && c.kernel == layer::extent{3, 3} && c.stride == layer::extent{1, 1} && c.groups == 1 && in[0] >= 16 &&
           c.outputs >= 16 && static_cast<std::size_t>(count_) * out[1] * out[2] >= 700;
  }

  /// The first of the algorithms that this oneDNN offers for the shape.
  template <class Make>
  static auto offered(bool winograd, Make const& make) {
    if (winograd) try {
        return make(dnnl::algorithm::convolution_winograd);
      } catch (dnnl::error const&) {  // not on this processor, or not in this version
      }
    return make(dnnl::algorithm::convolution_direct);
  }

  compiled forward(place const& at, layer::convolution const& c, std::size_t v) {
    image_shape const in = graph_.in[at.node], out = graph_.out[at.node];
    v = as_images(v, in);
    auto const n = [](std::size_t x) { return static_cast<dim>(x); };
    dims const kernel = c.groups == 1 ? dims{n(c.outputs), n(in[0]), n(c.kernel[0]), n(c.kernel[1])}
                                      : dims{n(c.groups), n(c.outputs / c.groups), n(in[0] / c.groups), n(c.kernel[0]), n(c.kernel[1])};
    memory_desc const plain = describe(kernel, c.groups == 1 ? tag::oihw : tag::goihw);
    memory_desc const bias = c.bias ? describe({n(c.outputs)}, tag::x) : memory_desc();
    bool const from_image = graph_.inputs[at.node].front() == planned_graph::image,
               few_channels = from_image && in[0] <= 4 && c.groups == 1;
    auto const behind = [&](std::size_t d) {  // padding at the far edge, exactly as much as the last window needs
      return std::max<dim>(0, n((out[1 + d] - 1) * c.stride[d] + c.kernel[d]) - n(in[1 + d] + c.padding[d]));
    };
    convolution_shape const shape{few_channels ? builder_.desc(v) : image_desc(in, tag::any),
                                  describe(kernel, tag::any),
                                  bias,
                                  image_desc(out, tag::any),
                                  two(c.stride),
                                  two(c.padding),
                                  {behind(0), behind(1)}};

    auto const attr = attributes_of(at);
    bool const winograd = suits_winograd(c, in, out);
    auto const pd = offered(winograd, [&](dnnl::algorithm how) { return convolution_forward(how, shape, attr); });
    std::size_t const slot = graph_.first_slot[at.node];
    std::size_t const source = builder_.in_layout(v, pd.src_desc()), y = builder_.add(pd.dst_desc());
    std::vector<std::pair<int, operand>> operands{
        {DNNL_ARG_SRC, {source}}, {DNNL_ARG_WEIGHTS, {parameters_.add(slot, plain, pd.weights_desc()), true}}, {DNNL_ARG_DST, {y}}};
    if (c.bias) operands.push_back({DNNL_ARG_BIAS, {parameters_.add(slot + 1, bias, bias), true}});
    builder_.push<dnnl::convolution_forward>(pd, std::move(operands));

    derivative back{fused(at, y), {}, {}, {}};
    convolution_shape free = shape;
    free.source = image_desc(in, tag::any);
    if (few_channels) {
      back.input = [=, this](std::size_t diff) { return few_channels_backward(c, in, out, slot, plain, diff); };
    } else {
      back.input = [=, this](std::size_t diff) {
        // The hint of a direct convolution serves both; one of a Winograd forward would pin the algorithm.
        auto const hint = convolution_forward(dnnl::algorithm::convolution_direct, free, attributes());
        auto const backward = offered(winograd, [&](dnnl::algorithm how) {
          return convolution_backward_data(
              how, free, how == dnnl::algorithm::convolution_direct ? hint : convolution_forward(how, free, attributes()));
        });
        std::size_t const d = builder_.in_layout(diff, backward.diff_dst_desc()), dx = builder_.add(backward.diff_src_desc());
        builder_.push<dnnl::convolution_backward_data>(backward,
                                                       {{DNNL_ARG_DIFF_DST, {d}},
                                                        {DNNL_ARG_WEIGHTS, {parameters_.add(slot, plain, backward.weights_desc()), true}},
                                                        {DNNL_ARG_DIFF_SRC, {dx}}});
        return dx;
      };
    }
    back.weights = [=, this](std::size_t diff) {
      convolution_shape s = few_channels ? shape : free;
      auto const hint = convolution_forward(dnnl::algorithm::convolution_direct, s, attributes());
      auto const backward = convolution_backward_weights(s, hint);
      std::size_t const x = builder_.in_layout(v, backward.src_desc()), d = builder_.in_layout(diff, backward.diff_dst_desc());
      std::size_t const dw = builder_.add(backward.diff_weights_desc());
      std::vector<std::pair<int, operand>> steps{{DNNL_ARG_SRC, {x}}, {DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_DIFF_WEIGHTS, {dw}}};
      std::size_t const db = c.bias ? builder_.add(bias) : program::none;
      if (c.bias) steps.push_back({DNNL_ARG_DIFF_BIAS, {db}});
      builder_.push<dnnl::convolution_backward_weights>(backward, std::move(steps));
      note_gradients(slot, builder_.in_layout(dw, plain), db);
    };
    return {y, std::move(back)};
  }

  std::size_t few_channels_backward(layer::convolution const& c, image_shape const& in, image_shape const& out, std::size_t slot,
                                    memory_desc const& plain, std::size_t diff) {
    std::size_t const d = builder_.in_layout(diff, image_desc(out, tag::nhwc)), dx = builder_.add(image_desc(in, tag::nchw));
    builder_.push({{parameters_.add(slot, plain, plain), true}, {d}, {dx}},
                  [gradient = few_channel_gradient{c, in, out}, count = static_cast<std::size_t>(count_)](pointers p) {
                    gradient(count, p[0], p[1], p[2]);
                  });
    return dx;
  }

  // ---- scale -------------------------------------------------------------------------------------------------------------------------

  /// A convolution of every channel with one number.
  compiled forward(place const& at, layer::scale const& s, std::size_t v) {
    std::size_t const channels = graph_.in[at.node][0];
    return forward(at, layer::convolution{.outputs = channels, .groups = channels, .bias = s.bias}, v);
  }

  // ---- inner product ---------------------------------------------------------------------------------------------------------------

  /// The images of v as rows of a matrix in whatever dense order they lie: nothing moves, the weights follow. Else channels last.
  struct flattened {
    std::size_t rows;
    tag layout;
  };
  flattened flatten(std::size_t v, image_shape const& s, memory_desc const& rows) {
    if (is_matrix(builder_.desc(v))) return {v, tag::nchw};
    for (auto const& [layout, block] : {std::pair<tag, std::size_t>{tag::nchw, 1}, {tag::nhwc, 1}, {tag::nChw16c, 16}, {tag::nChw8c, 8}})
      if (s[0] % block == 0 && builder_.desc(v) == image_desc(s, layout)) return {builder_.alias(v, rows), layout};
    return {builder_.alias(builder_.in_layout(v, image_desc(s, tag::nhwc)), rows), tag::nhwc};
  }

  /// Do inner products alone read node k? They read rows in any order, so nothing has to be flattened for them.
  [[nodiscard]] bool only_multiplied(std::size_t k) const {
    std::size_t known = 0;
    for (std::size_t r = k + 1; r < graph_.out.size(); ++r)
      if (readers_[r] > 0 && graph_.inputs[r].front() == k) {
        bool const looks_through = std::holds_alternative<layer::dropout>(node(r)) || std::holds_alternative<layer::flatten>(node(r));
        if (!std::holds_alternative<layer::inner_product>(node(r)) && !(looks_through && only_multiplied(r))) return false;
        ++known;
      }
    return known == readers_[k];
  }
  /// The shape that the value of node k has in memory: that before a flattening which was left out.
  [[nodiscard]] image_shape const& shape_in_memory(std::size_t k) const {
    if (k == planned_graph::image) return graph_.source.input;
    bool const same =
        std::holds_alternative<layer::dropout>(node(k)) || (std::holds_alternative<layer::flatten>(node(k)) && only_multiplied(k));
    return same ? shape_in_memory(graph_.inputs[k].front()) : graph_.out[k];
  }

  compiled forward(place const& at, layer::inner_product const& p, std::size_t v) {
    image_shape const in = shape_in_memory(graph_.inputs[at.node].front());
    auto const outputs = static_cast<dim>(p.outputs), inputs = static_cast<dim>(in[0] * in[1] * in[2]);
    memory_desc const rows = describe({count_, inputs}, tag::nc), out = describe({count_, outputs}, tag::nc);
    memory_desc const bias = p.bias ? describe({outputs}, tag::x) : memory_desc(), any = describe({outputs, inputs}, tag::any);
    auto const [x, layout] = flatten(v, in, rows);
    auto const filters = [&](tag t) {  // the weights as images, one for each output
      return describe({outputs, static_cast<dim>(in[0]), static_cast<dim>(in[1]), static_cast<dim>(in[2])}, t);
    };
    memory_desc const plain = filters(tag::nchw), turned = filters(layout), matrix = describe({outputs, inputs}, tag::oi);
    std::size_t const slot = graph_.first_slot[at.node];

    auto const pd = inner_product_forward(rows, any, bias, out, attributes_of(at));
    std::size_t const y = builder_.add(out);
    std::vector<std::pair<int, operand>> operands{
        {DNNL_ARG_SRC, {x}},
        {DNNL_ARG_WEIGHTS, {parameters_.add_flattened(slot, plain, turned, matrix, pd.weights_desc()), true}},
        {DNNL_ARG_DST, {y}}};
    if (p.bias) operands.push_back({DNNL_ARG_BIAS, {parameters_.add(slot + 1, bias, bias), true}});
    builder_.push<dnnl::inner_product_forward>(pd, std::move(operands));

    derivative back{fused(at, y), {}, {}, {}};
    memory_desc const images = is_matrix(builder_.desc(v)) ? rows : image_desc(in, layout);
    auto const hint = inner_product_forward(rows, any, bias, out, attributes());
    back.input = [=, this](std::size_t diff) {
      // A single row is a matrix-vector product, which oneDNN does in half the time on plain weights.
      auto const backward = inner_product_backward_data(rows, count_ == 1 ? matrix : any, out, hint);
      std::size_t const dx = builder_.add(rows);
      builder_.push<dnnl::inner_product_backward_data>(
          backward, {{DNNL_ARG_DIFF_DST, {builder_.alias(diff, out)}},
                     {DNNL_ARG_WEIGHTS, {parameters_.add_flattened(slot, plain, turned, matrix, backward.weights_desc()), true}},
                     {DNNL_ARG_DIFF_SRC, {dx}}});
      return builder_.alias(dx, images);
    };
    back.weights = [=, this, x = x](std::size_t diff) {
      auto const backward = inner_product_backward_weights(rows, matrix, bias, out, hint);
      std::size_t const dw = builder_.add(matrix), db = p.bias ? builder_.add(bias) : program::none;
      std::vector<std::pair<int, operand>> steps{
          {DNNL_ARG_SRC, {x}}, {DNNL_ARG_DIFF_DST, {builder_.alias(diff, out)}}, {DNNL_ARG_DIFF_WEIGHTS, {dw}}};
      if (p.bias) steps.push_back({DNNL_ARG_DIFF_BIAS, {db}});
      builder_.push<dnnl::inner_product_backward_weights>(backward, std::move(steps));
      note_gradients(slot, builder_.in_layout(builder_.alias(dw, turned), plain), db);
    };
    return {y, std::move(back)};
  }
};

}  // namespace pareidolia::detail::onednn
