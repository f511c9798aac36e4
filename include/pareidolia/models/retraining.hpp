// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/nested_keeper.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/models/training.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pareidolia {

/// Retraining with fooling images (Nguyen, Yosinski and Clune, CVPR 2015, section 3.6), for a data set D_1 of n classes:
///
///   for i = 1, 2, ...:  train DNN_i on D_i
///                       `runs` evolutions against DNN_i
///                       pool = champions of the first and of the last generation of each run, for each of the n classes
///                       D_{i+1} = D_i and images of the pool, drawn at random, all labelled n: a class of their own, "fooling"
///
/// From DNN_2 on the networks have n + 1 classes. `first_added` images make D_2 of D_1, `added` each later set. Where the pool has fewer,
/// each of its images is taken as often as any other, but for one: the paper found on ImageNet that the new class must outweigh the others.
/// Its MNIST experiment has 15 networks, 30 runs against each, 6000 images at first and 1000 later.
///
/// The champions of the class "fooling" itself are no attack and belong neither to the pool nor to any figure. In the archive they have
/// their cell like all others, and parents are drawn from it.
template <class Schedule = inverse_decay>
struct retraining {
  std::size_t rounds = 15;                       ///< networks
  std::size_t runs = 30;                         ///< evolutions against each
  std::size_t first_added = 6000, added = 1000;  ///< images added for the second network, and for each later one
  sgd<Schedule> training = {};

  template <class A>
  void settings(A& a) const {
    a.setting("retraining.runs", runs);
    a.setting("retraining.first_added", first_added);
    a.setting("retraining.added", added);
    a.setting("retraining.epochs", training.epochs);
    training.settings(a);
  }
};

/// One network of a retraining, and what evolution against it came to. `initial` and `evolved` have n values of each run, one after the
/// other: those of the objective for the champions of the first and of the last generation.
struct retraining_round {
  std::size_t images = 0;  ///< it was trained on
  double accuracy = 0;     ///< on the held-out images
  double loss = 0;         ///< mean cross entropy over the last epoch
  std::vector<float> initial, evolved;
  double noticed = 0;  ///< share of the images of the last generations that the network labels "fooling"
  tensor<float, 4> champions = filled<float, 4>({0, 0, 0, 0});  ///< (n, channels, height, width), of the last generation of the first run
  std::vector<float> theta;                                     ///< its parameters, as write() takes them

  /// Medians over all classes and runs: the paper's "median confidence" is that of the last generation.
  [[nodiscard]] double initial_median() const { return detail::quantile_of({initial.begin(), initial.end()}, .5); }
  [[nodiscard]] double median() const { return detail::quantile_of({evolved.begin(), evolved.end()}, .5); }

  template <class A>
  void state(A& a) {
    a("images", images);
    a("accuracy", accuracy);
    a("loss", loss);
    a("initial", initial);
    a("evolved", evolved);
    a("noticed", noticed);
    a("champions", champions);
    a("theta", theta);
  }
};

namespace detail {

[[nodiscard]] inline double figure_or(standing const& where, std::string_view name, double otherwise) {
  for (pareidolia::figure const& f : where.figures)
    if (f.name == name) return f.value;
  return otherwise;
}

/// A retraining and where it is.
template <class Make, class A, class Schedule>
class defence {
 public:
  defence(Make const& make, A const& fool, labelled_images const& images, labelled_images const& held_out, retraining<Schedule> const& how,
          rng const& random)
      : make_(make), fool_(fool), images_(images), held_out_(held_out), how_(how), random_(random) {
    if (how.rounds == 0 || how.runs == 0)
      fail("retraining: ", how.rounds, " rounds of ", how.runs, " runs: nothing to do; give at least 1 each");
  }

  saved_state part;  ///< of the training or evolution that is running

  [[nodiscard]] bool done() const { return round_ >= how_.rounds; }

  /// One network, evolutions against it, and what it adds to the images. Every part of it is given `sinks`; false if one stopped it.
  template <class... Sinks>
  [[nodiscard]] bool advance(Sinks&... sinks) {
    rng const now = random_.fork(round_);
    auto net = make_(round_, now.fork(0));
    if (round_ == 0) classes_ = net.classes();
    if (std::size_t const wanted = classes_ + (round_ > 0); net.classes() != wanted)
      fail("retraining: make(", round_, ", rng) gave a network of ", net.classes(), " classes, not ", wanted,
           "; the first one has those of the images, later ones have one more, see extended()");
    if (rounds_.size() > round_)
      net.write(rounds_.back().theta);
    else if (!train_network(net, now.fork(1), sinks...))
      return false;
    while (runs_ < how_.runs)
      if (!evolve(net, now.fork(2).fork(runs_), sinks...)) return false;
    add_images(now.fork(3));
    runs_ = 0;
    ++round_;
    return true;
  }

