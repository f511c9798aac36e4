// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/cuda_layer_base.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pareidolia::detail::cuda {

/// Runs a planned convolution; the arrays it was given last stay bound.
class convolution_step {
 public:
  /// `arrays`: which array of the plan each pointer is; `constants` follow them and do not change. A plan that wants a workspace gets the
  /// last pointer.
  convolution_step(std::shared_ptr<cudnn::convolution_plan const> plan, std::vector<std::int64_t> arrays, std::vector<void*> constants)
      : plan_(std::move(plan)), arrays_(std::move(arrays)), constants_(std::move(constants)), bound_(std::make_shared<binding>()) {}

  void operator()(pointers p) const {
    if (bound_->data.empty() || !std::equal(p.begin(), p.end(), bound_->data.begin(), bound_->data.end())) {
      bool const roomy = plan_->workspace() > 0;
      std::vector<void*> data(p.begin(), p.end() - (roomy ? 1 : 0));
      data.insert(data.end(), constants_.begin(), constants_.end());
      bound_->pack = plan_->bind(arrays_, data, roomy ? p.back() : nullptr);
      bound_->data.assign(p.begin(), p.end());
    }
    plan_->run(session_of_this_thread<cudnn::session>(), bound_->pack);
  }

 private:
  struct binding {
    std::vector<void*> data;
    cudnn::descriptor pack;
  };
  std::shared_ptr<cudnn::convolution_plan const> plan_;
  std::vector<std::int64_t> arrays_;
  std::vector<void*> constants_;
  std::shared_ptr<binding> bound_;  // a std::function wants to be copied
};

/// Layers with parameters.
class weighted_layers : public layer_base {
 public:
  using layer_base::layer_base;

 protected:
  // ---- convolution -----------------------------------------------------------------------------------------------------------------

  compiled_layer compile(layer_place const& at, layer::convolution const& c, std::size_t v) {
    using plan = cudnn::convolution_plan;
    image_shape const in = graph_.in[at.node], out = graph_.out[at.node];
    number const stored = request_.stored;
    std::size_t const first = slot(at.node), y = builder_.add(out, stored), taps = c.kernel[0] * c.kernel[1];
    void* const w = parameters_.channels_last(stored, first, in[0] / c.groups, taps);

    cudnn::convolution_problem problem{.count = request_.count,
                                       .in = in,
                                       .out = out,
                                       .kernel = c.kernel,
                                       .stride = c.stride,
                                       .padding = c.padding,
                                       .groups = c.groups,
                                       .tensor_cores = request_.tensor_cores,
                                       .stored = stored};
    cudnn::convolution_problem whole = problem;
    whole.biased = c.bias;
    if (c.bias) whole.slope = at.relu;
    bool const together = whole.biased && shared_plan(whole, request_.timed) != nullptr;
    if (together)
      push(whole, {plan::x, plan::y, plan::w, plan::bias}, {v, y}, {w, parameters_.array(stored, first + 1)});
    else
      push(problem, {plan::x, plan::y, plan::w}, {v, y}, {w});
    std::size_t result = as(types_[at.node], y);
    if (!together) result = finished(result, nullptr, c.bias ? parameters_.array(first + 1) : nullptr, at.relu);

    derivative back{fused(at, result), {}, {}, {}};
    back.input = [=, this](std::size_t diff) {
      cudnn::convolution_problem p = problem;
      p.way = cudnn::direction::backward_data;
      std::size_t const dx = builder_.add(in, stored);
      push(p, {plan::y, plan::x, plan::w}, {diff, dx}, {w});
      return dx;
    };
    back.weights = [=, this, biased = c.bias](std::size_t diff) {
      cudnn::convolution_problem p = problem;
      p.way = cudnn::direction::backward_filter;
      std::size_t const size = graph_.slots[first].size, dw = builder_.add_bytes(size * bytes(stored));
      push(p, {plan::y, plan::x, plan::w}, {diff, v, dw}, {});
      note_gradient(first, channels_first(stored, dw, size, in[0] / c.groups, taps));
      if (biased) channel_gradient(first + 1, diff);
    };
    return {result, std::move(back)};
  }

  void push(cudnn::convolution_problem const& p, std::vector<std::int64_t> arrays, std::vector<std::size_t> values,
            std::vector<void*> constants) {
    auto plan = shared_plan(p, request_.timed);
    if (plan == nullptr)
      fail("cuda engine: cuDNN ", cudnnGetVersion(), " has no way to convolve ", p.count, " images ", to_text(p.in), " to ", to_text(p.out),
           " on this device; try another batch size or precision");
    if (plan->workspace() > 0) values.push_back(builder_.add_bytes(plan->workspace()));
    builder_.push(std::move(values), convolution_step(std::move(plan), std::move(arrays), std::move(constants)));
  }

