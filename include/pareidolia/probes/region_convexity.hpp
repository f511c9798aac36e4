// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/boundary_walk.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/region_members.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pareidolia {

/// Are classification regions convex? The probability that a random convex combination sum_i w_i x_i of k images of one class, which the
/// model sees that class in, is of the class too (Fawzi et al. 2018, section 3). A region that is convex gives 1.
///
/// The k images are different ones of a class that is drawn by its number of images; w is uniform on the simplex, that is Dirichlet(1, ...,
/// 1). How the authors drew the weights is not known to us. With labels, only images count that the model gets right.
/// Cost: a forward for each image, and one for each combination. Memory: the images. Independent of `batch`. Errors: no k, a k below 2,
/// no combinations, labels that are not one for each image, no class with k images.
///
///     for (auto const& [k, share, error] : measure(region_convexity{.random = rng{1}}, lenet, digits).entries) ...
struct region_convexity {
  rng random;
  std::vector<std::size_t> images_together = {2, 3, 5, 10};  ///< each k
  std::size_t combinations = 1000;                           ///< for each k
  std::size_t batch = 64;

  struct entry {
    std::size_t k = 0;          ///< images that were combined
    double share = 0;           ///< of the combinations that are in the region of these
    double standard_error = 0;  ///< of the share, sqrt(share (1 - share) / combinations)
  };

  struct result {
    std::vector<entry> entries;  ///< as in images_together
    cost spent;

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      for (entry const& e : entries) all.emplace_back(detail::text("share of combinations of ", e.k, " images in their region"), e.share);
      return all;
    }
    /// (entries, 3): k, share, standard error.
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      auto table = filled<float, 2>({entries.size(), 3});
      for (std::size_t i = 0; i < entries.size(); ++i) {
        table(i, 0) = static_cast<float>(entries[i].k);
        table(i, 1) = static_cast<float>(entries[i].share);
        table(i, 2) = static_cast<float>(entries[i].standard_error);
      }
      return {named(prefix + "entries", table)};
    }
  };

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    check();
    detail::landscape f("region_convexity", model, batch);
    auto const rows = detail::rows_of(x);
    auto const members = detail::region_members(f, as_view(rows), labels);
    result found;
    for (std::size_t const k : images_together) {
      auto const drawn = draw(k, members);
      std::vector<std::uint8_t> inside(combinations);
      f.scores(
          combinations,
          [&](std::size_t c, std::span<float> to) {
            std::ranges::fill(to, 0.f);
            for (std::size_t i = 0; i < k; ++i) detail::along(to, drawn[c].weights[i], as_view(rows).row(drawn[c].images[i]), to);
          },
          [&](std::size_t c, std::span<float const> y) { inside[c] = detail::highest(y) == drawn[c].label; });
      double const n = static_cast<double>(combinations), share = static_cast<double>(std::ranges::count(inside, 1)) / n;
      found.entries.push_back({k, share, std::sqrt(share * (1 - share) / n)});
    }
    found.spent = f.cost();
    return found;
  }

 private:
  struct combination {
    int label;
    std::vector<std::size_t> images;
    std::vector<double> weights;
  };

  void check() const {
    if (images_together.empty() || std::ranges::min(images_together) < 2)
      detail::fail("region_convexity: images_together has ", images_together.empty() ? "no number" : "a number below 2",
                   "; give how many images to combine, at least 2");
    if (combinations == 0) detail::fail("region_convexity: combinations is 0; give at least 1");
  }

  [[nodiscard]] std::vector<combination> draw(std::size_t k, std::vector<std::vector<std::size_t>> const& members) const {
    std::vector<int> pool;  // the class of each image that can be drawn
    for (std::size_t c = 0; c < members.size(); ++c)
      if (members[c].size() >= k) pool.insert(pool.end(), members[c].size(), static_cast<int>(c));
    if (pool.empty())
      detail::fail("region_convexity: no class is seen in ", k,
                   " of the images, as their labels do where there are any; give more images, or fewer together");
    std::vector<combination> all(combinations);
    for (std::size_t c = 0; c < combinations; ++c) {
      auto stream = random.fork(k).stream(c);
      all[c].label = pool[stream.below(static_cast<std::uint32_t>(pool.size()))];
      auto const& of = members[static_cast<std::size_t>(all[c].label)];
      for (std::uint64_t const i : detail::draw_different(stream, of.size(), k)) all[c].images.push_back(of[i]);
      double sum = 0;
      for (std::size_t i = 0; i < k; ++i) {  // exponential numbers, divided by their sum
        all[c].weights.push_back(-std::log1p(-double{stream.uniform()}));
        sum += all[c].weights.back();
      }
      for (double& w : all[c].weights) w /= sum;
    }
    return all;
  }
};

}  // namespace pareidolia
