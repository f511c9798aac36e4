// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/boundary_walk.hpp>
#include <pareidolia/detail/landscape.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

// Which images share a classification region, and how some of many are drawn.

namespace pareidolia::detail {

/// The rows of x (n, d) that lie in the region of each class, in rising order; with labels those alone that the model gets right. One
/// forward a row. Errors: labels that are not one for each row.
template <class M>
[[nodiscard]] std::vector<std::vector<std::size_t>> region_members(landscape<M>& f, view<float const, 2> x, label_view labels) {
  std::size_t const n = x.shape[0];
  if (!labels.empty() && labels.size() != n)
    fail(f.probe(), ": ", n, " images but ", labels.size(), " labels; give one for each image, or none");
  std::vector<int> seen(n);
  f.scores(
      n, [&](std::size_t i, std::span<float> to) { std::ranges::copy(x.row(i), to.begin()); },
      [&](std::size_t i, std::span<float const> y) { seen[i] = highest(y); });
  std::vector<std::vector<std::size_t>> members(f.classes());
  for (std::size_t i = 0; i < n; ++i)
    if (labels.empty() || seen[i] == labels[i]) members[static_cast<std::size_t>(seen[i])].push_back(i);
  return members;
}

/// `count` different numbers below n, or all n where there are no more, in random order: Floyd's algorithm (Bentley, CACM 1987).
[[nodiscard]] inline std::vector<std::uint64_t> draw_different(random_stream& stream, std::uint64_t n, std::size_t count) {
  std::set<std::uint64_t> drawn;
  for (std::uint64_t last = n - std::min<std::uint64_t>(count, n); last < n; ++last) {
    std::uint64_t const high = stream();
    std::uint64_t const at = (high << 32 | stream()) % (last + 1);  // biased by less than n / 2^64
    if (!drawn.insert(at).second) drawn.insert(last);
  }
  std::vector<std::uint64_t> result(drawn.begin(), drawn.end());
  shuffle(std::span(result), stream);
  return result;
}

/// Two images and the class whose region is looked at.
struct region_pair {
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  std::size_t first, second;  ///< the second is nobody where it is made
  int label;                  ///< of the first
};

/// `count` different pairs of images of one class, all equally likely; all pairs where there are no more.
[[nodiscard]] inline std::vector<region_pair> draw_pairs_within(std::vector<std::vector<std::size_t>> const& members, random_stream stream,
                                                                std::size_t count) {
  auto const pairs = [&](std::size_t c) { return std::uint64_t{members[c].size()} * (members[c].size() - 1) / 2; };
  std::uint64_t total = 0;
  for (std::size_t c = 0; c < members.size(); ++c) total += pairs(c);
  std::vector<region_pair> drawn;
  for (std::uint64_t at : draw_different(stream, total, count)) {
    std::size_t c = 0, j = 1;
    for (; at >= pairs(c); ++c) at -= pairs(c);
    for (; at >= j; ++j) at -= j;  // i < j is the pair number j (j - 1) / 2 + i
    drawn.push_back({members[c][at], members[c][j], static_cast<int>(c)});
  }
  return drawn;
}

/// `count` different pairs of an image and one of another class, all equally likely; all pairs where there are no more.
[[nodiscard]] inline std::vector<region_pair> draw_pairs_across(std::vector<std::vector<std::size_t>> const& members, random_stream stream,
                                                                std::size_t count) {
  std::vector<std::size_t> all;
  for (auto const& of : members) all.insert(all.end(), of.begin(), of.end());
  auto const others = [&](std::size_t c) { return std::uint64_t{all.size()} - members[c].size(); };
  std::uint64_t total = 0;
  for (std::size_t c = 0; c < members.size(); ++c) total += members[c].size() * others(c);
  std::vector<region_pair> drawn;
  for (std::uint64_t at : draw_different(stream, total, count)) {
    std::size_t c = 0, before = 0;  // images of the classes before c
    for (; at >= members[c].size() * others(c); before += members[c++].size()) at -= members[c].size() * others(c);
    std::size_t const other = at % others(c);
    drawn.push_back({members[c][at / others(c)], all[other < before ? other : other + members[c].size()], static_cast<int>(c)});
  }
  return drawn;
}

/// `count` images without a partner, different ones while there are any.
[[nodiscard]] inline std::vector<region_pair> draw_unpaired(std::vector<std::vector<std::size_t>> const& members, random_stream stream,
                                                            std::size_t count) {
  std::vector<region_pair> all, drawn;
  for (std::size_t c = 0; c < members.size(); ++c)
    for (std::size_t i : members[c]) all.push_back({i, region_pair::nobody, static_cast<int>(c)});
  auto const order = draw_different(stream, all.size(), count);
  while (!order.empty() && drawn.size() < count) drawn.push_back(all[order[drawn.size() % order.size()]]);
  return drawn;
}

}  // namespace pareidolia::detail
