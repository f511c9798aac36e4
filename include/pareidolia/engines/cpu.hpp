// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/dnnl_compiler.hpp>
#include <pareidolia/detail/dnnl_program.hpp>
#include <pareidolia/detail/preprocess.hpp>
#include <pareidolia/detail/thread_limit.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/models/parameters.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// The fast engine of the CPU: oneDNN (2.6 to 3.x), in float, or scores in bfloat16.
///
/// A network that costs little per image is cut into slices of a few images, each run by one thread in its own cache-sized memory: an
/// image's scores and gradients are the same bits for every batch of two images or more, every slice and every number of threads. A large
/// network, and a batch of one image, are run by all threads together; their last bits may change with the number of threads.
///
/// The first backward through a plan compiles it anew, to keep what backward needs, and repeats the last forward once.
///
/// bfloat16 has the range of float and 8 bits of precision: good for a search that looks at scores, and then to be checked in float. From
/// the last layer with weights on everything is float. Gradients would be off by a tenth and more, so they are always computed in float: a
/// plan that has been asked for one gives float scores, too, from then on.
struct cpu_engine {
  std::size_t slice = 16;  ///< images that one thread takes at a time, for small networks; at least 2 (one more where that leaves one over)
  bool winograd = true;    ///< F(4x4, 3x3) for 3x3 convolutions of large networks that it suits, where oneDNN has it
  bool bfloat16 = false;   ///< layers compute scores in bfloat16; needs a processor on which oneDNN does (AVX-512 or AMX)

  using scalar = float;
  static constexpr space memory = space::host;
  using parameters = host_parameters<float>;
  class plan;

  [[nodiscard]] parameters load(graph const& g, weights const& w) const {
    if (slice < 2) detail::fail("cpu_engine: slice is ", slice, "; it must be at least 2");
    if (bfloat16 && !detail::onednn::has_bfloat16())
      detail::fail("cpu_engine: bfloat16 is asked for, and oneDNN has none on this processor; leave it false");
    return {g, w};
  }
  [[nodiscard]] plan compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched = {}) const;
};

/// A network compiled for batches of up to n images.
///
/// Memory: for scores, the largest sum of activations alive at one time, once per thread (small networks) or for the whole batch (large
/// ones); with gradients, every activation that backward reads. Besides, a copy of the weights in the layouts that oneDNN wants, four times
/// as large where it is Winograd's; inner products with a million weights or more have none, but in bfloat16.
class cpu_engine::plan {
 public:
  /// `watched`: nodes whose activations can be read after each forward.
  plan(cpu_engine const& options, parameters const& p, std::size_t n, std::vector<std::size_t> watched)
      : options_(options),
        watched_(std::move(watched)),
        packed_(std::make_unique<detail::onednn::packed_parameters>(p.contents())),
        capacity_(n),
        input_(n * image_size() * sizeof(float)),
        small_(multiplications(packed_->graph()) < small_network) {}

  void forward(view<float const, 4> x, view<float, 2> y) {
    check(x, y);
    packed_->refresh();
    arrange(x.shape[0]);
    each_part([&](part const& p, frame& f) {
      float* const images = pixels() + p.first * image_size();
      parallel_for(p.count, [&](std::size_t i, std::size_t) {
        detail::preprocess<float>(packed_->graph().source.prepare, x.rows(p.first + i, 1), images + i * image_size());
      });
      f.set_image(images);
      f.execute(0, p.work->code.until.forward);
      std::copy_n(f.data(p.work->code.scores), p.count * y.shape[1], y.data + p.first * y.shape[1]);
    });
  }

  /// The activations of node k, a watched one, in the last forward: to (count, channels, height, width).
  void activation(std::size_t k, view<float, 4> to) const {
    std::size_t const i = detail::watched_index("cpu engine", packed_->graph(), watched_, k);
    if (count_ != to.shape[0]) detail::fail("cpu engine: activations of ", to.shape[0], " images after a forward of ", count_);
    for (part const& p : parts_) {
      auto const rows = to.rows(p.first, p.count);
      std::copy_n(p.memory->data(p.work->code.watched[i]), rows.size(), rows.data);
    }
  }

  void backward(view<float const, 2> dy, view<float, 4> dx) {
    ready({true, wanted_.weights}, dy.shape[0]);
    each_part([&](part const& p, frame& f) {
      auto const& code = p.work->code;
      std::copy_n(dy.data + p.first * dy.shape[1], p.count * dy.shape[1], f.data(code.seed));
      f.execute(code.until.forward, code.until.input);
      parallel_for(p.count, [&](std::size_t i, std::size_t) {
        float const* const images = f.data(code.input_gradient);
        detail::preprocess_backward<float>(packed_->graph().source.prepare, images + i * image_size(), dx.rows(p.first + i, 1));
      });
    });
  }

  void backward_weights(view<float const, 2> dy, std::span<float> dtheta) {
    ready({wanted_.input, true}, dy.shape[0]);
    each_part([&](part const& p, frame& f) {
      auto const& code = p.work->code;
      std::copy_n(dy.data + p.first * dy.shape[1], p.count * dy.shape[1], f.data(code.seed));
      f.execute(code.until.input, code.until.weights);
    });
    // Summed in the order of the parts, whoever computed them.
    std::fill(dtheta.begin(), dtheta.end(), 0.f);
    auto const& slots = packed_->graph().slots;
    parallel_for(parts_.front().work->code.gradients.size(), [&](std::size_t g, std::size_t) {
      for (part const& p : parts_) {
        auto const& [slot, value] = p.work->code.gradients[g];
        float const* const from = p.memory->data(value);
        float* const to = dtheta.data() + slots[slot].offset;
        for (std::size_t j = 0; j < slots[slot].size; ++j) to[j] += from[j];
      }
    });
  }

