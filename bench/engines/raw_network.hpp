// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/dnnl.hpp>
#include <pareidolia/detail/preprocess.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia_bench {

using namespace pareidolia;
namespace onednn = detail::onednn;

/// A graph as a program without this library would run it on oneDNN: the whole batch through one primitive after another, in the layouts
/// that oneDNN likes best, ReLU as a post-op, every weight reordered once, primitives and memory kept. What the engine is measured
/// against: direct convolutions, each layer by itself, no memory shared.
class raw_network {
 public:
  raw_network(graph const& g, weights const& w, std::size_t batch, bool gradient)
      : graph_(plan(g)), weights_(w), batch_(batch), n_(static_cast<dim>(batch)), gradient_(gradient), readers_(graph_.readers()) {
    image_ = memory(images(g.input, tag::nchw));
    std::size_t const nodes = graph_.out.size();
    values_.resize(nodes);
    diffs_.resize(nodes + 1);  // the image's is last
    for (std::size_t k = 0; k < nodes; ++k) {
      if (readers_[k] == 0 || values_[k]) continue;  // nobody reads it, or it was fused into the one before
      std::visit([&](auto const& what) { add(k, what); }, node(k));
    }
    image_shape const& last = graph_.out.back();
    auto const plain = images(last, tag::nchw);
    scores_ = in(as_images(values_.back(), last), plain);
    forward_ = calls_.size();
    if (!gradient) return;
    seed_ = memory(plain);
    diffs_[nodes - 1].push_back(seed_);
    while (!backward_.empty()) {
      backward_.back()();
      backward_.pop_back();
    }
    image_gradient_ = in(total(diffs_[nodes]), images(g.input, tag::nchw));
  }

  raw_network(raw_network const&) = delete;
  raw_network& operator=(raw_network const&) = delete;

  /// x (batch, channels, height, width), y (batch, classes).
  void forward(float const* x, float* y) {
    detail::preprocess<float>(graph_.source.prepare, {x, shape()}, floats(image_));
    run(0, forward_);
    std::copy_n(floats(scores_), batch_ * classes(), y);
  }
  void backward(float const* dy, float* dx) {
    std::copy_n(dy, batch_ * classes(), floats(seed_));
    run(forward_, calls_.size());
    detail::preprocess_backward<float>(graph_.source.prepare, floats(image_gradient_), {dx, shape()});
  }

 private:
  using dim = onednn::dim;
  using dims = onednn::dims;
  using tag = onednn::tag;
  using arguments = std::unordered_map<int, dnnl::memory>;

  [[nodiscard]] std::array<std::size_t, 4> shape() const {
    auto const& s = graph_.source.input;
    return {batch_, s[0], s[1], s[2]};
  }
  [[nodiscard]] std::size_t classes() const { return graph_.out.back()[0] * graph_.out.back()[1] * graph_.out.back()[2]; }
  [[nodiscard]] layer::operation const& node(std::size_t k) const { return graph_.source.nodes[k].what; }
  [[nodiscard]] dims extents(image_shape const& s) const {
    return {n_, static_cast<dim>(s[0]), static_cast<dim>(s[1]), static_cast<dim>(s[2])};
  }
  [[nodiscard]] onednn::memory_desc images(image_shape const& s, tag t) const { return onednn::describe(extents(s), t); }
  static dims two(layer::extent const& e) { return {static_cast<dim>(e[0]), static_cast<dim>(e[1])}; }
  static float* floats(dnnl::memory const& m) { return static_cast<float*>(m.get_data_handle()); }
  static dnnl::memory memory(onednn::memory_desc const& d) { return {d, onednn::cpu()}; }

  template <class Primitive, class Descriptor>
  void call(Descriptor const& d, arguments a) {
    a.emplace(DNNL_ARG_SCRATCHPAD, memory(d.scratchpad_desc()));
    calls_.emplace_back(Primitive(d), std::move(a));
  }
  void run(std::size_t first, std::size_t last) {
    for (std::size_t k = first; k < last; ++k) calls_[k].first.execute(stream_, calls_[k].second);
    stream_.wait();
  }
  dnnl::memory in(dnnl::memory const& m, onednn::memory_desc const& wanted) {
    if (m.get_desc() == wanted) return m;
    auto const to = memory(wanted);
    call<dnnl::reorder>(onednn::reorder(m.get_desc(), wanted), {{DNNL_ARG_FROM, m}, {DNNL_ARG_TO, to}});
    return to;
  }
  dnnl::memory as_images(dnnl::memory const& m, image_shape const& s) const {
    bool const rows = m.get_desc() == onednn::describe({n_, static_cast<dim>(s[0])}, tag::nc);
    return rows ? dnnl::memory(images(s, tag::nchw), onednn::cpu(), m.get_data_handle()) : m;
  }

