// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace pareidolia {

/// Learning-rate schedules: the factor on the base rate at a step.
struct constant_rate {
  [[nodiscard]] float operator()(std::size_t) const { return 1; }
};
/// (1 + gamma step)^-power: Caffe's "inv", LeNet's.
struct inverse_decay {
  float gamma = 1e-4f, power = .75f;
  [[nodiscard]] float operator()(std::size_t step) const { return std::pow(1 + gamma * static_cast<float>(step), -power); }

  template <class A>
  void settings(A& a) const {
    a.setting("inverse_decay.gamma", gamma);
    a.setting("inverse_decay.power", power);
  }
};
/// factor^floor(step / every).
struct step_decay {
  float factor = .1f;
  std::size_t every = 10'000;
  [[nodiscard]] float operator()(std::size_t step) const { return std::pow(factor, static_cast<float>(step / every)); }

  template <class A>
  void settings(A& a) const {
    a.setting("step_decay.factor", factor);
    a.setting("step_decay.every", every);
  }
};

/// Stochastic gradient descent with momentum and weight decay, as Caffe does it:
///   velocity <- momentum velocity + rate schedule(step) (gradient + decay theta);  theta <- theta - velocity
/// with the gradient of the mean cross entropy over a batch. The decay applies to biases too, unless each parameter has its own
/// (models/decay.hpp). Defaults: Caffe's LeNet solver.
template <class Schedule = inverse_decay>
struct sgd {
  float rate = .01f, momentum = .9f, decay = 5e-4f;
  std::size_t batch = 64, epochs = 10;
  Schedule schedule = {};
  std::vector<float> decays = {};  ///< (parameters), in place of decay; empty: decay for all

  template <class A>
  void settings(A& a) const {
    a.setting("sgd.rate", rate);
    a.setting("sgd.momentum", momentum);
    a.setting("sgd.decay", decay);
    a.setting("sgd.batch", batch);
    detail::hasher own;
    own.add(decays);
    a.setting("sgd.decays", own.value());
    if constexpr (requires { schedule.settings(a); }) schedule.settings(a);
  }
};

/// What training came to.
struct training_result {
  double accuracy = 0;  ///< on the held-out images, after the last step
  double loss = 0;      ///< mean cross entropy over the last epoch
  std::size_t steps = 0;
  bool complete = true;  ///< false when a sink stopped it
  double seconds = 0;
};

/// Share of images whose largest score is that of their label. Cost: one forward of each.
template <Model M>
[[nodiscard]] double accuracy(M const& model, labelled_images const& images, std::size_t batch = 256) {
  std::size_t const n = images.size();
  if (n == 0 || images.labels.size() != n) detail::fail("accuracy: ", n, " images and ", images.labels.size(), " labels");
  std::size_t right = 0;
  detail::each_class(model, as_view(images.images), batch, [&](std::size_t i, int found) {
    right += found == images.labels[i];
    return true;
  });
  return static_cast<double>(right) / static_cast<double>(n);
}

namespace detail {

/// theta and its velocity; split over threads, each element by itself.
struct momentum_step {
  std::vector<float> theta, velocity, gradient;

  explicit momentum_step(std::size_t n) : theta(n), velocity(n), gradient(n) {}

  void operator()(float rate, float momentum, std::vector<float> const& decays) {
    constexpr std::size_t chunk = 1 << 16;
    parallel_for((theta.size() + chunk - 1) / chunk, [&](std::size_t c, std::size_t) {
      std::size_t const last = std::min((c + 1) * chunk, theta.size());
      for (std::size_t j = c * chunk; j < last; ++j) {
        velocity[j] = momentum * velocity[j] + rate * (gradient[j] + decays[j] * theta[j]);
        theta[j] -= velocity[j];
      }
    });
  }
};

/// Hash of what a training goes by.
[[nodiscard]] inline std::uint64_t hash_of(labelled_images const& images, labelled_images const& held_out) {
  hasher h;
  for (labelled_images const* const set : {&images, &held_out}) {
    for (std::size_t extent : as_view(set->images).shape) h.add(extent);
    h.add(as_view(set->images).flat());
    for (int label : set->labels) h.add(static_cast<std::uint64_t>(label));
  }
  return h.value();
}

}  // namespace detail

