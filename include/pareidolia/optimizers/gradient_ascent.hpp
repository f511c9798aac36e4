// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/filters.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/lanes.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace pareidolia {

/// Gradient ascent on the probability v of a class, from noise to images that mean nothing (Nguyen, Yosinski and Clune, CVPR 2015, figure
/// 13), as the authors' programs do it. Each step asks for a certain increase of v:
///
///   g = grad v(X);  r = min(rate, min(early, late (1 - v)) / ||g||^2);  X <- (1 - decay) (X + r g)
///
/// then blurs X, zeros its pixels of small norm, and those of small contribution |sum_c g_c X_c|, and brings X back to where canvas + X is
/// an image.
///
/// X is the genotype. With perturbation{l2{}}, whose ball is infinite, and the mean image of the network as canvas it is the authors' X,
/// which decays towards that image, in units of pixel values: theirs is 255 times as large, so a gradient with respect to theirs is 255
/// times as small, and `rate` is their lr_max / 255^2; early, late, decay and percentiles have no units. The objective is
/// class_probability, or another whose values are 1 at most.
///
/// A step raises the log-odds of v by about late, and decay lowers them by its share of what the image has gained: v stays where both are
/// equal. The published `decayed`, where late / decay is 2, stays at about .2 on GoogLeNet; `lightly_decayed`, with 100, reaches .9999.
///
/// An image is done at the wanted confidence, after `steps` looks at it, or where the gradient is 0. Its answer is the genotype of largest
/// value. So outcome::forwards_spent is the step that first reached the confidence.
///
///     auto const canvas = repeated(mean_image(zoo::googlenet()), {291, 366});
///     auto const found = run(attack{perturbation{l2{}}, class_probability{}, gradient_ascent::decayed()}, net, canvas, rng{1});
///
/// Cost for an image: at most `steps` forwards and backwards. Memory: 3 genotypes. Errors: settings out of range; a regulariser of pixels
/// with genotypes that are none; values above 1.
struct gradient_ascent {
  /// What an image begins as: canvas + noise, N(0, 1) / 255 for each value; a uniformly random image; the canvas.
  enum class origin { noise, uniform, canvas };

  std::size_t steps = 500;          ///< looks at an image, at most
  float confidence = .9999f;        ///< to stop at; above 1: all the steps
  float early = .02f, late = .1f;   ///< wanted increase of v at most, and as a share of what is missing
  float rate = 1e7f / (255 * 255);  ///< largest factor of the gradient
  float decay = 0;                  ///< of X in a step, in [0, 1]
  float blur = 0;                   ///< sigma of a Gaussian in pixels; 0 or at least .3, since less hardly blurs
  std::size_t blur_every = 1;       ///< steps, beginning with the first
  float small_norm = 0;             ///< percentile of pixels to zero, in [0, 100]
  float small_contribution = 0;     ///< likewise
  origin from = origin::noise;

  template <class A>
  void settings(A& a) const {
    a.setting("gradient_ascent.steps", steps);
    a.setting("gradient_ascent.confidence", confidence);
    a.setting("gradient_ascent.early", early);
    a.setting("gradient_ascent.late", late);
    a.setting("gradient_ascent.rate", rate);
    a.setting("gradient_ascent.decay", decay);
    a.setting("gradient_ascent.blur", blur);
    a.setting("gradient_ascent.blur_every", blur_every);
    a.setting("gradient_ascent.small_norm", small_norm);
    a.setting("gradient_ascent.small_contribution", small_contribution);
    a.setting("gradient_ascent.from", from);
  }

  /// The four settings of the published images: without regularisation; with decay (an L2 penalty); with blur; with pixels cut away.
  [[nodiscard]] static constexpr gradient_ascent unregularised() { return {}; }
  [[nodiscard]] static constexpr gradient_ascent decayed() { return {.steps = 1500, .early = .03f, .late = .02f, .decay = .01f}; }
  [[nodiscard]] static constexpr gradient_ascent blurred() {
    return {.steps = 1000, .early = .03f, .late = .05f, .decay = .001f, .blur = .4f, .blur_every = 2};
  }
  [[nodiscard]] static constexpr gradient_ascent clipped() {
    return {.steps = 1500, .early = .03f, .late = .05f, .decay = .001f, .blur = .3f, .small_norm = 20, .small_contribution = 20};
  }

  /// Not published: a tenth of the decay of `decayed` and larger steps, so that the network can be sure.
  [[nodiscard]] static constexpr gradient_ascent lightly_decayed() { return {.steps = 1500, .early = .03f, .late = .1f, .decay = .001f}; }

  void check() const {
    auto const within = [](float v, float low, float high) { return v >= low && v <= high; };
    if (steps == 0) detail::fail("gradient_ascent: steps is 0; give at least 1");
    if (!(early > 0 && late > 0 && rate > 0))
      detail::fail("gradient_ascent: early is ", early, ", late ", late, " and rate ", rate, "; give more than 0");
    if (!within(decay, 0, 1)) detail::fail("gradient_ascent: decay is ", decay, "; give a share in [0, 1]");
    if (blur != 0 && !within(blur, .3f, 1e3f)) detail::fail("gradient_ascent: blur is ", blur, "; give 0 or a sigma of at least 0.3");
    if (blur_every == 0) detail::fail("gradient_ascent: blur_every is 0; give at least 1, and blur = 0 for no blur");
    for (float percentile : {small_norm, small_contribution})
      if (!within(percentile, 0, 100)) detail::fail("gradient_ascent: a percentile is ", percentile, "; give 0 to 100");
  }

