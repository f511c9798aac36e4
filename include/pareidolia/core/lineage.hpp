// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/birth.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/detail/quantile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pareidolia {

/// What the champions of a search were like after each generation, from 0 on: all (generations).
struct champion_timeline {
  std::vector<std::size_t> replaced;   ///< cells that got a champion in it; the released code calls them jumps
  std::vector<std::size_t> distinct;   ///< different images among the champions: one may hold several cells
  std::vector<double> mean_age;        ///< generations since the champions were made, mean over the cells
  std::vector<double> mean_ancestors;  ///< length of their lineages, mean over the cells
};

/// Champions and whose children they were, from outcome::births.
///
/// The parent of a champion is the champion that it replaced, if that was its parent, and else the champion of the cell that the parent was
/// chosen from. In the second case the search switched goals (Nguyen, Yosinski and Clune, GECCO 2015): what had been made for one class
/// served another one. They count a child of another class's champion; here a parent that was the champion of both classes is no switch,
/// since early on one image holds many cells, and which of them it was drawn from is chance. Champions that were drawn, or whose parent is
/// not among the births, have no parent here.
///
/// Cost: a few words for each birth. Errors: births that are not in the order of their generations.
struct genealogy {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  std::vector<birth> births;
  std::vector<std::size_t> parents;    ///< (births), place of the parent's birth or none
  std::vector<std::size_t> former;     ///< (births), place of the champion that was replaced or none
  std::vector<std::size_t> ancestors;  ///< (births), how many there are
  std::vector<std::size_t> champions;  ///< (cells), place of the last birth in each or none

  explicit genealogy(std::vector<birth> all) : births(std::move(all)) {
    std::map<std::pair<std::uint64_t, std::uint32_t>, std::size_t> place_of;  // of an image in a cell
    for (std::size_t i = 0; i < births.size(); ++i) {
      birth const& b = births[i];
      if (i > 0 && b.generation < births[i - 1].generation)
        detail::fail("genealogy: birth ", i, " is of generation ", b.generation, ", the one before it of ", births[i - 1].generation,
                     "; give the births of one run in their order");
      if (b.cell >= champions.size()) champions.resize(std::size_t{b.cell} + 1, none);
      former.push_back(std::exchange(champions[b.cell], i));
      bool const kept = former[i] != none && births[former[i]].id == b.parent;
      auto const found = kept ? place_of.end() : place_of.find({b.parent, b.from});
      parents.push_back(kept ? former[i] : found != place_of.end() ? found->second : none);
      ancestors.push_back(parents[i] == none ? 0 : ancestors[parents[i]] + 1);
      place_of[{b.id, b.cell}] = i;
    }
  }

  [[nodiscard]] std::size_t cells() const { return champions.size(); }

  /// Whether a champion replaced another one than its parent.
  [[nodiscard]] bool switched(std::size_t place) const { return parents[place] != none && parents[place] != former[place]; }

  /// Whether it replaced any.
  [[nodiscard]] bool replaced(std::size_t place) const { return former[place] != none; }

  /// The last champion of a cell and its ancestors, places of their births, youngest first; empty for a cell without a champion.
  [[nodiscard]] std::vector<std::size_t> lineage(std::size_t cell) const {
    std::vector<std::size_t> line;
    for (std::size_t i = cell < cells() ? champions[cell] : none; i != none; i = parents[i]) line.push_back(i);
    return line;
  }

  /// How often the lineage of a cell's champion came from another cell.
  [[nodiscard]] std::size_t switches(std::size_t cell) const {
    auto const line = lineage(cell);
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [&](std::size_t i) { return switched(i); }));
  }

  /// The share of replacements that were goal switches, 0 if there were none.
  [[nodiscard]] double goal_switches() const {
    std::size_t all = 0, switches = 0;
    for (std::size_t i = 0; i < births.size(); ++i) all += replaced(i), switches += replaced(i) && switched(i);
    return all == 0 ? 0 : static_cast<double>(switches) / static_cast<double>(all);
  }

  /// How the champions were after each of so many generations: outcome::steps of a search whose steps are generations.
  [[nodiscard]] champion_timeline timeline(std::size_t generations) const {
    champion_timeline t;
    std::vector<std::size_t> holder(cells(), none);       // places of the champions
    std::unordered_map<std::uint64_t, std::size_t> held;  // cells that an image holds
    double filled = 0, made = 0, before = 0;              // cells with a champion; sums over these of its generation, of its ancestors
    std::size_t next = 0;
    for (std::size_t g = 0; g < generations; ++g) {
      std::size_t const first = next;
      for (; next < births.size() && births[next].generation <= g; ++next) {
        auto const put = [&](std::size_t place, double sign) {
          filled += sign;
          made += sign * static_cast<double>(births[place].generation);
          before += sign * static_cast<double>(ancestors[place]);
        };
        std::size_t& place = holder[births[next].cell];
        if (place != none) {
          put(place, -1);
          auto const image = held.find(births[place].id);
          if (--image->second == 0) held.erase(image);
        }
        put(place = next, 1);
        ++held[births[next].id];
      }
      t.replaced.push_back(next - first);
      t.distinct.push_back(held.size());
      t.mean_age.push_back(filled > 0 ? static_cast<double>(g) - made / filled : 0);
      t.mean_ancestors.push_back(filled > 0 ? before / filled : 0);
    }
    return t;
  }

  [[nodiscard]] std::vector<named_figure> figures() const {
    std::vector<std::uint64_t> ids;
    std::vector<double> lengths, jumps;
    for (std::size_t cell = 0; cell < cells(); ++cell) {
      if (champions[cell] == none) continue;
      ids.push_back(births[champions[cell]].id);
      lengths.push_back(static_cast<double>(ancestors[champions[cell]]));
      jumps.push_back(static_cast<double>(switches(cell)));
    }
    std::sort(ids.begin(), ids.end());
    auto const distinct = std::unique(ids.begin(), ids.end()) - ids.begin();
    return {{"cells", static_cast<double>(lengths.size())},
            {"distinct champions", static_cast<double>(distinct)},
            {"champions per cell", static_cast<double>(births.size()) / static_cast<double>(lengths.size())},
            {"share of goal switches", goal_switches()},
            {"median ancestors", detail::quantile_of(lengths, .5)},
            {"median switches in a lineage", detail::quantile_of(jumps, .5)}};
  }
};

/// The last champion of a cell and its ancestors, youngest first. For several cells make a genealogy once. Errors: those of genealogy.
[[nodiscard]] inline std::vector<birth> lineage(std::vector<birth> births, std::size_t cell) {
  genealogy const family(std::move(births));
  std::vector<birth> line;
  for (std::size_t const place : family.lineage(cell)) line.push_back(family.births[place]);
  return line;
}

}  // namespace pareidolia
