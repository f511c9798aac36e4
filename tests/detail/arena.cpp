// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/random.hpp>
#include <pareidolia/detail/arena.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

using namespace pareidolia;
using detail::arrange;
using detail::lifetime;

TEST_CASE("pieces that live at the same time never overlap, and offsets are aligned") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto r = rng(seed).stream(0);
    std::vector<lifetime> pieces(1 + r.below(40));
    for (lifetime& piece : pieces) {
      std::size_t const first = r.below(20);
      piece = {r.below(5000), first, first + r.below(6)};
    }
    auto const layout = arrange(pieces);
    for (std::size_t a = 0; a < pieces.size(); ++a) {
      REQUIRE(layout.offsets[a] % 64 == 0);
      REQUIRE(layout.offsets[a] + pieces[a].size <= layout.size);
      for (std::size_t b = 0; b < a; ++b) {
        bool const together = pieces[a].first <= pieces[b].last && pieces[b].first <= pieces[a].last;
        bool const apart =
            layout.offsets[a] + pieces[a].size <= layout.offsets[b] || layout.offsets[b] + pieces[b].size <= layout.offsets[a];
        REQUIRE((!together || apart));
      }
    }
  }
}

TEST_CASE("a chain of layers needs the memory of its two largest neighbours, not of all") {
  std::vector<lifetime> const chain{{1024, 0, 1}, {4096, 1, 2}, {2048, 2, 3}, {1024, 3, 4}};
  CHECK(arrange(chain).size == 6144);
  CHECK(arrange({}).size == 0);
}

TEST_CASE("a block is aligned and may be moved") {
  detail::aligned_block block(100);
  CHECK(reinterpret_cast<std::uintptr_t>(block.data()) % 64 == 0);
  auto const* const at = block.data();
  detail::aligned_block const taken = std::move(block);
  CHECK(taken.data() == at);
}
