// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/dnnl_program.hpp>
#include <pareidolia/detail/first_layer.hpp>
#include <pareidolia/detail/reference_pooling.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia::detail::onednn {

/// Which gradients a program computes besides the scores.
struct wanted_gradients {
  bool input = false, weights = false;
  friend bool operator==(wanted_gradients const&, wanted_gradients const&) = default;
};

/// What each kind of layer becomes: forward steps, and what its backward steps will be.
class layer_compiler {
 public:
  layer_compiler(packed_parameters& parameters, std::size_t count, wanted_gradients wanted, bool winograd)
      : parameters_(parameters),
        graph_(parameters.graph()),
        count_(static_cast<dim>(count)),
        wanted_(wanted),
        winograd_(winograd),
        builder_(count) {}

 protected:
  /// The backward half of a layer; each function takes the value with the derivative of the output.
  struct derivative {
    std::function<std::size_t(std::size_t)> prepare;                      ///< through a fused ReLU; empty if none
    std::function<std::size_t(std::size_t)> input;                        ///< gives the derivative of the layer's input
    std::function<void(std::size_t)> weights;                             ///< notes the gradients of its parameters; empty if it has none
    std::function<std::size_t(std::size_t, std::size_t)> one_of_several;  ///< instead of `input`: the derivative of the i-th input
  };
  struct compiled {
    std::size_t out;
    derivative backward;
  };
  struct place {
    std::size_t node;
    bool then_relu;
    std::vector<std::size_t> const& sources;  ///< values of all inputs
  };
  [[nodiscard]] layer::operation const& node(std::size_t k) const { return graph_.source.nodes[k].what; }
  [[nodiscard]] bool is_relu(std::size_t k) const {
    auto const* a = std::get_if<layer::activation>(&node(k));
    return a && a->kind == layer::function::relu;
  }

  [[nodiscard]] memory_desc image_desc(image_shape const& s, tag layout) const {
    return describe({count_, static_cast<dim>(s[0]), static_cast<dim>(s[1]), static_cast<dim>(s[2])}, layout);
  }
  /// Row-major, of the rank that d has.
  [[nodiscard]] memory_desc plain_output(memory_desc const& d, image_shape const& s) const {
    return is_matrix(d) ? describe({count_, static_cast<dim>(s[0])}, tag::nc) : image_desc(s, tag::nchw);
  }
  [[nodiscard]] static bool is_matrix(memory_desc const& d) {
#if DNNL_VERSION_MAJOR >= 3
    return d.get_ndims() == 2;
#else
    return d.dims().size() == 2;
#endif
  }
  static dims two(layer::extent const& e) { return {static_cast<dim>(e[0]), static_cast<dim>(e[1])}; }

  /// v as images (count, channels, height, width).
  std::size_t as_images(std::size_t v, image_shape const& s) {
    return is_matrix(builder_.desc(v)) ? builder_.alias(v, image_desc(s, tag::nchw)) : v;
  }

  /// A derivative as rows of a matrix if the value it belongs to is one: a layer may have read that as images of one pixel.
  std::size_t in_rank_of(std::size_t v, std::size_t diff) {
    memory_desc const rows = builder_.desc(v);
    if (!is_matrix(rows) || is_matrix(builder_.desc(diff))) return diff;
    auto const outputs = static_cast<std::size_t>(static_cast<dim>(rows.get_size() / sizeof(float)) / count_);
    return builder_.alias(builder_.in_layout(diff, image_desc({outputs, 1, 1}, tag::nchw)), rows);
  }

  std::size_t relu_backward(std::size_t diff, std::size_t out) {
    std::size_t const d = builder_.in_layout(diff, builder_.desc(out)), dx = builder_.add(builder_.desc(out));
    builder_.push<dnnl::eltwise_backward>(eltwise_backward(dnnl::algorithm::eltwise_relu_use_dst_for_bwd, builder_.desc(out)),
                                          {{DNNL_ARG_DST, {out}}, {DNNL_ARG_DIFF_DST, {d}}, {DNNL_ARG_DIFF_SRC, {dx}}});
    return dx;
  }
  /// The ReLU behind a layer whose output is `out`, if it was fused into it.
  std::function<std::size_t(std::size_t)> fused(place const& at, std::size_t out) {
    if (!at.then_relu) return {};
    return [this, out](std::size_t diff) { return relu_backward(diff, out); };
  }

  // ---- convolution -----------------------------------------------------------------------------------------------------------------