  template <class E, space S>
  class search;

  template <class E, space S>
  requires ConstrainedEncoding<E, S>
  [[nodiscard]] search<E, S> start(E const& encoding, view<float const, 4, S> canvas, rng const& random) const {
    check();
    return search<E, S>(*this, encoding, canvas, random);
  }
};

/// A running gradient_ascent, image by image.
template <class E, space S>
class gradient_ascent::search {
 public:
  using population = population_t<E, S>;

  search(gradient_ascent const& policy, E const& encoding, const_image_view<S> canvas, rng const& random)
      : policy_(policy),
        lanes_(encoding, canvas, random),
        x_(lanes_.make()),
        best_(lanes_.make()),
        state_(lanes_.size()),
        finished_(lanes_.size()) {
    bool const pixelwise = policy.blur > 0 || policy.small_norm > 0 || policy.small_contribution > 0 || policy.from == origin::uniform;
    if (pixelwise && x_->rows().shape[1] != canvas.stride())
      detail::fail(
          "gradient_ascent: blur, percentiles of pixels and a uniform origin are for genotypes that are images; leave them at 0 "
          "and noise, or use perturbation");
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < lanes_.size(); ++i) all.push_back(i);
    begin(all);
  }

  [[nodiscard]] population const& ask() const { return *x_; }
  [[nodiscard]] population const& best() const { return *best_; }
  [[nodiscard]] std::span<std::uint8_t const> finished() const { return finished_; }
  [[nodiscard]] bool done() const { return std::find(finished_.begin(), finished_.end(), 0) == finished_.end(); }
  [[nodiscard]] standing where() const { return {told_, policy_.steps, {}}; }

  /// False when every image is looked at for the last time.
  [[nodiscard]] bool wants_gradients() const {
    for (std::size_t i = 0; i < state_.size(); ++i)
      if (!finished_[i] && state_[i].looks + 1 < policy_.steps) return true;
    return false;
  }

  void tell(evaluation<S> const& e) { judge(e); }

  void tell(evaluation<S> const& e, population const& dp) {
    auto const values = judge(e);
    if (!done()) climb(values, dp.rows());
  }

  void replace(turnover const& t, const_image_view<S> canvas) { begin(lanes_.replace(t, canvas, x_, best_, state_, finished_)); }

 private:
  struct state {
    std::size_t looks = 0;
    float value = -std::numeric_limits<float>::infinity();
  };

  void begin(std::vector<std::size_t> const& rows) {
    if (policy_.from == origin::canvas) return;
    auto drawn = filled<float, 2>({1, x_->rows().shape[1]});
    auto const canvas = lanes_.canvas();
    for (std::size_t i : rows) {
      auto stream = lanes_.random().stream(lanes_.ids()[i]);
      bool const uniform = policy_.from == origin::uniform;
      for (float& v : drawn) v = uniform ? stream.uniform() : stream.normal() / 255;
      auto const row = x_->rows().rows(i, 1);
      copy(view<float const, 2>(as_view(drawn)), row);
      if (uniform) axpy_rows(std::vector{-1.f}, view<float const, 2, S>{canvas.data + i * canvas.stride(), {1, canvas.stride()}}, row);
    }
    lanes_.encoding().project(*x_, lanes_.canvas());
  }

  // Keeps what was evaluated where it is better than what there was, and says who is done.
  std::vector<float> judge(evaluation<S> const& e) {
    auto values = detail::on_host(e.values);
    std::vector<std::size_t> better;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      if (finished_[i]) continue;
      if (values[i] > 1.001f)
        detail::fail("gradient_ascent: the objective is ", values[i], "; it climbs probabilities, which are 1 at most: class_probability");
      auto& s = state_[i];
      ++s.looks;
      if (values[i] > s.value) {
        s.value = values[i];
        better.push_back(i);
      }
      finished_[i] = s.looks == policy_.steps || values[i] >= policy_.confidence;
    }
    best_->assign(better, *x_, better);
    ++told_;
    return values;
  }

  void climb(std::vector<float> const& values, view<float const, 2, S> g) {
    std::size_t const count = state_.size();
    std::vector<double> square(count);
    dot_rows(g, g, square);
    std::vector<float> rates(count), kept(count, 1 - policy_.decay), sigma(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (square[i] == 0) finished_[i] = 1;
      if (finished_[i]) continue;
      double const progress = std::min(double{policy_.early}, double{policy_.late} * std::max(0., 1 - double{values[i]}));
      rates[i] = static_cast<float>(std::min(double{policy_.rate}, progress / square[i]));
      if ((state_[i].looks - 1) % policy_.blur_every == 0) sigma[i] = policy_.blur;
    }
    auto const x = x_->rows();
    auto const canvas = lanes_.canvas().shape;
    image_shape const shape{canvas[1], canvas[2], canvas[3]};
    axpy_rows(rates, g, x);
    if (policy_.decay > 0) scale_rows(kept, x);
    if (policy_.blur > 0) blur_rows(sigma, shape, x);
    if (policy_.small_norm > 0) zero_small_pixels(policy_.small_norm, shape, x);
    if (policy_.small_contribution > 0) zero_idle_pixels(policy_.small_contribution, shape, g, x);
    lanes_.encoding().project(*x_, lanes_.canvas());
  }

  gradient_ascent policy_;
  detail::lanes<E, S> lanes_;
  typename detail::lanes<E, S>::genotypes x_, best_;
  std::vector<state> state_;
  std::vector<std::uint8_t> finished_;
  std::size_t told_ = 0;
};

}  // namespace pareidolia