  /// f(w v + bias), each where there is one; v itself if there is none.
  std::size_t finished(std::size_t v, float const* w, float const* bias, std::optional<float> slope) {
    if (w == nullptr && bias == nullptr && !slope) return v;
    std::size_t const y = builder_.add_like(v), size = builder_.size(v);
    constexpr float identity = 1;
    builder_.push({v, y}, [=, &library = kernels_for<elementwise_kernels>(v), channels = kernel_count(builder_.shape(v)[0])](pointers p) {
      library.launch("scale_channels", size, p[0], w, bias, p[1], slope.value_or(identity), kernel_count(size), channels);
    });
    return y;
  }

  /// Weights (outputs, plane, channels) as the flat vector holds them: floats, (outputs, channels, plane).
  std::size_t channels_first(number type, std::size_t dw, std::size_t size, std::size_t channels, std::size_t plane) {
    if (type == number::float32 && (channels == 1 || plane == 1)) return dw;
    std::size_t const turned = builder_.add_bytes(size * sizeof(float));
    each(kernels<elementwise_kernels>(type), "to_float_nchw", std::array{dw, turned}, size, kernel_count(size), kernel_count(channels),
         kernel_count(plane));
    return turned;
  }

  // ---- scale -------------------------------------------------------------------------------------------------------------------------

  compiled_layer compile(layer_place const& at, layer::scale const& s, std::size_t v) {
    std::size_t const first = slot(at.node);
    float const* const w = parameters_.array(first);
    std::size_t const y = finished(v, w, s.bias ? parameters_.array(first + 1) : nullptr, at.relu);
    derivative back{fused(at, y), {}, {}, {}};
    back.input = [=, this](std::size_t diff) { return finished(diff, w, nullptr, std::nullopt); };
    back.weights = [=, this, biased = s.bias](std::size_t diff) {
      channel_gradient(first, diff, v);
      if (biased) channel_gradient(first + 1, diff);
    };
    return {y, std::move(back)};
  }

  // ---- inner product ---------------------------------------------------------------------------------------------------------------

  /// The images of v as rows, channels last; the weights follow that order.
  compiled_layer compile(layer_place const& at, layer::inner_product const& p, std::size_t v) {
    image_shape const in = builder_.shape(v);
    number const stored = request_.stored, given = types_[at.node];
    std::size_t const first = slot(at.node), rows = request_.count, inputs = in[0] * plane(in),
                      y = builder_.add(graph_.out[at.node], given);
    void const* const w = parameters_.channels_last(stored, first, in[0], plane(in));
    bool const plain_relu = at.relu == 0.f, tensor_cores = request_.tensor_cores;
    push({.rows = rows,
          .columns = p.outputs,
          .depth = inputs,
          .transpose_b = true,
          .factors = stored,
          .result = given,
          .bias = p.bias ? parameters_.array(given, first + 1) : nullptr,
          .relu = plain_relu,
          .tensor_cores = tensor_cores},
         {v, y}, [=](auto const& product, pointers d, void* room) { product.run(d[0], w, d[1], room); });
    std::size_t const result = plain_relu ? y : finished(y, nullptr, nullptr, at.relu);

    derivative back{fused(at, result), {}, {}, {}};
    back.input = [=, this, outputs = p.outputs](std::size_t diff) {
      std::size_t const dx = builder_.add(in, stored);
      push({.rows = rows, .columns = inputs, .depth = outputs, .factors = stored, .result = stored, .tensor_cores = tensor_cores},
           {diff, dx}, [=](auto const& product, pointers d, void* room) { product.run(d[0], w, d[1], room); });
      return dx;
    };
    back.weights = [=, this, outputs = p.outputs, biased = p.bias](std::size_t diff) {
      std::size_t const size = outputs * inputs, dw = builder_.add_bytes(size * sizeof(float));
      push({.rows = outputs, .columns = inputs, .depth = rows, .transpose_a = true, .factors = stored, .tensor_cores = tensor_cores},
           {diff, v, dw}, [](auto const& product, pointers d, void* room) { product.run(d[0], d[1], d[2], room); });
      note_gradient(first, channels_first(number::float32, dw, size, in[0], plane(in)));
      if (biased) channel_gradient(first + 1, diff);
    };
    return {result, std::move(back)};
  }

  /// Pushes a matrix product; start(plan, pointers, workspace) runs it.
  template <class Start>
  void push(cublaslt::product const& p, std::vector<std::size_t> values, Start start) {
    auto plan = std::make_shared<cublaslt::product_plan const>(session_of_this_thread<cublaslt::session>(), p);
    bool const roomy = plan->workspace() > 0;
    if (roomy) values.push_back(builder_.add_bytes(plan->workspace()));
    builder_.push(std::move(values), [=](pointers d) { start(*plan, d, roomy ? d.back() : nullptr); });
  }
};

}  // namespace pareidolia::detail::cuda