  /// Where the whole is when one of its parts is at `now`.
  [[nodiscard]] step whole(step const& now) {
    bool const evolving = rounds_.size() > round_;
    std::size_t const steps = now.where.step + (evolving ? training_steps(round_) + runs_ * run_steps() + 1 : 0);
    double const accuracy = evolving ? rounds_.back().accuracy : figure_or(now.where, "accuracy", 0);
    figures_ = {{{"round", static_cast<double>(round_ + 1)},
                 {"run", evolving ? static_cast<double>(runs_ + 1) : 0},
                 {"accuracy", accuracy},
                 {"median", figure_or(now.where, "median", 0)}}};
    return {{steps_until(round_) + steps, steps_until(how_.rounds), figures_}, seconds(), model_seconds_ + now.model_seconds};
  }

  template <class Archive>
  void state(Archive& a, std::uint64_t data) {
    a.setting("seed", random_.seed());
    a.setting("stream", random_.key());
    a.setting("images", data);
    a.setting("generations", fool_.optimizer.generations);
    describe(a, "encoding", fool_.encoding);
    describe(a, "objective", fool_.objective);
    describe(a, "optimizer", fool_.optimizer);
    how_.settings(a);
    double spent = seconds();
    a("seconds", spent);
    if constexpr (Archive::reading) seconds_before_ = spent;
    a("model seconds", model_seconds_);
    std::size_t networks = rounds_.size();
    a("networks", networks);
    rounds_.resize(networks);
    for (std::size_t i = 0; i < networks; ++i) a(text("network ", i + 1), rounds_[i]);
    a("round", round_);
    a("runs", runs_);
    a("classes", classes_);
    a("added", added_);
    a("pool", pool_);
    a("part", part);
  }

  [[nodiscard]] std::vector<retraining_round> result() && { return std::move(rounds_); }

 private:
  template <class Archive, class Part>
  static void describe(Archive& a, std::string_view name, Part const& described) {
    auto inner = a.part(name);
    if constexpr (requires { described.settings(inner); }) described.settings(inner);
  }

  template <class M, class... Sinks>
  bool train_network(M& net, rng const& random, Sinks&... sinks) {
    std::size_t const n = images_.size(), more = added_.shape()[0];
    labelled_images extended;  // D_1 needs no copy
    if (more > 0) {
      extended = {longer(images_.images, more), images_.labels};
      copy(view<float const, 4>(as_view(added_)), as_view(extended.images).rows(n, more));
      extended.labels.resize(n + more, static_cast<int>(classes_));
    }
    auto const trained = train(net, more > 0 ? extended : images_, held_out_, how_.training, random, sinks...);
    if (!trained.complete) return false;
    auto& result = rounds_.emplace_back();
    result.images = n + more;
    result.accuracy = trained.accuracy;
    result.loss = trained.loss;
    result.theta.resize(net.parameters());
    net.read(result.theta);
    part = {};
    return true;
  }

  template <class M, class... Sinks>
  bool evolve(M const& net, rng const& random, Sinks&... sinks) {
    auto const canvas = blank(net.input());
    auto first_generation = fool_;
    first_generation.optimizer.generations = 0;
    outcome const found = run(fool_, net, canvas, random, sinks...);
    if (!found.complete) return false;
    outcome const initial = run(first_generation, net, canvas, random);
    auto& result = rounds_.back();
    auto const n = static_cast<std::ptrdiff_t>(classes_);
    if (runs_ == 0) {
      pool_ = longer(filled<float, 4>({0, net.input()[0], net.input()[1], net.input()[2]}), 2 * classes_ * how_.runs);
      result.champions = first_images({found.images, {}}, classes_).images;
    }
    copy(as_view(initial.images).rows(0, classes_), as_view(pool_).rows(2 * classes_ * runs_, classes_));
    copy(as_view(found.images).rows(0, classes_), as_view(pool_).rows(2 * classes_ * runs_ + classes_, classes_));
    result.initial.insert(result.initial.end(), initial.values.begin(), initial.values.begin() + n);
    result.evolved.insert(result.evolved.end(), found.values.begin(), found.values.begin() + n);
    auto const fooling = std::count(found.labels.begin(), found.labels.begin() + n, static_cast<int>(classes_));
    auto const runs = static_cast<double>(runs_);
    result.noticed = (runs * result.noticed + static_cast<double>(fooling) / static_cast<double>(n)) / (runs + 1);
    model_seconds_ += found.model_seconds;
    ++runs_;
    part = {};
    return true;
  }

  void add_images(rng const& random) {
    std::size_t const old = added_.shape()[0], more = round_ == 0 ? how_.first_added : how_.added;
    std::vector<std::size_t> order(pool_.shape()[0]);
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto stream = random.stream(0);
    shuffle(std::span(order), stream);
    if (old == 0) added_ = filled<float, 4>({0, pool_.shape()[1], pool_.shape()[2], pool_.shape()[3]});
    added_ = longer(added_, more);
    view<float const, 4> const pool = as_view(std::as_const(pool_));
    for (std::size_t k = 0; k < more; ++k) copy(pool.rows(order[k % order.size()], 1), as_view(added_).rows(old + k, 1));
  }

