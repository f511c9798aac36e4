// error: retraining: the optimizer must keep a champion per class and have `generations`, as map_elites does
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/models/retraining.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  auto const make = [](std::size_t, rng const&) { return trainable_model<space::host>{}; };
  attack const nudge{perturbation{linf{}}, cross_entropy{}, pgd{}};
  retrain(make, nudge, blank({1, 2, 2}), blank({1, 2, 2}), retraining<>{}, rng(1));
}
