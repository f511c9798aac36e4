// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/device/filters.hpp>
#include <pareidolia/core/device/rows.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_layers.hpp>
#include <pareidolia/detail/cuda_program.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>
#include <pareidolia/detail/preprocess.hpp>
#include <pareidolia/encodings/device/cppn.hpp>
#include <pareidolia/encodings/device/pixels.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/models/parameters.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/objectives/device/distortion.hpp>
#include <pareidolia/objectives/device/logit.hpp>
#include <pareidolia/objectives/device/margin.hpp>
#include <pareidolia/objectives/device/misclassification.hpp>
#include <pareidolia/objectives/device/opposite.hpp>
#include <pareidolia/objectives/device/total_variation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// What a device computes in. All sums are float.
enum class arithmetic : std::uint8_t {
  fp32,  ///< products of floats: the same scores as the CPU's up to rounding
  tf32,  ///< products on tensor cores, of factors rounded to 10 bits: several times faster; scores differ in the third or fourth digit
};

/// The engine of NVIDIA's GPUs, Ampere and newer: cuDNN 9, cuBLASLt, and kernels that NVRTC compiles for the device found.
///
/// Plans of convolutions are chosen by cuDNN's heuristics among those that add in the same order every time, where there are such. Chosen
/// plans and compiled kernels are kept in pareidolia/ in XDG_CACHE_HOME, else ~/.cache, for the next program.
/// Everything that a thread asks for is done in order on its own stream; calls return before the device has finished. Memory of a plan: its
/// parameters' and one arena, in which arrays that are not alive together share places; no call allocates once a batch size has been seen.
/// From its second run on, the work of a batch size is a CUDA graph, started as a whole.
///
/// Errors: no device or driver, a device before Ampere, a cuDNN before 9.8, too little device memory (what was asked for, what is free, how
/// many images would fit).
struct cuda_engine {
  arithmetic compute = arithmetic::fp32;
  bool timed = false;  ///< convolutions are chosen by the clock when a plan is first made, not by cuDNN's heuristics; machines may differ

  using scalar = float;
  static constexpr space memory = space::device;
  using parameters = detail::cuda::device_parameters;
  class plan;

  [[nodiscard]] parameters load(graph const& g, weights const& w) const { return {g, w}; }
  [[nodiscard]] plan compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched = {}) const;
};

/// A network compiled for batches of up to n images. All views are of device memory.
///
/// The first backward through a plan compiles it anew, to keep what backward needs, and repeats the last forward once.
class cuda_engine::plan {
 public:
  /// `watched`: nodes whose activations can be read after each forward.
  plan(cuda_engine const& options, parameters const& p, std::size_t n, std::vector<std::size_t> watched)
      : parameters_(p.contents()), capacity_(n) {
    request_.tensor_cores = options.compute == arithmetic::tf32;
    request_.timed = options.timed;
    request_.watched = std::move(watched);
    std::size_t const image = size_of(graph().input) * sizeof(float);
    input_ = detail::cuda::buffer(n * image, "a batch of images", [&](std::size_t free) {
      try {
        return advice(free, image + program_for(1).arena.size);
      } catch (error const&) {
        return std::string("prepare the network for a smaller batch");
      }
    });
    mean_ = on_device(graph().prepare.mean);
    std::vector<float> inverse;
    for (std::size_t c = 0; c < graph().prepare.deviation.size(); ++c) inverse.push_back(detail::precision<float>(graph().prepare, c));
    inverse_deviation_ = on_device(inverse);
  }

  void forward(view<float const, 4, space::device> x, view<float, 2, space::device> y) {
    check(x, y);
    arrange(x.shape[0]);
    auto const& prepare = graph().prepare;
    kernels().launch("preprocess", x.size(), x.data, input_.as<float>(), prepare.scale, mean_.as<float const>(),
                     detail::cuda::kernel_count(prepare.mean.size()), inverse_deviation_.as<float const>(), reversed(),
                     detail::cuda::kernel_count(x.size()), detail::cuda::kernel_count(x.shape[1]),
                     detail::cuda::kernel_count(x.shape[2] * x.shape[3]));
    current_->run(0, code().forward);
    turn("to_nchw", current_->data(code().scores), y.data, planned().out.back());
  }

  /// The activations of node k, a watched one, in the last forward: to (count, channels, height, width).
  void activation(std::size_t k, view<float, 4, space::device> to) const {
    std::size_t const i = detail::watched_index("cuda engine", planned(), request_.watched, k);
    if (count() != to.shape[0]) detail::fail("cuda engine: activations of ", to.shape[0], " images after a forward of ", count());
    turn("to_nchw", current_->data(code().watched[i]), to.data, planned().out[k]);
  }

  void backward(view<float const, 2, space::device> dy, view<float, 4, space::device> dx) {
    ready(true, request_.weights, dy.shape[0]);
    turn("to_nhwc", dy.data, current_->data(code().seed), planned().out.back());
    current_->run(code().forward, code().input);
    kernels().launch("preprocess_backward", dx.size(), static_cast<float const*>(current_->data(code().input_gradient)), dx.data,
                     graph().prepare.scale, inverse_deviation_.as<float const>(), reversed(), detail::cuda::kernel_count(dx.size()),
                     detail::cuda::kernel_count(dx.shape[1]), detail::cuda::kernel_count(dx.shape[2] * dx.shape[3]));
  }