  // The same images and room for `more`.
  [[nodiscard]] static tensor<float, 4> longer(tensor<float, 4> const& images, std::size_t more) {
    auto const all = as_view(images);
    auto shape = all.shape;
    shape[0] += more;
    auto result = filled<float, 4>(shape);
    copy(all, as_view(result).rows(0, all.shape[0]));
    return result;
  }

  [[nodiscard]] std::size_t run_steps() const { return fool_.optimizer.generations + 1; }
  [[nodiscard]] std::size_t training_steps(std::size_t round) const {
    std::size_t const more = round == 0 ? 0 : how_.first_added + (round - 1) * how_.added;
    return how_.training.epochs * ((images_.size() + more) / std::max<std::size_t>(1, how_.training.batch));
  }
  [[nodiscard]] std::size_t steps_until(std::size_t round) const {
    std::size_t steps = round * how_.runs * run_steps();
    for (std::size_t i = 0; i < round; ++i) steps += training_steps(i);
    return steps;
  }
  [[nodiscard]] double seconds() const {
    return seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  Make const& make_;
  A const& fool_;
  labelled_images const& images_;
  labelled_images const& held_out_;
  retraining<Schedule> const& how_;
  rng random_;
  std::vector<retraining_round> rounds_;            // of the networks that are trained
  std::size_t round_ = 0, runs_ = 0, classes_ = 0;  // the round, the runs that are done in it, n
  tensor<float, 4> added_ = filled<float, 4>({0, 0, 0, 0}), pool_ = filled<float, 4>({0, 0, 0, 0});
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double seconds_before_ = 0, model_seconds_ = 0;  // of a retraining that was taken up; of the parts that are done
  std::array<pareidolia::figure, 4> figures_{};
};

}  // namespace detail

/// Trains networks and evolves images against them, one after the other. `make(round, rng)`, round = 0, 1, ..., gives the network to train,
/// with n classes for round 0 and n + 1 after; extended() (models/extended.hpp) adds the class to one there is. The attack is one that
/// keeps a champion per class and says how many `generations` it has, as map_elites does: that its run of 0 generations is the beginning of
/// the longer one gives the first generation. Labels of the images are below n.
///
/// One entry for each network that was trained. Sinks see all steps of all parts, those of a training and those of an evolution, with the
/// figures "round" and "run" (0: training), "accuracy" of the network and "median" of the archive, and may end it with what there is. What
/// keeps the state of a run (io/checkpoint.hpp) may stand among them: a retraining that is taken up, in the middle of a part too, ends with
/// the same bytes as one that nothing disturbed, and goes on if it is given more rounds.
///
/// Cost: each round epochs * (images + those added) forwards and backwards, and runs * (generations + 2) * children forwards. Memory: a
/// copy of the images, those added, the pool, and the parameters of all networks. Errors: those of run() and train(); no rounds or runs; a
/// network with another number of classes; the state of another retraining.
///
///     auto const make = [](std::size_t round, rng const& r) {
///       extended_network net{zoo::lenet5(), xavier(zoo::lenet5(), r.fork(0))};
///       if (round > 0) net = extended(net.structure, net.parameters, r.fork(1));
///       return network{cpu_engine{}, net.structure, net.parameters};
///     };
///     attack const fool{cppn{}, class_probability{}, map_elites{}};
///     auto const rounds = retrain(make, fool, digits, held_out, retraining<>{.rounds = 5}, rng{1}, checkpoint{"defence.ckpt"});
template <class Make, class E, class B, class O, class Schedule, class... Extras>
[[nodiscard]] std::vector<retraining_round> retrain(Make const& make, attack<E, B, O> const& fool, labelled_images const& images,
                                                    labelled_images const& held_out, retraining<Schedule> const& how, rng const& random,
                                                    Extras&&... extras) {
  using model = std::remove_cvref_t<std::invoke_result_t<Make const&, std::size_t, rng const&>>;
  constexpr bool watched = ((Sink<Extras> || StateKeeper<Extras>)&&...), kept = (StateKeeper<Extras> || ...);
  constexpr bool evolves = ClasswiseOptimizer<O, E, model::memory> && requires(O o) { o.generations = 0; };
  static_assert(TrainableModel<model>,
                "retraining: make(round, rng) must give a TrainableModel: read(theta), write(theta), parameters() and "
                "backward_weights(dy, dtheta, workspace)");
  static_assert(evolves, "retraining: the optimizer must keep a champion per class and have `generations`, as map_elites does");
  static_assert(watched,
                "sink: each argument after the rng must be callable with `step const&` and return void or verdict, or keep the state");
  if constexpr (TrainableModel<model> && evolves && watched) {
    detail::defence course(make, fool, images, held_out, how, random);
    std::uint64_t const data = kept ? detail::hash_of(images, held_out) : 0;
    detail::run_parts(
        course, [&](auto& archive) { course.state(archive, data); },
        [&](step const& now) { return detail::inform(course.whole(now), extras...); }, extras...);
    return std::move(course).result();
  } else {
    return {};
  }
}

}  // namespace pareidolia
