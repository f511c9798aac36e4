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
#include <pareidolia/models/training.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia {

/// Training on images that were just found to fool the network, beside the clean ones (Szegedy et al. 2013, section 4.1; Goodfellow et al.
/// 2015; Moosavi-Dezfooli et al. 2016, table 3):
///
///   each round: attack `refreshed` random training images; the images found, labelled as what they were made from, take the places of
///               the oldest ones of a pool of `pool`; train `training.epochs` epochs on all clean images and the pool
///
/// so what the network learns from is never older than pool / refreshed rounds. Szegedy et al. refresh a pool continually, without further
/// numbers; DeepFool's table 3 is one round of 5 epochs on the adversarial images of all training images, at half the learning rate.
template <class Schedule = constant_rate>
struct adversarial_training {
  std::size_t rounds = 5;
  std::size_t refreshed = 2000;  ///< images attacked in each round
  std::size_t pool = 6000;       ///< images kept, at least refreshed
  sgd<Schedule> training = {.rate = .005f, .epochs = 1, .schedule = {}};
};

/// What one round of adversarial training came to.
struct adversarial_round {
  double fooled = 0;    ///< share of the images attacked that changed class, before the round's training
  double distance = 0;  ///< mean ||r||_2 / ||x||_2 of those: the robustness rho_adv of Moosavi-Dezfooli et al. (2016)
  double accuracy = 0;  ///< on the held-out images, after it
  double loss = 0;      ///< mean cross entropy over its last epoch
};

namespace detail {

/// An adversarial training and where it is.
template <class A, class M, class Schedule>
class adversarial_course {
 public:
  adversarial_course(A const& attack, M& model, labelled_images const& images, labelled_images const& held_out,
                     adversarial_training<Schedule> const& how, rng const& random)
      : attack_(attack),
        model_(model),
        images_(images),
        held_out_(held_out),
        how_(how),
        random_(random),
        mixed_(room(images, how)),
        theta_(model.parameters()) {
    std::size_t const n = images.size();
    model.read(theta_);
    if (how.refreshed == 0 || how.refreshed > how.pool || how.refreshed > n)
      fail("adversarial training: ", how.refreshed, " images are to refresh a pool of ", how.pool, " from ", n,
           "; give at least 1 and no more than either");
    copy(as_view(images.images), as_view(mixed_.images).rows(0, n));
    std::copy(images.labels.begin(), images.labels.end(), mixed_.labels.begin());
  }

  saved_state part;  ///< of the attack or training that is running

  [[nodiscard]] bool done() const { return round_ >= how_.rounds; }

  /// One round, or what is left of it; false if a sink stopped it.
  template <class... Sinks>
  [[nodiscard]] bool advance(Sinks&... sinks) {
    rng const now = random_.fork(round_);
    if (rounds_.size() == round_ && !refresh(now, sinks...)) return false;
    std::size_t const n = images_.size() + filled_;
    labelled_images few;  // while the pool is not full
    if (filled_ < how_.pool) {
      auto shape = as_view(mixed_.images).shape;
      shape[0] = n;
      few = {filled<float, 4>(shape), {mixed_.labels.begin(), mixed_.labels.begin() + static_cast<std::ptrdiff_t>(n)}};
      copy(view<float const, 4>(as_view(mixed_.images).rows(0, n)), as_view(few.images));
    }
    auto const trained = train(model_, filled_ < how_.pool ? few : mixed_, held_out_, how_.training, now.fork(2), sinks...);
    rounds_.back().accuracy = trained.accuracy;
    rounds_.back().loss = trained.loss;
    if (!trained.complete) return false;
    part = {};
    model_.read(theta_);
    ++round_;
    return true;
  }

  template <class Archive>
  void state(Archive& a, std::uint64_t data) {
    a.setting("seed", random_.seed());
    a.setting("stream", random_.key());
    a.setting("images", data);
    a.setting("refreshed", how_.refreshed);
    a.setting("pool", how_.pool);
    describe(a, "encoding", attack_.encoding);
    describe(a, "objective", attack_.objective);
    describe(a, "optimizer", attack_.optimizer);
    how_.training.settings(a);
    a("theta", theta_);
    if (theta_.size() != model_.parameters())
      fail("adversarial training: what was kept is of a network of ", theta_.size(), " parameters, this one has ", model_.parameters());
    if constexpr (Archive::reading) model_.write(theta_);
    a("round", round_);
    a("oldest", oldest_);
    a("filled", filled_);
    if (filled_ > how_.pool || oldest_ >= how_.pool) fail("adversarial training: the pool that was kept is damaged; begin anew");
    auto pool = as_view(mixed_.images).rows(images_.size(), filled_);
    view<int, 1> labels{mixed_.labels.data() + images_.size(), {filled_}};
    a("images", pool);
    a("labels", labels);
    column(a, "fooled", rounds_, &adversarial_round::fooled);
    column(a, "distances", rounds_, &adversarial_round::distance);
    column(a, "accuracies", rounds_, &adversarial_round::accuracy);
    column(a, "losses", rounds_, &adversarial_round::loss);
    a("part", part);
  }

