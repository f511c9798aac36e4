// error: checkpoint: this optimizer's search cannot be resumed, add `template <class A> void state(A&)` to it, which names its parts
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/io/checkpoint.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<smooth_encoding, smooth_objective<space::host>, climber> const a{};
  run(a, smooth_model<space::host>{}, blank({1, 2, 2}), rng(1), checkpoint{"run.ckpt"});
}
