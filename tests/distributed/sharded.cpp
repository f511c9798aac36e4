// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/distributed/sharded.hpp>

#include "support/ranks.hpp"
#include "support/small_models.hpp"

#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/adaptors.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/map_elites.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

using namespace pareidolia;
using pareidolia_test::toy;
using pareidolia_test::world;

namespace {

// This rank alone.
communicator alone() {
  static_cast<void>(world());
  return communicator(MPI_COMM_SELF);
}

network<cpu_engine> const& lenet() {
  static network const net{cpu_engine{}, zoo::lenet5(), xavier(zoo::lenet5(), rng{1})};
  return net;
}

void same(outcome const& a, outcome const& b) {
  CHECK(a.images == b.images);
  CHECK(a.scores == b.scores);
  CHECK(a.values == b.values);
  CHECK(a.births == b.births);
  CHECK(a.forwards == b.forwards);
  CHECK(a.backwards == b.backwards);
  CHECK(a.model == b.model);
}

}  // namespace

TEST_CASE("scores and gradients of a sharded model are the model's, whatever the chunk") {
  for (std::size_t chunk : {1u, 2u, 3u, 16u}) {
    toy const model;
    sharded const shared{model, world(), chunk};
    pareidolia_test::check_against(shared, [&](auto const& x) { return model.scores(x); });
    CHECK(shared.fingerprint() == model.fingerprint());
  }
}

TEST_CASE("each rank computes its chunks alone") {
  toy const model;
  counted const spent{model};
  auto const ranks = world();
  sharded const shared{spent, ranks, 2};
  auto const x = pareidolia_test::noise(15, model.input(), 1);
  auto y = filled<float, 2>({15, 3});
  auto dx = filled<float, 4>({15, 2, 3, 2});
  auto w = shared.prepare(15);
  shared.forward(as_view(x), as_view(y), w);
  std::size_t const r = ranks.rank(), size = ranks.size();
  std::size_t const begin = r * 8 / size * 2, end = std::min<std::size_t>((r + 1) * 8 / size * 2, 15);
  CHECK(spent.forwards() == end - begin);
  shared.backward(as_view(y), as_view(dx), w);
  CHECK(spent.forwards() == 2 * (end - begin));  // the first backward repeats the forward
  shared.forward(as_view(x), as_view(y), w);
  shared.backward(as_view(y), as_view(dx), w);
  CHECK(spent.forwards() == 3 * (end - begin));
  CHECK(spent.backwards() == 2 * (end - begin));
}

TEST_CASE("a run over classes gives the same bytes on all ranks as on one") {
  attack const dream{cppn{}, class_probability{}, map_elites{.children = 37, .generations = 6}};
  auto const canvas = blank(lenet().input());
  auto const one = run(dream, sharded{lenet(), alone(), 5}, canvas, rng{3});
  same(run(dream, sharded{lenet(), world(), 5}, canvas, rng{3}), one);
  CHECK(one.model == lenet().fingerprint());
}

TEST_CASE("a run that follows gradients gives the same bytes on all ranks as on one") {
  attack const nudge{perturbation{linf{0.1f}}, cross_entropy{}, pgd{.rate = 0.02f, .steps = 4}};
  labelled_images const canvas{pareidolia_test::noise(23, lenet().input(), 2), std::vector<int>(23, 4)};
  auto const one = run(nudge, sharded{lenet(), alone(), 4}, canvas, rng{3}, batch_size{9});
  same(run(nudge, sharded{lenet(), world(), 4}, canvas, rng{3}, batch_size{9}), one);
}

TEST_CASE("a network that all threads of a rank compute together gives the same bytes on all ranks as on one") {
  network const net{cpu_engine{}, zoo::squeezenet_1_1(), xavier(zoo::squeezenet_1_1(), rng{2})};
  auto const x = pareidolia_test::noise(7, net.input(), 3);
  auto const pass = [&](communicator const& ranks) {
    sharded const shared{net, ranks, 2};
    auto y = filled<float, 2>({7, net.classes()});
    auto dx = x;
    auto w = shared.prepare(7);
    shared.forward(as_view(x), as_view(y), w);
    shared.backward(as_view(y), as_view(dx), w);
    return std::pair{y, dx};
  };
  CHECK(pass(world()) == pass(alone()));
}

TEST_CASE("a chunk of nothing, and ranks that differ, are refused") {
  toy model;
  CHECK_THROWS_WITH_AS((sharded{model, world(), 0}), doctest::Contains("sharded: chunk is 0"), error);
  auto const ranks = world();
  if (ranks.size() == 1) return;
  model.phase = ranks.rank() == 1 ? 5 : 0;
  CHECK_THROWS_WITH_AS((sharded{model, ranks}), doctest::Contains("rank 1 has another model or chunk than rank 0"), error);
}
