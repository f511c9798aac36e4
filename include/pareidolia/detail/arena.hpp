// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <numeric>
#include <vector>

namespace pareidolia::detail {

/// A piece of memory that is in use from step `first` to step `last`, both included.
struct lifetime {
  std::size_t size = 0, first = 0, last = 0;
};

/// Where each piece lies in one block of memory, and how large that must be.
struct arena_layout {
  std::vector<std::size_t> offsets;
  std::size_t size = 0;
};

/// Places pieces so that no two which live at the same time overlap: largest first, each at the lowest offset that fits.
///
/// Offsets are multiples of `line`. Greedy by size is within a few percent of the best on networks; the number of pieces is small, so the
/// cost of its square does not matter.
[[nodiscard]] inline arena_layout arrange(std::vector<lifetime> const& pieces, std::size_t line = 64) {
  std::vector<std::size_t> order(pieces.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return pieces[a].size > pieces[b].size; });

  struct placed {
    std::size_t begin, end, piece;
  };
  std::vector<placed> done;  // by begin
  arena_layout layout{std::vector<std::size_t>(pieces.size()), 0};
  for (std::size_t piece : order) {
    lifetime const& now = pieces[piece];
    std::size_t const size = (now.size + line - 1) / line * line;
    std::size_t begin = 0;
    for (placed const& other : done) {
      if (pieces[other.piece].last < now.first || now.last < pieces[other.piece].first) continue;
      if (begin + size <= other.begin) break;
      begin = std::max(begin, other.end);
    }
    placed const here{begin, begin + size, piece};
    done.insert(std::upper_bound(done.begin(), done.end(), here, [](placed const& a, placed const& b) { return a.begin < b.begin; }), here);
    layout.offsets[piece] = begin;
    layout.size = std::max(layout.size, begin + size);
  }
  return layout;
}

/// A block of memory aligned for vector instructions.
class aligned_block {
 public:
  aligned_block() = default;
  explicit aligned_block(std::size_t bytes) : bytes_(static_cast<std::byte*>(::operator new(bytes, alignment))) {}

  [[nodiscard]] std::byte* data() const { return bytes_.get(); }

 private:
  static constexpr std::align_val_t alignment{64};
  struct release {
    void operator()(std::byte* p) const { ::operator delete(p, alignment); }
  };
  std::unique_ptr<std::byte, release> bytes_;
};

}  // namespace pareidolia::detail
