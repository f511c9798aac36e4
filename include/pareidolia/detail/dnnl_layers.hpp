// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/dnnl_weighted_layers.hpp>
#include <pareidolia/detail/plain_layers.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onednn {

/// Every kind of layer.
class layer_compiler : protected weighted_layers {
 protected:
  using weighted_layers::forward;
  using weighted_layers::weighted_layers;

  // ---- pooling ---------------------------------------------------------------------------------------------------------------------

  compiled forward(place const& at, layer::pooling const& given, std::size_t v) {
    layer::pooling const p = resolved(given, graph_.in[at.node]);
    image_shape const in = graph_.in[at.node], out = graph_.out[at.node];
    v = as_images(v, in);
    dims behind(2);  // padding at the far edge, exactly as much as the last window needs
    bool hangs_over = false;
    for (std::size_t d : {0u, 1u}) {
      dim const needed = static_cast<dim>((out[1 + d] - 1) * p.stride[d] + p.kernel[d]) - static_cast<dim>(in[1 + d] + p.padding[d]);
      behind[d] = std::max<dim>(0, needed);
      hangs_over = hangs_over || needed > static_cast<dim>(p.padding[d]);
    }
    bool const padded = p.padding != layer::extent{0, 0};
    if (p.kind == layer::pool::average && p.count_padding && padded && hangs_over)
      return by_definition(at, p, v);  // oneDNN has no such divisor

    // Without padding, the part of a window inside the padded input is the part inside the input.
    auto const how = p.kind == layer::pool::maximum ? dnnl::algorithm::pooling_max
                     : p.count_padding && padded    ? dnnl::algorithm::pooling_avg_include_padding
                                                    : dnnl::algorithm::pooling_avg_exclude_padding;
    pooling_shape const shape{two(p.stride), two(p.kernel), two(p.padding), behind};
    memory_desc const source = builder_.desc(v);
    bool const keep_indices = p.kind == layer::pool::maximum && keeps_gradients();
    auto const pd = pooling_forward(keep_indices, how, source, image_desc(out, tag::any, type_of(source)), shape);
    std::size_t const y = builder_.add(pd.dst_desc()), indices = keep_indices ? builder_.add(pd.workspace_desc()) : program::none;
    std::vector<std::pair<int, operand>> operands{{DNNL_ARG_SRC, {v}}, {DNNL_ARG_DST, {y}}};
    if (keep_indices) operands.push_back({DNNL_ARG_WORKSPACE, {indices}});
    builder_.push<dnnl::pooling_forward>(pd, std::move(operands));

    derivative back;
    back.input = [=, this](std::size_t diff) {
      auto const hint = pooling_forward(true, how, source, image_desc(out, tag::any), shape);
      auto const backward = pooling_backward(how, source, pd.dst_desc(), shape, hint);
      std::size_t const d = builder_.in_layout(as_images(diff, out), pd.dst_desc()), dx = builder_.add(source);
      std::vector<std::pair<int, operand>> steps{{DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_DIFF_SRC, {dx}}};
      if (keep_indices) steps.push_back({DNNL_ARG_WORKSPACE, {indices}});
      builder_.push<dnnl::pooling_backward>(backward, std::move(steps));
      return dx;
    };
    return {y, std::move(back)};
  }

  // ---- layers that oneDNN does not have, by their definition, on plain layouts --------------------------------------------------------

  template <class Layer>
  compiled by_definition(place const& at, Layer const& what, std::size_t v) {
    auto const count = static_cast<std::size_t>(count_);
    reference::site const site{graph_.in[at.node], graph_.out[at.node]};
    std::size_t const x = builder_.in_layout(as_images(v, site.in), image_desc(site.in, tag::nchw)),
                      y = builder_.add(image_desc(site.out, tag::nchw));
    builder_.push({{x}, {y}}, [=](pointers data) {
      parallel_for(count, [&](std::size_t i, std::size_t) {
        reference::forward<float>(what, site, nullptr, data[0] + i * site.in_size(), data[1] + i * site.out_size());
      });
    });
    derivative back;
    back.input = [=, this](std::size_t diff) {
      std::size_t const d = builder_.in_layout(as_images(diff, site.out), image_desc(site.out, tag::nchw)),
                        dx = builder_.add(image_desc(site.in, tag::nchw));
      builder_.push({{x}, {y}, {d}, {dx}}, [=](pointers data) {
        parallel_for(count, [&](std::size_t i, std::size_t) {
          std::size_t const in = i * site.in_size(), out = i * site.out_size();
          std::fill_n(data[3] + in, site.in_size(), 0.f);
          reference::backward<float>(what, site, nullptr, data[0] + in, data[1] + out, data[2] + out, data[3] + in);
        });
      });
      return dx;
    };
    return {y, std::move(back)};
  }