/// Trains a model on labelled images, shuffled anew each epoch by `random`; `held_out` is scored after each epoch.
///
/// Sinks see the figures "epoch", "loss" (mean of the epoch so far) and "accuracy" (held out, last measured) after every step, and may stop
/// the training; the model then has the parameters reached. What keeps the state of a run (io/checkpoint.hpp) may stand among them: a
/// training that is taken up, of a model with the parameters that the first one began with, ends with the same bytes as one that nothing
/// disturbed, and goes on if it is given more epochs. A last batch that is not full is left out of its epoch.
/// Errors: fewer images than a batch, missing labels, decays that are not one for each parameter, a loss that is no longer finite (lower
/// the rate), the state of another training.
template <TrainableModel M, class Schedule, class... Extras>
training_result train(M& model, labelled_images const& images, labelled_images const& held_out, sgd<Schedule> const& how, rng const& random,
                      Extras&&... extras) {
  static_assert(((Sink<Extras> || StateKeeper<Extras>)&&...),
                "sink: each argument after the rng must be callable with `step const&` and return void or verdict, or keep the state");
  constexpr space S = M::memory;
  std::size_t const n = images.size(), batches = how.batch == 0 ? 0 : n / how.batch, steps = batches * how.epochs;
  if (steps == 0) detail::fail("train: ", n, " images, batches of ", how.batch, ", ", how.epochs, " epochs: nothing to do");
  if (images.labels.size() != n) detail::fail("train: ", n, " images but ", images.labels.size(), " labels");
  for (int label : images.labels)
    if (label < 0 || static_cast<std::size_t>(label) >= model.classes())
      detail::fail("train: a label is ", label, "; the model's classes are 0 to ", model.classes() - 1);

  if (!how.decays.empty() && how.decays.size() != model.parameters())
    detail::fail("train: ", how.decays.size(), " decays for ", model.parameters(), " parameters; give one for each or none");
  std::vector<float> const decays = how.decays.empty() ? std::vector<float>(model.parameters(), how.decay) : how.decays;

  using clock = std::chrono::steady_clock;
  auto const begin = clock::now();
  double seconds_before = 0;  // of a training that is taken up
  auto const seconds = [&] { return seconds_before + std::chrono::duration<double>(clock::now() - begin).count(); };
  training_result result;
  image_shape const shape = model.input();
  auto workspace = model.prepare(how.batch);
  storage<float, 4, S> x({how.batch, shape[0], shape[1], shape[2]});
  storage<float, 2, S> y({how.batch, model.classes()}), dy({how.batch, model.classes()});
  storage<float, 1, S> losses({how.batch});
  std::vector<int> labels(how.batch);
  std::vector<std::size_t> order;
  double sum = 0;  // of the losses of an epoch
  detail::momentum_step update(model.parameters());
  model.read(update.theta);

  auto const all = as_view(images.images);
  std::array<figure, 3> figures{{{"epoch", 0}, {"loss", 0}, {"accuracy", accuracy(model, held_out)}}};

  std::uint64_t data = 0, start = 0;  // what is trained on, and what training began with: asked for by states alone
  if constexpr ((StateKeeper<Extras> || ...)) {
    data = detail::hash_of(images, held_out);
    if constexpr (FingerprintedModel<M>) start = model.fingerprint();
  }
  auto const state = [&](auto& a) {
    a.setting("seed", random.seed());
    a.setting("stream", random.key());
    a.setting("images", data);
    a.setting("model", start);
    how.settings(a);
    a("theta", update.theta);
    a("velocity", update.velocity);
    a("steps", result.steps);
    a("sum", sum);
    column(a, "figures", figures, &figure::value);
    double spent = seconds();
    a("seconds", spent);
    if constexpr (std::remove_cvref_t<decltype(a)>::reading) {
      seconds_before = spent;
      model.write(update.theta);
    }
  };
  detail::restore_state(state, extras...);

  while (result.steps < steps && result.complete) {
    std::size_t const epoch = result.steps / batches, b = result.steps % batches;
    if (b == 0) sum = 0;
    if (b == 0 || order.empty()) {
      order.resize(n);
      std::iota(order.begin(), order.end(), std::size_t{0});
      auto stream = random.fork(epoch).stream(0);
      shuffle(std::span(order), stream);
    }
    for (std::size_t i = 0; i < how.batch; ++i) {
      auto const from = all.row(order[b * how.batch + i]);
      std::copy(from.begin(), from.end(), x.view().row(i).begin());
      labels[i] = images.labels[order[b * how.batch + i]];
    }
    model.forward(x.view(), y.view(), workspace);
    cross_entropy{}.value(y.view(), labels, losses.view());
    cross_entropy{}.seed(y.view(), labels, dy.view());
    for (float& v : dy.view().flat()) v /= static_cast<float>(how.batch);
    model.backward_weights(dy.view(), update.gradient, workspace);
    update(how.rate * how.schedule(result.steps), how.momentum, decays);
    model.write(update.theta);

    for (float v : losses.view().flat()) sum += v;
    double const loss = sum / static_cast<double>((b + 1) * how.batch);
    if (!std::isfinite(loss)) detail::fail("train: the loss is ", loss, " at step ", result.steps, "; lower the rate, ", how.rate);
    ++result.steps;
    if (b + 1 == batches) figures[2].value = accuracy(model, held_out);
    figures[0].value = static_cast<double>(epoch + 1);
    figures[1].value = loss;
    bool const go_on = detail::inform(step{{result.steps, steps, figures}, seconds(), 0}, extras...);
    result.complete = go_on || result.steps == steps;
    detail::keep_state(state, !go_on || result.steps == steps, extras...);
  }
  result.loss = figures[1].value;
  result.accuracy = result.complete ? figures[2].value : accuracy(model, held_out);
  result.seconds = seconds();
  return result;
}

}  // namespace pareidolia