  /// The rounds that were begun.
  [[nodiscard]] std::vector<adversarial_round> result() && {
    if (cut_) rounds_.push_back(*cut_);
    return std::move(rounds_);
  }

 private:
  template <class Archive, class Part>
  static void describe(Archive& a, std::string_view name, Part const& described) {
    auto inner = a.part(name);
    if constexpr (requires { described.settings(inner); }) described.settings(inner);
  }

  // The clean images, then the pool.
  [[nodiscard]] static labelled_images room(labelled_images const& images, adversarial_training<Schedule> const& how) {
    auto shape = as_view(images.images).shape;
    shape[0] += how.pool;
    return {filled<float, 4>(shape), std::vector<int>(shape[0])};
  }

  // Attacks random images; what is found takes the oldest places of the pool.
  template <class... Sinks>
  bool refresh(rng const& now, Sinks&... sinks) {
    std::size_t const n = images_.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto stream = now.fork(0).stream(0);
    shuffle(std::span(order), stream);
    auto shape = as_view(images_.images).shape;
    shape[0] = how_.refreshed;
    labelled_images attacked{filled<float, 4>(shape), std::vector<int>(how_.refreshed)};
    for (std::size_t k = 0; k < how_.refreshed; ++k) {
      copy(as_view(images_.images).rows(order[k], 1), as_view(attacked.images).rows(k, 1));
      attacked.labels[k] = images_.labels[order[k]];
    }
    outcome const found = run(attack_, model_, attacked, now.fork(1), sinks...);
    adversarial_round result;
    std::size_t fooled = 0;
    for (std::size_t k = 0; k < how_.refreshed; ++k) {
      if (found.success[k] == 0) continue;
      ++fooled;
      double square = 0;
      for (float v : as_view(attacked.images).row(k)) square += double{v} * double{v};
      if (square > 0) result.distance += double{found.distances(k, 2)} / std::sqrt(square);
    }
    result.fooled = static_cast<double>(fooled) / static_cast<double>(how_.refreshed);
    if (fooled != 0) result.distance /= static_cast<double>(fooled);
    if (!found.complete) {
      cut_ = result;
      return false;
    }
    for (std::size_t k = 0; k < how_.refreshed; ++k) {
      std::size_t const place = n + oldest_;
      copy(as_view(found.images).rows(k, 1), as_view(mixed_.images).rows(place, 1));
      mixed_.labels[place] = attacked.labels[k];
      oldest_ = (oldest_ + 1) % how_.pool;
      filled_ = std::max(filled_, place + 1 - n);
    }
    rounds_.push_back(result);
    part = {};
    return true;
  }

  A const& attack_;
  M& model_;
  labelled_images const& images_;
  labelled_images const& held_out_;
  adversarial_training<Schedule> const& how_;
  rng random_;
  labelled_images mixed_;
  std::vector<float> theta_;                         // when the round began
  std::vector<adversarial_round> rounds_;            // those whose attack is done
  std::optional<adversarial_round> cut_;             // the one whose attack a sink ended
  std::size_t round_ = 0, oldest_ = 0, filled_ = 0;  // filled: places of the pool
};

}  // namespace detail

/// Trains a model against an attack that leaves classes. Sinks see the steps of all attacks and all trainings, one after the other, and may
/// end them; what has been learned until then stays. One entry for each round that was begun. What keeps the state of a run
/// (io/checkpoint.hpp) may stand among the sinks: a training that is taken up, in the middle of a part too, ends with the same parameters
/// as one that nothing disturbed, and goes on if it is given more rounds.
///
/// Cost: each round the attack, and training.epochs passes over images and pool. Memory: one more copy of the images, and the pool.
/// Errors: those of run() and train(); a pool smaller than what refreshes it; nothing to refresh it with.
template <class E, class B, class O, TrainableModel M, class Schedule, class... Extras>
std::vector<adversarial_round> train(M& model, attack<E, B, O> const& a, labelled_images const& images, labelled_images const& held_out,
                                     adversarial_training<Schedule> const& how, rng const& random, Extras&&... extras) {
  static_assert(!static_cast<bool>(B::targeted),
                "adversarial training: the attack must leave classes, since labels are those of the canvas");
  static_assert(((Sink<Extras> || StateKeeper<Extras>)&&...),
                "sink: each argument after the rng must be callable with `step const&` and return void or verdict, or keep the state");
  constexpr bool kept = (StateKeeper<Extras> || ...);
  detail::adversarial_course course(a, model, images, held_out, how, random);
  std::uint64_t const data = kept ? detail::hash_of(images, held_out) : 0;
  detail::run_parts(
      course, [&](auto& archive) { course.state(archive, data); }, [&](step const& now) { return detail::inform(now, extras...); },
      extras...);
  return std::move(course).result();
}

}  // namespace pareidolia