 private:
  using frame = detail::onednn::frame;

  static constexpr std::size_t small_network = 50'000'000;  // multiplications per image: about a millisecond of one core
  static constexpr std::size_t programs_kept = 8;

  /// A program and the memories it runs in: one per thread, or one per part when what forward left there is read later.
  struct compiled {
    detail::onednn::program code;
    std::vector<std::unique_ptr<frame>> frames;
    std::size_t last_use = 0;
  };
  /// Images [first, first + count) of the batch, and who runs them: the program expects as many threads as it was compiled for.
  struct part {
    std::size_t first, count, threads;
    compiled* work;
    frame* memory;  // null: that of the thread
  };
  struct key {
    std::size_t count, threads;
    friend auto operator<=>(key const&, key const&) = default;
  };

  [[nodiscard]] std::size_t image_size() const {
    image_shape const& s = packed_->graph().source.input;
    return s[0] * s[1] * s[2];
  }
  [[nodiscard]] float* pixels() const { return reinterpret_cast<float*>(input_.data()); }
  /// Is what a forward leaves in its frames read later?
  [[nodiscard]] bool keeps() const { return wanted_.input || wanted_.weights || !watched_.empty(); }

  void check(view<float const, 4> x, view<float, 2> y) const {
    image_shape const& s = packed_->graph().source.input;
    if (x.shape[0] == 0 || x.shape[0] > capacity_)
      detail::fail("cpu engine: ", x.shape[0], " images given to a plan for 1 to ", capacity_, "; call prepare() with the largest batch");
    if (image_shape const given{x.shape[1], x.shape[2], x.shape[3]}; given != s)
      detail::fail("cpu engine: images of shape ", detail::to_text(given), " given to a network for ", detail::to_text(s));
    if (y.shape[0] != x.shape[0]) detail::fail("cpu engine: ", x.shape[0], " images but ", y.shape[0], " rows of scores");
  }

  /// Cuts a batch of n images into parts and compiles what they need.
  void arrange(std::size_t n) {
    std::size_t const threads = thread_count();
    if (n == count_ && threads == threads_ && !parts_.empty()) return;
    count_ = n;
    threads_ = threads;
    bool const sliced = small_ && n >= 2;
    // Slices of at least two images: a single one takes another path through oneDNN.
    std::size_t const pieces = sliced ? std::min(n / 2, std::max((n + options_.slice - 1) / options_.slice, threads)) : 1;
    parts_.clear();
    ++now_;
    for (std::size_t i = 0; i < pieces; ++i) {
      std::size_t const first = i * n / pieces, size = (i + 1) * n / pieces - first;
      std::size_t const together = sliced ? 1 : threads;
      compiled& work = program_for({size, together});
      std::size_t const needed = keeps() ? i + 1 : pieces > 1 ? threads : 1;  // a part may fall to any thread
      while (work.frames.size() < needed) work.frames.push_back(std::make_unique<frame>(work.code, *packed_));
      parts_.push_back({first, size, together, &work, nullptr});
    }
    if (keeps())
      for (std::size_t i = 0; i < pieces; ++i) parts_[i].memory = parts_[i].work->frames[i].get();
    while (programs_.size() > programs_kept) {
      auto const oldest = std::min_element(programs_.begin(), programs_.end(),
                                           [](auto const& a, auto const& b) { return a.second.last_use < b.second.last_use; });
      if (oldest->second.last_use == now_) break;
      programs_.erase(oldest);
    }
  }

  [[nodiscard]] detail::onednn::program_request request_for(std::size_t count) const {
    bool const bfloat16 = options_.bfloat16 && !wanted_.input && !wanted_.weights;
    return {count, wanted_, options_.winograd && !small_ && !bfloat16, bfloat16, watched_};
  }

  compiled& program_for(key const& k) {
    auto const [found, created] = programs_.try_emplace(k);
    if (created) {
      detail::thread_limit const limit(k.threads);
      found->second.code = detail::onednn::graph_compiler(*packed_, request_for(k.count)).compile();
    }
    found->second.last_use = now_;
    return found->second;
  }

  template <class Body>
  void each_part(Body const& body) {
    parallel_for(parts_.size(), [&](std::size_t i, std::size_t lane) {
      part const& p = parts_[i];
      detail::thread_limit const limit(p.threads);
      body(p, p.memory ? *p.memory : *p.work->frames[lane]);
    });
  }

  /// Makes the plan compute these gradients, repeating the last forward if what it left behind is not enough.
  void ready(detail::onednn::wanted_gradients wanted, std::size_t n) {
    if (n == 0 || n != count_) detail::fail("cpu engine: backward of ", n, " images after a forward of ", count_);
    if (wanted == wanted_) return;
    wanted_ = wanted;
    parts_.clear();
    programs_.clear();
    arrange(n);
    each_part([&](part const& p, frame& f) {
      f.set_image(pixels() + p.first * image_size());
      f.execute(0, p.work->code.until.forward);
    });
  }

  cpu_engine options_;
  std::vector<std::size_t> watched_;
  std::unique_ptr<detail::onednn::packed_parameters> packed_;
  std::size_t capacity_, count_ = 0, threads_ = 0, now_ = 0;
  detail::aligned_block input_;  // of the whole batch, preprocessed
  bool small_;
  detail::onednn::wanted_gradients wanted_;
  std::map<key, compiled> programs_;
  std::vector<part> parts_;
};

inline cpu_engine::plan cpu_engine::compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched) const {
  return {*this, p, n, std::move(watched)};
}

}  // namespace pareidolia