  /// dtheta, in host memory, is what a write() of the parameters takes.
  void backward_weights(view<float const, 2, space::device> dy, std::span<float> dtheta) {
    if (dtheta.size() != planned().parameters)
      detail::fail("cuda engine: room for ", dtheta.size(), " gradients; the network has ", planned().parameters, " parameters");
    ready(request_.input, true, dy.shape[0]);
    turn("to_nhwc", dy.data, current_->data(code().seed), planned().out.back());
    current_->run(code().input, code().weights);
    std::fill(dtheta.begin(), dtheta.end(), 0.f);
    for (auto const& [slot, value] : code().gradients) {
      auto const& place = planned().slots[slot];
      detail::cuda::download(static_cast<float const*>(current_->data(value)), dtheta.subspan(place.offset, place.size));
    }
  }

 private:
  static constexpr std::size_t programs_kept = 8;

  struct compiled {
    std::unique_ptr<detail::cuda::bound_program> program;
    std::size_t last_use = 0;
  };

  static std::size_t size_of(image_shape const& s) { return s[0] * s[1] * s[2]; }
  static detail::cuda::buffer on_device(std::vector<float> const& values) {
    detail::cuda::buffer result(values.size() * sizeof(float), "the mean of a network's images");
    if (!values.empty()) detail::cuda::upload(std::span<float const>(values), result.as<float>());
    detail::cuda::synchronize();
    return result;
  }
  static detail::cuda::kernel_library const& kernels() { return detail::cuda::kernels<detail::cuda::elementwise_kernels>(); }

  [[nodiscard]] planned_graph const& planned() const { return parameters_->plan(); }
  [[nodiscard]] pareidolia::graph const& graph() const { return planned().source; }
  [[nodiscard]] detail::cuda::program const& code() const { return current_->code(); }
  [[nodiscard]] std::size_t count() const { return current_ == nullptr ? 0 : code().count; }
  [[nodiscard]] int reversed() const { return graph().prepare.order == channel_order::bgr ? 1 : 0; }

  void check(view<float const, 4, space::device> x, view<float, 2, space::device> y) const {
    image_shape const& s = graph().input;
    if (x.shape[0] == 0 || x.shape[0] > capacity_)
      detail::fail("cuda engine: ", x.shape[0], " images given to a plan for 1 to ", capacity_, "; call prepare() with the largest batch");
    if (image_shape const given{x.shape[1], x.shape[2], x.shape[3]}; given != s)
      detail::fail("cuda engine: images of shape ", detail::to_text(given), " given to a network for ", detail::to_text(s));
    if (y.shape[0] != x.shape[0]) detail::fail("cuda engine: ", x.shape[0], " images but ", y.shape[0], " rows of scores");
  }

  /// Copies the arrays of count() images of a shape, between channels last in a program and channels first at the edges.
  void turn(char const* kernel, float const* from, float* to, image_shape const& s) const {
    std::size_t const size = count() * size_of(s);
    if (s[0] == 1 || s[1] * s[2] == 1)
      detail::cuda::copy(from, to, size);
    else
      kernels().launch(kernel, size, from, to, detail::cuda::kernel_count(size), detail::cuda::kernel_count(s[0]),
                       detail::cuda::kernel_count(s[1] * s[2]));
  }

  [[nodiscard]] detail::cuda::program program_for(std::size_t n) const {
    auto request = request_;
    request.count = n;
    return detail::cuda::graph_compiler(*parameters_, std::move(request)).compile_graph();
  }

  /// What to do where this many bytes are free and an image takes `each`; with a margin, since workspaces need not shrink as batches do.
  [[nodiscard]] static std::string advice(std::size_t free, std::size_t each) {
    if (free < each) return "not even one image fits; free memory, or use cpu_engine";
    return detail::text("prepare the network for a smaller batch: ", std::max<std::size_t>(free / each * 15 / 16, 1), " images fit");
  }

  /// Makes a program for n images the current one.
  void arrange(std::size_t n) {
    current_ = nullptr;  // until it has memory
    compiled& work = programs_[n];
    work.last_use = ++now_;
    if (work.program == nullptr) {
      work.program = std::make_unique<detail::cuda::bound_program>(program_for(n));
      if (programs_.size() > programs_kept)
        programs_.erase(std::min_element(programs_.begin(), programs_.end(),
                                         [](auto const& a, auto const& b) { return a.second.last_use < b.second.last_use; }));
    }
    if (std::size_t const needed = work.program->code().arena.size; needed > arena_.size()) {
      detail::cuda::synchronize();  // what still runs in the old one
      arena_ = {};
      arena_ = detail::cuda::buffer(needed, "a batch's activations", [&](std::size_t free) {
        return advice(free + input_.size(), needed / n + input_.size() / capacity_);  // a smaller batch has fewer images, too
      });
    }
    current_ = work.program.get();
    current_->bind(arena_.data(), input_.as<float>());
  }

  /// Makes the plan compute these gradients, repeating the last forward if what it left behind is not enough.
  void ready(bool input, bool weights, std::size_t n) {
    if (n == 0 || n != count()) detail::fail("cuda engine: backward of ", n, " images after a forward of ", count());
    if (input == request_.input && weights == request_.weights) return;
    request_.input = input;
    request_.weights = weights;
    current_ = nullptr;
    programs_.clear();
    arrange(n);
    current_->run(0, code().forward);
  }

  std::shared_ptr<parameters::content> parameters_;
  detail::cuda::program_request request_;
  std::size_t capacity_, now_ = 0;
  detail::cuda::buffer mean_, inverse_deviation_;
  detail::cuda::buffer input_, arena_;  // the batch, preprocessed; everything else of the current program
  std::map<std::size_t, compiled> programs_;
  detail::cuda::bound_program* current_ = nullptr;
};

inline cuda_engine::plan cuda_engine::compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched) const {
  return {*this, p, n, std::move(watched)};
}

}  // namespace pareidolia
