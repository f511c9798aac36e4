// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/models/training.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
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

/// Trains a model against an attack that leaves classes. Sinks see the steps of all attacks and all trainings, one after the other, and may
/// end them; what has been learned until then stays. One entry for each round that was begun.
///
/// Cost: each round the attack, and training.epochs passes over images and pool. Memory: one more copy of the images, and the pool.
/// Errors: those of run() and train(); a pool smaller than what refreshes it; nothing to refresh it with.
template <class E, class B, class O, TrainableModel M, class Schedule, class... Sinks>
std::vector<adversarial_round> train(M& model, attack<E, B, O> const& a, labelled_images const& images, labelled_images const& held_out,
                                     adversarial_training<Schedule> const& how, rng const& random, Sinks&&... sinks) {
  static_assert(!static_cast<bool>(B::targeted),
                "adversarial training: the attack must leave classes, since labels are those of the canvas");
  std::size_t const n = images.size();
  if (how.refreshed == 0 || how.refreshed > how.pool || how.refreshed > n)
    detail::fail("adversarial training: ", how.refreshed, " images are to refresh a pool of ", how.pool, " from ", n,
                 "; give at least 1 and no more than either");
  auto const clean = as_view(images.images);
  auto shape = clean.shape;
  shape[0] = n + how.pool;
  labelled_images mixed{filled<float, 4>(shape), std::vector<int>(n + how.pool)};  // the clean ones, then the pool
  copy(clean, as_view(mixed.images).rows(0, n));
  std::copy(images.labels.begin(), images.labels.end(), mixed.labels.begin());
  shape[0] = how.refreshed;
  labelled_images attacked{filled<float, 4>(shape), std::vector<int>(how.refreshed)};
  std::vector<std::size_t> order(n);

  std::vector<adversarial_round> rounds;
  std::size_t filled_until = 0, oldest = 0;
  for (std::size_t round = 0; round < how.rounds; ++round) {
    rng const now = random.fork(round);
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto stream = now.fork(0).stream(0);
    shuffle(std::span(order), stream);
    for (std::size_t k = 0; k < how.refreshed; ++k) {
      copy(clean.rows(order[k], 1), as_view(attacked.images).rows(k, 1));
      attacked.labels[k] = images.labels[order[k]];
    }
    outcome const found = run(a, model, attacked, now.fork(1), sinks...);
    rounds.emplace_back();
    adversarial_round& result = rounds.back();
    std::size_t fooled = 0;
    for (std::size_t k = 0; k < how.refreshed; ++k) {
      auto const place = n + oldest;
      copy(as_view(found.images).rows(k, 1), as_view(mixed.images).rows(place, 1));
      mixed.labels[place] = attacked.labels[k];
      oldest = (oldest + 1) % how.pool;
      filled_until = std::max(filled_until, place + 1 - n);
      if (found.success[k] == 0) continue;
      ++fooled;
      double square = 0;
      for (float v : as_view(attacked.images).row(k)) square += double{v} * double{v};
      if (square > 0) result.distance += double{found.distances(k, 2)} / std::sqrt(square);
    }
    result.fooled = static_cast<double>(fooled) / static_cast<double>(how.refreshed);
    if (fooled != 0) result.distance /= static_cast<double>(fooled);
    if (!found.complete) break;

    labelled_images const* set = &mixed;
    labelled_images part;
    if (filled_until < how.pool) {  // the pool is not full yet
      shape[0] = n + filled_until;
      part = {filled<float, 4>(shape), {mixed.labels.begin(), mixed.labels.begin() + static_cast<std::ptrdiff_t>(shape[0])}};
      copy(view<float const, 4>(as_view(mixed.images).rows(0, shape[0])), as_view(part.images));
      set = &part;
    }
    auto const trained = train(model, *set, held_out, how.training, now.fork(2), sinks...);
    result.accuracy = trained.accuracy;
    result.loss = trained.loss;
    if (!trained.complete) break;
  }
  return rounds;
}

}  // namespace pareidolia