  compiled forward(place const& at, layer::padding const& p, std::size_t v) { return by_definition(at, p, v); }

  compiled forward(place const&, layer::batch_normalization const&, std::size_t) {
    fail("cpu engine: a batch normalisation is left in the graph; fold() it first, as network does");
  }

  // ---- elementwise and softmax -----------------------------------------------------------------------------------------------------

  compiled forward(place const&, layer::activation const& a, std::size_t v) {
    using enum dnnl::algorithm;
    return apply({a.kind == layer::function::relu      ? eltwise_relu_use_dst_for_bwd
                  : a.kind == layer::function::sigmoid ? eltwise_logistic_use_dst_for_bwd
                                                       : eltwise_tanh_use_dst_for_bwd,
                  a.slope},
                 v);
  }
  compiled forward(place const&, layer::clip const& c, std::size_t v) {
    return apply({dnnl::algorithm::eltwise_clip_v2_use_dst_for_bwd, c.low, c.high}, v);
  }
  compiled apply(elementwise const& f, std::size_t v) {
    memory_desc const data = builder_.desc(v);
    std::size_t const y = builder_.add(data);
    builder_.push<dnnl::eltwise_forward>(eltwise_forward(f, data), {{DNNL_ARG_SRC, {v}}, {DNNL_ARG_DST, {y}}});
    return {y, through_output<dnnl::eltwise_backward>(eltwise_backward(f, data), y)};
  }

  compiled forward(place const&, layer::softmax const&, std::size_t v) {
    memory_desc const data = builder_.desc(v);
    std::size_t const y = builder_.add(data);
    builder_.push<dnnl::softmax_forward>(softmax_forward(data), {{DNNL_ARG_SRC, {v}}, {DNNL_ARG_DST, {y}}});
    return {y, through_output<dnnl::softmax_backward>(softmax_backward(data), y)};
  }

  compiled forward(place const&, layer::dropout const&, std::size_t v) {
    derivative back;
    back.input = [](std::size_t diff) { return diff; };
    return {v, std::move(back)};
  }

  compiled forward(place const& at, layer::flatten const&, std::size_t v) {
    if (only_multiplied(at.node)) return forward(at, layer::dropout{}, v);
    return in_shape(at, v);
  }
  compiled forward(place const& at, layer::reshape const&, std::size_t v) { return in_shape(at, v); }
  /// The same values, row-major, as the node's output.
  compiled in_shape(place const& at, std::size_t v) {
    memory_desc const in = image_desc(graph_.in[at.node], tag::nchw), out = image_desc(graph_.out[at.node], tag::nchw);
    derivative back;
    back.input = [=, this, shape = graph_.out[at.node]](std::size_t diff) {
      return builder_.alias(builder_.in_layout(as_images(diff, shape), out), in);
    };
    return {builder_.alias(builder_.in_layout(as_images(v, graph_.in[at.node]), in), out), std::move(back)};
  }

  /// A layer whose derivative follows from its output y.
  template <class Primitive, class Descriptor>
  derivative through_output(Descriptor const& pd, std::size_t y) {
    derivative back;
    back.input = [=, this](std::size_t diff) {
      std::size_t const d = builder_.in_layout(diff, builder_.desc(y)), dx = builder_.add(builder_.desc(y));
      builder_.push<Primitive>(pd, {{DNNL_ARG_DST, {y}}, {DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_DIFF_SRC, {dx}}});
      return dx;
    };
    return back;
  }

  // ---- normalisation, and layers of several inputs -----------------------------------------------------------------