  /// F(4x4, 3x3) pays from a few hundred output positions on; PERFORMANCE: 1.5 to 2.7 times direct. A rule and not a stopwatch, so that the
  /// same program computes the same bits every time.
  [[nodiscard]] bool suits_winograd(layer::convolution const& c, image_shape const& in, image_shape const& out) const {
    return winograd_ && c.kernel == layer::extent{3, 3} && c.stride == layer::extent{1, 1} && c.groups == 1 && in[0] >= 16 &&
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

    auto const attr = at.then_relu ? with_relu(attributes()) : attributes();
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

  void note_gradients(std::size_t slot, std::size_t dw, std::size_t db) {
    builder_.result().gradients.push_back({slot, dw});
    if (db != program::none) builder_.result().gradients.push_back({slot + 1, db});
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

  compiled forward(place const& at, layer::inner_product const& p, std::size_t v) {
    image_shape const in = graph_.in[at.node];
    auto const outputs = static_cast<dim>(p.outputs), inputs = static_cast<dim>(in[0] * in[1] * in[2]);
    memory_desc const rows = describe({count_, inputs}, tag::nc), out = describe({count_, outputs}, tag::nc);
    memory_desc const bias = p.bias ? describe({outputs}, tag::x) : memory_desc(), any = describe({outputs, inputs}, tag::any);
    auto const [x, layout] = flatten(v, in, rows);
    auto const filters = [&](tag t) {  // the weights as images, one for each output
      return describe({outputs, static_cast<dim>(in[0]), static_cast<dim>(in[1]), static_cast<dim>(in[2])}, t);
    };
    memory_desc const plain = filters(tag::nchw), turned = filters(layout), matrix = describe({outputs, inputs}, tag::oi);
    std::size_t const slot = graph_.first_slot[at.node];

    auto const pd = inner_product_forward(rows, any, bias, out, at.then_relu ? with_relu(attributes()) : attributes());
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
    if (p.kind == layer::pool::average && p.count_padding && padded && hangs_over) return plain_pooling(p, {in, out}, v);

    // Without padding, the part of a window inside the padded input is the part inside the input.
    auto const how = p.kind == layer::pool::maximum ? dnnl::algorithm::pooling_max
                     : p.count_padding && padded    ? dnnl::algorithm::pooling_avg_include_padding
                                                    : dnnl::algorithm::pooling_avg_exclude_padding;
    pooling_shape const shape{two(p.stride), two(p.kernel), two(p.padding), behind};
    memory_desc const source = builder_.desc(v);
    bool const keep_indices = p.kind == layer::pool::maximum && (wanted_.input || wanted_.weights);
    auto const pd = pooling_forward(keep_indices, how, source, image_desc(out, tag::any), shape);
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

  /// Caffe's mean over windows that hang over padding: oneDNN has no such divisor, so the definition serves, on plain layouts.
  compiled plain_pooling(layer::pooling const& p, reference::site const& site, std::size_t v) {
    auto const count = static_cast<std::size_t>(count_);
    std::size_t const x = builder_.in_layout(v, image_desc(site.in, tag::nchw)), y = builder_.add(image_desc(site.out, tag::nchw));
    builder_.push({{x}, {y}}, [=](pointers data) {
      parallel_for(count, [&](std::size_t i, std::size_t) {
        reference::forward<float>(p, site, nullptr, data[0] + i * site.in_size(), data[1] + i * site.out_size());
      });
    });
    derivative back;
    back.input = [=, this](std::size_t diff) {
      std::size_t const d = builder_.in_layout(as_images(diff, site.out), image_desc(site.out, tag::nchw)),
                        dx = builder_.add(image_desc(site.in, tag::nchw));
      builder_.push({{d}, {dx}}, [=](pointers data) {
        parallel_for(count, [&](std::size_t i, std::size_t) {
          float* const to = data[1] + i * site.in_size();
          std::fill_n(to, site.in_size(), 0.f);
          reference::backward<float>(p, site, nullptr, nullptr, nullptr, data[0] + i * site.out_size(), to);
        });
      });
      return dx;
    };
    return {y, std::move(back)};
  }

  // ---- elementwise and softmax -----------------------------------------------------------------------------------------------------

  compiled forward(place const&, layer::activation const& a, std::size_t v) {
    using enum dnnl::algorithm;
    auto const how = a.kind == layer::function::relu      ? eltwise_relu_use_dst_for_bwd
                     : a.kind == layer::function::sigmoid ? eltwise_logistic_use_dst_for_bwd
                                                          : eltwise_tanh_use_dst_for_bwd;
    memory_desc const data = builder_.desc(v);
    std::size_t const y = builder_.add(data);
    builder_.push<dnnl::eltwise_forward>(eltwise_forward(how, data), {{DNNL_ARG_SRC, {v}}, {DNNL_ARG_DST, {y}}});
    return {y, through_output<dnnl::eltwise_backward>(eltwise_backward(how, data), y)};
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

  // ---- normalisation across channels, and layers of several inputs -----------------------------------------------------------------

  compiled forward(place const& at, layer::lrn const& n, std::size_t v) {
    // Only with channels in blocks of 16 is oneDNN's fast; other layouts take up to 70 times as long.
    image_shape const in = graph_.in[at.node];
    v = as_images(v, in);
    if (in[0] % 16 == 0) v = builder_.in_layout(v, image_desc(in, tag::nChw16c));
    memory_desc const data = builder_.desc(v);
    bool const keep = wanted_.input || wanted_.weights;
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
    tag layout = tag::nhwc;
    for (tag candidate : {tag::nChw16c, tag::nchw}) {
      bool all = builder_.desc(values.front()) == image_desc(graph_.in[at.node], candidate);
      for (std::size_t from : inputs) all = all && (candidate == tag::nchw || graph_.shape_of(from)[0] % 16 == 0);
      if (all) layout = candidate;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
      values[i] = builder_.in_layout(values[i], image_desc(graph_.shape_of(inputs[i]), layout));
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
    memory_desc const to = image_desc(graph_.out[at.node], common_);
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

  packed_parameters& parameters_;
  planned_graph const& graph_;
  dim count_;
  wanted_gradients wanted_;
  bool winograd_;
  program_builder builder_;
  tag common_ = tag::nhwc;  // layout of the last alike()
};

}  // namespace pareidolia::detail::onednn