  dnnl::memory packed(std::size_t k, char const* array, dims const& shape, onednn::memory_desc const& wanted) {
    auto const& values = weights_.parameters.at(graph_.source.nodes[k].name + "." + array).values;
    tag const plain = shape.size() == 5 ? tag::goihw : shape.size() == 4 ? tag::oihw : shape.size() == 2 ? tag::oi : tag::x;
    dnnl::memory from(onednn::describe(shape, plain), onednn::cpu(), const_cast<float*>(values.data()));
    auto to = memory(wanted);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  [[nodiscard]] dnnl::memory const& source(std::size_t k, std::size_t i = 0) const {
    std::size_t const from = graph_.inputs[k][i];
    return from == planned_graph::image ? image_ : values_[from];
  }
  /// The ReLU that alone reads layer k, or k itself.
  [[nodiscard]] std::size_t then_relu(std::size_t k) const {
    if (readers_[k] == 1 && k + 1 < graph_.out.size() && graph_.inputs[k + 1].front() == k)
      if (auto const* a = std::get_if<layer::activation>(&node(k + 1)); a && *a == layer::activation{}) return k + 1;
    return k;
  }
  /// Layer k, with the ReLU fused into it, gives y; `step` turns the derivative of y into that of the layer's input.
  void gives(std::size_t k, std::size_t relu, dnnl::memory const& y, std::function<dnnl::memory(dnnl::memory const&)> step) {
    values_[k] = values_[relu] = y;
    if (!gradient_) return;
    backward_.push_back([=, this, step = std::move(step)] {
      auto diff = total(diffs_[relu]);
      if (relu != k) diff = relu_backward(y, diff);
      arrive(k, 0, step(diff));
    });
  }
  void arrive(std::size_t k, std::size_t i, dnnl::memory const& diff) {
    std::size_t const from = graph_.inputs[k][i];
    diffs_[from == planned_graph::image ? graph_.out.size() : from].push_back(diff);
  }
  dnnl::memory total(std::vector<dnnl::memory> const& parts) {
    if (parts.size() == 1) return parts.front();
    std::vector<onednn::memory_desc> from;
    arguments a;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      from.push_back(parts[i].get_desc());
      a.emplace(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), parts[i]);
    }
    auto const whole = memory(from.front());
    a.emplace(DNNL_ARG_DST, whole);
    call<dnnl::sum>(onednn::sum(whole.get_desc(), from), std::move(a));
    return whole;
  }
  dnnl::memory relu_backward(dnnl::memory const& y, dnnl::memory const& diff) {
    auto const pd = onednn::eltwise_backward({dnnl::algorithm::eltwise_relu_use_dst_for_bwd}, y.get_desc());
    auto const dy = in(diff, y.get_desc());
    call<dnnl::eltwise_backward>(pd, {{DNNL_ARG_DST, y}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_SRC, dy}});
    return dy;
  }

  void add(std::size_t k, layer::convolution const& c) {
    image_shape const x = graph_.in[k], y = graph_.out[k];
    auto const n = [](std::size_t v) { return static_cast<dim>(v); };
    dims const kernel = c.groups == 1 ? dims{n(c.outputs), n(x[0]), n(c.kernel[0]), n(c.kernel[1])}
                                      : dims{n(c.groups), n(c.outputs / c.groups), n(x[0] / c.groups), n(c.kernel[0]), n(c.kernel[1])};
    auto const behind = [&](std::size_t d) {
      return std::max<dim>(0, n((y[1 + d] - 1) * c.stride[d] + c.kernel[d]) - n(x[1 + d] + c.padding[d]));
    };
    bool const first = graph_.inputs[k].front() == planned_graph::image;
    std::size_t const relu = then_relu(k);
    auto const bias = c.bias ? onednn::describe({n(c.outputs)}, tag::x) : onednn::memory_desc();
    onednn::convolution_shape const s{first ? image_.get_desc() : images(x, tag::any),
                                      onednn::describe(kernel, tag::any),
                                      bias,
                                      images(y, tag::any),
                                      two(c.stride),
                                      two(c.padding),
                                      {behind(0), behind(1)}};
    auto const how = dnnl::algorithm::convolution_direct;
    auto const pd = onednn::convolution_forward(how, s, relu != k ? onednn::with_relu(onednn::attributes()) : onednn::attributes());
    auto const to = memory(pd.dst_desc());
    arguments a{{DNNL_ARG_SRC, in(as_images(source(k), x), pd.src_desc())},
                {DNNL_ARG_WEIGHTS, packed(k, "weight", kernel, pd.weights_desc())},
                {DNNL_ARG_DST, to}};
    if (c.bias) a.emplace(DNNL_ARG_BIAS, packed(k, "bias", {n(c.outputs)}, bias));
    call<dnnl::convolution_forward>(pd, std::move(a));
    gives(k, relu, to, [=, this](dnnl::memory const& diff) {
      auto free = s;
      free.source = images(x, tag::any);
      auto const hint = onednn::convolution_forward(how, free, onednn::attributes());
      auto const back = onednn::convolution_backward_data(how, free, hint);
      auto const dx = memory(back.diff_src_desc());
      call<dnnl::convolution_backward_data>(back, {{DNNL_ARG_DIFF_DST, in(as_images(diff, y), back.diff_dst_desc())},
                                                   {DNNL_ARG_WEIGHTS, packed(k, "weight", kernel, back.weights_desc())},
                                                   {DNNL_ARG_DIFF_SRC, dx}});
      return dx;
    });
  }

  void add(std::size_t k, layer::inner_product const& p) {
    image_shape const x = graph_.in[k];
    bool const rows = source(k).get_desc() == onednn::describe({n_, static_cast<dim>(x[0])}, tag::nc);
    auto const outputs = static_cast<dim>(p.outputs);
    dims shape = rows ? dims{n_, static_cast<dim>(x[0])} : extents(x);
    auto const from = onednn::describe(shape, tag::any);
    shape.front() = outputs;
    auto const to = onednn::describe({n_, outputs}, tag::nc), filters = onednn::describe(shape, tag::any);
    auto const bias = p.bias ? onednn::describe({outputs}, tag::x) : onednn::memory_desc();
    std::size_t const relu = then_relu(k);
    auto const pd =
        onednn::inner_product_forward(from, filters, bias, to, relu != k ? onednn::with_relu(onednn::attributes()) : onednn::attributes());
    auto const y = memory(to);
    arguments a{
        {DNNL_ARG_SRC, in(source(k), pd.src_desc())}, {DNNL_ARG_WEIGHTS, packed(k, "weight", shape, pd.weights_desc())}, {DNNL_ARG_DST, y}};
    if (p.bias) a.emplace(DNNL_ARG_BIAS, packed(k, "bias", {outputs}, bias));
    call<dnnl::inner_product_forward>(pd, std::move(a));
    gives(k, relu, y, [=, this](dnnl::memory const& diff) {
      auto const hint = onednn::inner_product_forward(from, filters, bias, to, onednn::attributes());
      auto const back = onednn::inner_product_backward_data(from, filters, to, hint);
      auto const dx = memory(back.diff_src_desc());
      dnnl::memory const dy(to, onednn::cpu(), diff.get_data_handle());
      call<dnnl::inner_product_backward_data>(
          back, {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, packed(k, "weight", shape, back.weights_desc())}, {DNNL_ARG_DIFF_SRC, dx}});
      return dx;
    });
  }

  void add(std::size_t k, layer::pooling const& given) {
    auto const p = detail::resolved(given, graph_.in[k]);
    image_shape const from = graph_.in[k], to = graph_.out[k];
    dims behind(2);
    for (std::size_t d : {0u, 1u})
      behind[d] =
          std::max<dim>(0, static_cast<dim>((to[1 + d] - 1) * p.stride[d] + p.kernel[d]) - static_cast<dim>(from[1 + d] + p.padding[d]));
    onednn::pooling_shape const s{two(p.stride), two(p.kernel), two(p.padding), behind};
    bool const maximum = p.kind == layer::pool::maximum, keep = gradient_ && maximum;
    auto const how = maximum ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding;
    if (!maximum && p.count_padding && p.padding != layer::extent{0, 0})
      detail::fail("raw_network: layer '", graph_.source.nodes[k].name, "' is a mean that counts padding");
    auto const x = source(k);
    auto const pd = onednn::pooling_forward(keep, how, x.get_desc(), images(to, tag::any), s);
    auto const y = memory(pd.dst_desc());
    arguments a{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}};
    dnnl::memory indices;
    if (keep) a.emplace(DNNL_ARG_WORKSPACE, indices = memory(pd.workspace_desc()));
    call<dnnl::pooling_forward>(pd, std::move(a));
    gives(k, k, y, [=, this](dnnl::memory const& diff) {
      auto const hint = onednn::pooling_forward(true, how, x.get_desc(), y.get_desc(), s);
      auto const back = onednn::pooling_backward(how, x.get_desc(), y.get_desc(), s, hint);
      auto const dx = memory(x.get_desc());
      arguments b{{DNNL_ARG_DIFF_DST, in(as_images(diff, to), y.get_desc())}, {DNNL_ARG_DIFF_SRC, dx}};
      if (keep) b.emplace(DNNL_ARG_WORKSPACE, indices);
      call<dnnl::pooling_backward>(back, std::move(b));
      return dx;
    });
  }

  void add(std::size_t k, layer::activation const& a) {
    if (a != layer::activation{}) detail::fail("raw_network: of the activations only ReLU");
    auto const how = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
    auto const x = source(k), y = memory(x.get_desc());
    call<dnnl::eltwise_forward>(onednn::eltwise_forward({how}, x.get_desc()), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    gives(k, k, y, [=, this](dnnl::memory const& diff) { return relu_backward(y, diff); });
  }

  void add(std::size_t k, layer::dropout const&) {
    gives(k, k, source(k), [](dnnl::memory const& diff) { return diff; });
  }

  void add(std::size_t k, layer::lrn const& l) {
    auto const x = source(k), y = memory(x.get_desc());
    auto const make = [=, d = x.get_desc()](bool keep) {
      return onednn::lrn_forward(keep, d, static_cast<dim>(l.size), l.alpha, l.beta, l.k);
    };
    auto const pd = make(gradient_);
    arguments a{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}};
    dnnl::memory kept;
    if (gradient_) a.emplace(DNNL_ARG_WORKSPACE, kept = memory(pd.workspace_desc()));
    call<dnnl::lrn_forward>(pd, std::move(a));
    gives(k, k, y, [=, this](dnnl::memory const& diff) {
      auto const back = onednn::lrn_backward(x.get_desc(), static_cast<dim>(l.size), l.alpha, l.beta, l.k, make(true));
      auto const dx = memory(x.get_desc());
      call<dnnl::lrn_backward>(
          back, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, in(diff, x.get_desc())}, {DNNL_ARG_WORKSPACE, kept}, {DNNL_ARG_DIFF_SRC, dx}});
      return dx;
    });
  }

  /// Inputs in the layout of the first.
  template <class Primitive, class Make>
  dnnl::memory join(std::size_t k, Make const& make) {
    std::vector<onednn::memory_desc> from;
    arguments a;
    for (std::size_t i = 0; i < graph_.inputs[k].size(); ++i) {
      from.push_back(source(k, i).get_desc());
      a.emplace(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), source(k, i));
    }
    auto const pd = make(images(graph_.out[k], tag::any), from);
    auto const y = memory(pd.dst_desc());
    a.emplace(DNNL_ARG_DST, y);
    call<Primitive>(pd, std::move(a));
    return values_[k] = y;
  }

  void add(std::size_t k, layer::concat const&) {
    auto const y = join<dnnl::concat>(k, [](auto const& to, auto const& from) { return onednn::concat(to, from); });
    if (!gradient_) return;
    backward_.push_back([=, this] {
      auto const diff = in(total(diffs_[k]), y.get_desc());
      dim first = 0;
      for (std::size_t i = 0; i < graph_.inputs[k].size(); ++i) {
        dims const part = extents(graph_.shape_of(graph_.inputs[k][i]));
        arrive(k, i, {y.get_desc().submemory_desc(part, {0, first, 0, 0}), onednn::cpu(), diff.get_data_handle()});
        first += part[1];
      }
    });
  }

  void add(std::size_t k, layer::sum const&) {
    join<dnnl::sum>(k, [](auto const& to, auto const& from) { return onednn::sum(to, from); });
    if (!gradient_) return;
    backward_.push_back([=, this] {
      auto const diff = total(diffs_[k]);
      for (std::size_t i = 0; i < graph_.inputs[k].size(); ++i) arrive(k, i, diff);
    });
  }

  template <class Layer>
  void add(std::size_t k, Layer const&) {
    detail::fail("raw_network: it has no layer of the kind of '", graph_.source.nodes[k].name, "'");
  }

  planned_graph graph_;
  weights const& weights_;
  std::size_t batch_;
  dim n_;
  bool gradient_;
  dnnl::stream stream_{onednn::cpu()};
  std::vector<std::pair<dnnl::primitive, arguments>> calls_;
  std::size_t forward_ = 0;
  dnnl::memory image_, scores_, seed_, image_gradient_;
  std::vector<std::size_t> readers_;
  std::vector<dnnl::memory> values_;              // of each node
  std::vector<std::vector<dnnl::memory>> diffs_;  // of each node's value, one from each reader
  std::vector<std::function<void()>> backward_;
};

}  // namespace pareidolia_bench