  compiled forward(place const& at, layer::lrn const& n, std::size_t v) {
    if (n.over == layer::region::within_channel) return by_definition(at, n, v);  // oneDNN has no derivative of it
    // Only with channels in blocks of 16 is oneDNN's fast, and forward with channels last; other layouts take up to 70 times as long.
    image_shape const in = graph_.in[at.node];
    v = as_images(v, in);
    bool const keep = keeps_gradients();
    number const type = type_of(builder_.desc(v));
    if (in[0] % 16 == 0 && (keep || builder_.desc(v) != image_desc(in, tag::nhwc, type)))
      v = builder_.in_layout(v, image_desc(in, tag::nChw16c, type));
    memory_desc const data = builder_.desc(v);
    auto const make = [=](bool kept) { return lrn_forward(kept, data, static_cast<dim>(n.size), n.alpha, n.beta, n.k); };
    auto const pd = make(keep);
    std::size_t const y = builder_.add(data);
    std::vector<std::pair<int, operand>> operands{{DNNL_ARG_SRC, {v}}, {DNNL_ARG_DST, {y}}};
    std::size_t const kept = keep && pd.workspace_desc().get_size() > 0 ? builder_.add(pd.workspace_desc()) : program::none;
    if (kept != program::none) operands.push_back({DNNL_ARG_WORKSPACE, {kept}});
    builder_.push<dnnl::lrn_forward>(pd, std::move(operands));
    derivative back;
    back.input = [=, this](std::size_t diff) {
      auto const backward = lrn_backward(data, static_cast<dim>(n.size), n.alpha, n.beta, n.k, make(true));
      std::size_t const d = builder_.in_layout(diff, data), dx = builder_.add(data);
      std::vector<std::pair<int, operand>> steps{{DNNL_ARG_SRC, {v}}, {DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_DIFF_SRC, {dx}}};
      if (kept != program::none) steps.push_back({DNNL_ARG_WORKSPACE, {kept}});
      builder_.push<dnnl::lrn_backward>(backward, std::move(steps));
      return dx;
    };
    return {y, std::move(back)};
  }

  /// Values of all inputs of a node, as images in one layout: that of the first, or channels last where its blocks do not fit them all.
  std::vector<std::size_t> alike(place const& at) {
    auto const& inputs = graph_.inputs[at.node];
    std::vector<std::size_t> values;
    for (std::size_t i = 0; i < inputs.size(); ++i) values.push_back(as_images(at.sources[i], graph_.shape_of(inputs[i])));
    number const type = type_of(builder_.desc(values.front()));
    tag layout = tag::nhwc;
    for (tag candidate : {tag::nChw16c, tag::nchw}) {
      bool all = builder_.desc(values.front()) == image_desc(graph_.in[at.node], candidate, type);
      for (std::size_t from : inputs) all = all && (candidate == tag::nchw || graph_.shape_of(from)[0] % 16 == 0);
      if (all) layout = candidate;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
      values[i] = builder_.in_layout(values[i], image_desc(graph_.shape_of(inputs[i]), layout, type));
    common_ = layout;
    return values;
  }

  template <class Primitive, class Make>
  std::size_t join(place const& at, Make const& make) {
    auto const values = alike(at);
    std::vector<memory_desc> from;
    std::vector<std::pair<int, operand>> operands;
    for (std::size_t i = 0; i < values.size(); ++i) {
      from.push_back(builder_.desc(values[i]));
      operands.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), {values[i]}});
    }
    memory_desc const to = image_desc(graph_.out[at.node], common_, type_of(from.front()));
    std::size_t const y = builder_.add(to);
    operands.push_back({DNNL_ARG_DST, {y}});
    builder_.push<Primitive>(make(to, from), std::move(operands));
    return y;
  }

  compiled forward(place const& at, layer::concat const&, std::size_t) {
    std::size_t const y = join<dnnl::concat>(at, [](auto const& to, auto const& from) { return concat(to, from); });
    derivative back;
    back.one_of_several = [this, y, k = at.node](std::size_t i, std::size_t diff) {
      // A part of the channels, where it lies: the steps that read it know its strides.
      std::size_t const whole = builder_.in_layout(diff, builder_.desc(y));
      std::size_t first = 0;
      for (std::size_t j = 0; j < i; ++j) first += graph_.shape_of(graph_.inputs[k][j])[0];
      image_shape const& s = graph_.shape_of(graph_.inputs[k][i]);
      return builder_.alias(
          whole, builder_.desc(y).submemory_desc({count_, static_cast<dim>(s[0]), static_cast<dim>(s[1]), static_cast<dim>(s[2])},
                                                 {0, static_cast<dim>(first), 0, 0}));
    };
    return {y, std::move(back)};
  }

  compiled forward(place const& at, layer::sum const&, std::size_t) {
    std::size_t const y = join<dnnl::sum>(at, [](auto const& to, auto const& from) { return sum(to, from); });
    derivative back;
    back.one_of_several = [](std::size_t, std::size_t diff) { return diff; };
    return {y, std::move(back)};
  }

  tag common_ = tag::nhwc;  // layout of the last alike()
};

}  // namespace pareidolia::detail::onednn
