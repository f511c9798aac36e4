// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/dense_product.hpp>
#include <pareidolia/detail/dnnl_layer_base.hpp>
#include <pareidolia/detail/first_layer.hpp>
#include <pareidolia/detail/first_layer_folded.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onednn {

/// Layers with parameters.
class weighted_layers : protected layer_base {
 protected:
  using layer_base::layer_base;

  // ---- convolution -----------------------------------------------------------------------------------------------------------------

  /// Does F(4x4, 3x3) pay? For the derivative, which transforms its weights each time, from about 700 output positions of the batch on: 1.3
  /// to 2.7 times direct, and below that down to a quarter. Forward, where the weights are transformed once, those of a 13x13 image do, if
  /// the outputs fill whole blocks. A rule and not a stopwatch, so that the same program computes the same bits every time.
  [[nodiscard]] bool suits_winograd(layer::convolution const& c, image_shape const& in, image_shape const& out, bool backward) const {
    std::size_t const of_image = out[1] * out[2], of_batch = static_cast<std::size_t>(count_) * of_image;
    return request_.winograd && c.kernel == layer::extent{3, 3} && c.stride == layer::extent{1, 1} && c.groups == 1 && in[0] >= 16 &&
           c.outputs >= 16 && (of_batch >= 700 || (!backward && of_image >= 160 && c.outputs % 32 == 0));
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

  /// The weights of a convolution: which, how they lie in the flat vector, and whether strides are folded into them.
  struct filters {
    std::size_t slot;
    memory_desc plain;
    std::optional<folded_strides> fold = {};
  };
  operand packed(filters const& w, memory_desc const& wanted) {
    return {w.fold ? parameters_.add_folded(w.slot, *w.fold, w.plain, wanted) : parameters_.add(w.slot, w.plain, wanted), true};
  }

  /// Shapes of a convolution; oneDNN may choose all layouts.
  [[nodiscard]] convolution_shape described(layer::convolution const& c, image_shape const& in, image_shape const& out,
                                            number result = number::f32) const {
    auto const behind = [&](std::size_t d) {  // padding at the far edge, exactly as much as the last window needs
      return std::max<dim>(0, static_cast<dim>((out[1 + d] - 1) * c.stride[d] + c.kernel[d]) - static_cast<dim>(in[1 + d] + c.padding[d]));
    };
    return {image_desc(in, tag::any, type_),
            describe(kernel_of(c, in), tag::any, type_),
            c.bias ? describe({static_cast<dim>(c.outputs)}, tag::x) : memory_desc(),
            image_desc(out, tag::any, result),
            two(c.stride),
            two(c.padding),
            {behind(0), behind(1)}};
  }
  static dims kernel_of(layer::convolution const& c, image_shape const& in) {
    dims kernel{static_cast<dim>(c.outputs / c.groups), static_cast<dim>(in[0] / c.groups), static_cast<dim>(c.kernel[0]),
                static_cast<dim>(c.kernel[1])};
    if (c.groups > 1) kernel.insert(kernel.begin(), static_cast<dim>(c.groups));
    return kernel;
  }
  static memory_desc plain_weights(layer::convolution const& c, image_shape const& in) {
    return describe(kernel_of(c, in), c.groups == 1 ? tag::oihw : tag::goihw);
  }

  /// The convolution of v, with the ReLU that is fused into it.
  std::size_t convolve(place const& at, bool winograd, convolution_shape const& shape, filters const& w, std::size_t v) {
    auto const pd = offered(winograd, [&](dnnl::algorithm how) { return convolution_forward(how, shape, attributes_of(at)); });
    std::size_t const source = builder_.in_layout(v, pd.src_desc()), y = builder_.add(pd.dst_desc());
    std::vector<std::pair<int, operand>> operands{
        {DNNL_ARG_SRC, {source}}, {DNNL_ARG_WEIGHTS, packed(w, pd.weights_desc())}, {DNNL_ARG_DST, {y}}};
    if (shape.bias.get_size() > 0) operands.push_back({DNNL_ARG_BIAS, {parameters_.add(w.slot + 1, shape.bias, shape.bias), true}});
    builder_.push<dnnl::convolution_forward>(pd, std::move(operands));
    return y;
  }

  /// The derivative of a convolution's input, in a layout of oneDNN's choice.
  std::size_t transposed(bool winograd, convolution_shape const& shape, filters const& w, std::size_t diff) {
    // The hint of a direct convolution serves both; one of a Winograd forward would pin the algorithm.
    auto const hint = convolution_forward(dnnl::algorithm::convolution_direct, shape, attributes());
    auto const pd = offered(winograd, [&](dnnl::algorithm how) {
      return convolution_backward_data(how, shape,
                                       how == dnnl::algorithm::convolution_direct ? hint : convolution_forward(how, shape, attributes()));
    });
    std::size_t const d = builder_.in_layout(diff, pd.diff_dst_desc()), dx = builder_.add(pd.diff_src_desc());
    builder_.push<dnnl::convolution_backward_data>(
        pd, {{DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_WEIGHTS, packed(w, pd.weights_desc())}, {DNNL_ARG_DIFF_SRC, {dx}}});
    return dx;
  }

  void weight_gradients(convolution_shape const& shape, filters const& w, std::size_t v, std::size_t diff) {
    auto const hint = convolution_forward(dnnl::algorithm::convolution_direct, shape, attributes());
    auto const pd = convolution_backward_weights(shape, hint);
    std::size_t const x = builder_.in_layout(v, pd.src_desc()), d = builder_.in_layout(diff, pd.diff_dst_desc());
    std::size_t const dw = builder_.add(pd.diff_weights_desc());
    std::vector<std::pair<int, operand>> operands{{DNNL_ARG_SRC, {x}}, {DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_DIFF_WEIGHTS, {dw}}};
    std::size_t const db = shape.bias.get_size() > 0 ? builder_.add(shape.bias) : program::none;
    if (db != program::none) operands.push_back({DNNL_ARG_DIFF_BIAS, {db}});
    builder_.push<dnnl::convolution_backward_weights>(pd, std::move(operands));
    note_gradients(w.slot, builder_.in_layout(dw, w.plain), db);
  }

  compiled forward(place const& at, layer::convolution const& c, std::size_t v) {
    image_shape const in = graph_.in[at.node], out = graph_.out[at.node];
    v = as_images(v, in);
    convolution_shape shape = described(c, in, out, output_type(at.node));
    filters const w{graph_.first_slot[at.node], plain_weights(c, in)};
    bool const from_image = graph_.inputs[at.node].front() == planned_graph::image;
    if (from_image && in[0] <= 4 && c.groups == 1) {
      if (type_ == number::f32) shape.source = builder_.desc(v);
      if (folded_strides const fold{c, in, out}; pays(fold)) return of_strided_image(at, fold, shape, w, v);
      std::size_t const y = convolve(at, false, shape, w, v);
      derivative back{fused(at, y), {}, {}, {}};
      back.input = [=, this](std::size_t diff) { return few_channels_backward(c, in, out, w, diff); };
      back.weights = [=, this](std::size_t diff) { weight_gradients(shape, w, v, diff); };
      return {y, std::move(back)};
    }
    std::size_t const y = convolve(at, suits_winograd(c, in, out, false), shape, w, v);
    derivative back{fused(at, y), {}, {}, {}};
    back.input = [=, this](std::size_t diff) { return transposed(suits_winograd(c, in, out, true), shape, w, diff); };
    back.weights = [=, this](std::size_t diff) { weight_gradients(shape, w, v, diff); };
    return {y, std::move(back)};
  }

  /// Folding strides pays where it makes a convolution for Winograd's algorithm: AlexNet's first layer takes 0.8 of its time forward and
  /// 0.6 backward. Without Winograd it is slower than what oneDNN and few_channel_gradient do.
  [[nodiscard]] bool pays(folded_strides const& fold) const {
    auto const [stride_down, stride_across] = fold.original.stride;
    if (stride_down * stride_across == 1 || folded_strides::block % stride_across != 0) return false;
    if (!suits_winograd(fold.convolution(), fold.input(), fold.out, true)) return false;
    try {
      convolution_forward(dnnl::algorithm::convolution_winograd, described(fold.convolution(), fold.input(), fold.out), attributes());
      return true;
    } catch (dnnl::error const&) {
      return false;
    }
  }

  compiled of_strided_image(place const& at, folded_strides const& fold, convolution_shape const& original, filters const& w,
                            std::size_t v) {
    memory_desc const squares = image_desc(fold.input(), tag::nChw16c), image = image_desc(fold.in, tag::nchw);
    auto const count = static_cast<std::size_t>(count_);
    std::size_t const z = builder_.add(squares);
    builder_.push({{v}, {z}}, [=](pointers p) { fold.images(count, p[0], p[1]); });
    convolution_shape const shape = described(fold.convolution(), fold.input(), fold.out);
    filters const folded{w.slot, plain_weights(fold.convolution(), fold.input()), fold};
    std::size_t const y = convolve(at, true, shape, folded, z);
    derivative back{fused(at, y), {}, {}, {}};
    back.input = [=, this](std::size_t diff) {
      std::size_t const dz = builder_.in_layout(transposed(true, shape, folded, diff), squares), dx = builder_.add(image);
      builder_.push({{dz}, {dx}}, [=](pointers p) { fold.gradient(count, p[0], p[1]); });
      return dx;
    };
    back.weights = [=, this](std::size_t diff) { weight_gradients(original, w, v, diff); };
    return {y, std::move(back)};
  }

  std::size_t few_channels_backward(layer::convolution const& c, image_shape const& in, image_shape const& out, filters const& w,
                                    std::size_t diff) {
    std::size_t const d = builder_.in_layout(diff, image_desc(out, tag::nhwc)), dx = builder_.add(image_desc(in, tag::nchw));
    builder_.push({packed(w, w.plain), {d}, {dx}}, [gradient = few_channel_gradient{c, in, out}, count = static_cast<std::size_t>(count_)](
                                                       pointers p) { gradient(count, p[0], p[1], p[2]); });
    return dx;
  }

  // ---- scale -------------------------------------------------------------------------------------------------------------------------

  /// A convolution of every channel with one number.
  compiled forward(place const& at, layer::scale const& s, std::size_t v) {
    std::size_t const channels = graph_.in[at.node][0];
    return forward(at, layer::convolution{.outputs = channels, .groups = channels, .bias = s.bias}, v);
  }

  // ---- inner product ---------------------------------------------------------------------------------------------------------------

  /// The images of v as rows of a matrix. If `plain`, in the order of the flat vector's weights; else in whatever dense order they lie:
  /// nothing moves, the weights follow. Failing that, channels last.
  struct flattened {
    std::size_t rows;
    tag layout;
  };
  flattened flatten(std::size_t v, image_shape const& s, memory_desc const& rows, bool plain) {
    if (is_matrix(builder_.desc(v))) return {builder_.in_layout(v, rows), tag::nchw};
    if (plain) return {builder_.alias(builder_.in_layout(v, image_desc(s, tag::nchw, type_)), rows), tag::nchw};
    for (auto const& [layout, block] : {std::pair<tag, std::size_t>{tag::nchw, 1}, {tag::nhwc, 1}, {tag::nChw16c, 16}, {tag::nChw8c, 8}})
      if (s[0] % block == 0 && builder_.desc(v) == image_desc(s, layout, type_)) return {builder_.alias(v, rows), layout};
    return {builder_.alias(builder_.in_layout(v, image_desc(s, tag::nhwc, type_)), rows), tag::nhwc};
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

  /// Weights that no cache holds are read where they lie: as fast for few images as a second copy in oneDNN's own layout.
  [[nodiscard]] bool too_large_to_copy(dim inputs, dim outputs) const {
    return type_ == number::f32 && inputs * outputs >= (dim{1} << 20) && count_ <= 64;
  }

  compiled forward(place const& at, layer::inner_product const& p, std::size_t v) {
    image_shape const in = shape_in_memory(graph_.inputs[at.node].front());
    auto const outputs = static_cast<dim>(p.outputs), inputs = static_cast<dim>(in[0] * in[1] * in[2]);
    bool const in_place = too_large_to_copy(inputs, outputs);
    memory_desc const rows = describe({count_, inputs}, tag::nc, type_), out = describe({count_, outputs}, tag::nc, output_type(at.node));
    memory_desc const bias = p.bias ? describe({outputs}, tag::x) : memory_desc(), any = describe({outputs, inputs}, tag::any, type_);
    auto const [x, layout] = flatten(v, in, rows, in_place);
    auto const filters = [&](tag t) {  // the weights as images, one for each output
      return describe({outputs, static_cast<dim>(in[0]), static_cast<dim>(in[1]), static_cast<dim>(in[2])}, t);
    };
    memory_desc const plain = filters(tag::nchw), turned = filters(layout), matrix = describe({outputs, inputs}, tag::oi);
    std::size_t const slot = graph_.first_slot[at.node], y = builder_.add(out);
    auto const weights = [=, this](memory_desc const& wanted) {
      return operand{parameters_.add_flattened(slot, plain, turned, matrix, wanted), true};
    };

    if (in_place) {
      dense_product const product{static_cast<std::size_t>(count_), in[0] * in[1] * in[2], p.outputs, at.relu};
      std::vector<operand> operands{{x}, weights(matrix), {y}, {builder_.add(rows)}};
      if (p.bias) operands.push_back({parameters_.add(slot + 1, bias, bias), true});
      builder_.push(operands, [product, biased = p.bias](pointers d) { product(d[0], d[1], biased ? d[4] : nullptr, d[2], d[3]); });
    } else {
      auto const pd = inner_product_forward(rows, any, bias, out, attributes_of(at));
      std::vector<std::pair<int, operand>> operands{
          {DNNL_ARG_SRC, {x}}, {DNNL_ARG_WEIGHTS, weights(pd.weights_desc())}, {DNNL_ARG_DST, {y}}};
      if (p.bias) operands.push_back({DNNL_ARG_BIAS, {parameters_.add(slot + 1, bias, bias), true}});
      builder_.push<dnnl::inner_product_forward>(pd, std::move(operands));
    }

    derivative back{fused(at, y), {}, {}, {}};
    memory_desc const images = is_matrix(builder_.desc(v)) ? rows : image_desc(in, layout);
    auto const hint = [=] { return inner_product_forward(rows, any, bias, out, attributes()); };
    back.input = [=, this](std::size_t diff) {
      // On plain weights oneDNN does large products in two thirds of the time, and that of a single row in half of it.
      auto const pd = inner_product_backward_data(rows, in_place || count_ == 1 ? matrix : any, out, hint());
      std::size_t const dx = builder_.add(rows);
      builder_.push<dnnl::inner_product_backward_data>(
          pd,
          {{DNNL_ARG_DIFF_DST, {builder_.alias(diff, out)}}, {DNNL_ARG_WEIGHTS, weights(pd.weights_desc())}, {DNNL_ARG_DIFF_SRC, {dx}}});
      return builder_.alias(dx, images);
    };
    back.weights = [=, this, x = x](std::size_t diff) {
      auto const pd = inner_product_backward_weights(rows, matrix, bias, out, hint());
      std::size_t const dw = builder_.add(matrix), db = p.bias ? builder_.add(bias) : program::none;
      std::vector<std::pair<int, operand>> operands{
          {DNNL_ARG_SRC, {x}}, {DNNL_ARG_DIFF_DST, {builder_.alias(diff, out)}}, {DNNL_ARG_DIFF_WEIGHTS, {dw}}};
      if (p.bias) operands.push_back({DNNL_ARG_DIFF_BIAS, {db}});
      builder_.push<dnnl::inner_product_backward_weights>(pd, std::move(operands));
      note_gradients(slot, builder_.in_layout(builder_.alias(dw, turned), plain), db);
    };
    return {y, std::move(back)};
  }
};

}  // namespace pareidolia::detail::onednn
