// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/leaders.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// What the units of a layer are: each value of its activation, or each channel by its largest or its mean value over the image.
enum class unit_kind { value, channel_maximum, channel_mean };

/// The images that one basis of directions ranks highest.
struct direction_ranking {
  tensor<std::size_t, 2> images;      ///< (directions, top), index of each image, the highest first; of equals the first
  tensor<float, 2> scores;            ///< (directions, top), <phi(x), v> of these
  std::vector<std::uint8_t> telling;  ///< (directions), 0 where all images have one score, as for a unit that is always off
  std::vector<double> purity;         ///< (directions), share of the most frequent label among the top images; empty without labels

  /// Of the directions that tell images apart: their mean purity, and how far it may be off (one standard error). 0 without any.
  struct estimate {
    double mean = 0, standard_error = 0;
    std::size_t directions = 0;
  };
  [[nodiscard]] estimate mean_purity() const {
    estimate e;
    double squares = 0;
    for (std::size_t d = 0; d < purity.size(); ++d)
      if (telling[d]) {
        e.mean += purity[d];
        squares += purity[d] * purity[d];
        ++e.directions;
      }
    if (e.directions == 0) return e;
    auto const n = static_cast<double>(e.directions);
    e.mean /= n;
    if (e.directions > 1) e.standard_error = std::sqrt(std::max(0., squares / n - e.mean * e.mean) / (n - 1));
    return e;
  }
};

/// Are single units of a layer special? The top images of the natural basis, x' = argmax <phi(x), e_i>, beside those of random directions,
/// x' = argmax <phi(x), v>, v standard normal (Szegedy et al. 2013, section 3).
///
/// The paper shows both and lets the reader judge that either set of images has something in common. Here it is also a number: the purity
/// of their labels, beside that of images drawn blindly.
/// Which units are looked at, and the directions, are drawn by `random`; they do not depend on the batch.
/// Cost: one forward of each image, and directions times the values of an activation for each, on the host. Memory: a batch of images and
/// activations, and directions as long as an activation. Errors: a layer the model does not have, fewer images than `top`, labels that are
/// not one for each image, an activation that is not finite.
///
///     auto const found = measure(unit_directions{.layer = "relu1", .random = rng{1}}, lenet, digits);
///     double const special = found.natural.mean_purity().mean - found.arbitrary.mean_purity().mean;
struct unit_directions {
  std::string layer;
  rng random;
  std::size_t units = 100;  ///< of the natural basis, drawn without repetition; all of them, if the layer has no more
  std::size_t directions = 100;
  std::size_t top = 8;  ///< images kept for each
  unit_kind kind = unit_kind::value;
  std::size_t batch = 64;

  struct result {
    std::vector<std::size_t> units;  ///< that were looked at: index into (channels, height, width), row-major, or channel
    direction_ranking natural, arbitrary;
    double chance = 0;  ///< mean purity of as many images drawn blindly; 0 without labels
  };

  template <class M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view labels) const {
    static_assert(LayeredModel<M>,
                  "model: this probe looks at a layer, add layers(), shape_of(layer), prepare(count, layers) and activation(layer, to, "
                  "workspace) const");
    result found;
    if constexpr (LayeredModel<M>) {
      constexpr space S = M::memory;
      std::size_t const n = x.shape[0], most = std::min(batch, n);
      if (top == 0 || batch == 0 || n < top)
        detail::fail("unit_directions: the top ", top, " of ", n, " images in batches of ", batch,
                     "; give at least one, and as many images");
      if (!labels.empty() && labels.size() != n) detail::fail("unit_directions: ", n, " images but ", labels.size(), " labels");
      image_shape const shape = model.shape_of(layer);
      std::size_t const size = kind == unit_kind::value ? shape[0] * shape[1] * shape[2] : shape[0];
      found.units = draw_units(size);
      auto const basis = draw_directions(size);

      auto work = model.prepare(most, std::vector<std::string>{layer});
      storage<float, 2, S> y({most, static_cast<std::size_t>(model.classes())});
      storage<float, 4, S> there({most, shape[0], shape[1], shape[2]});
      auto phi = filled<float, 4>({most, shape[0], shape[1], shape[2]});
      auto natural = filled<float, 2>({most, found.units.size()}), arbitrary = filled<float, 2>({most, directions});
      detail::leaders natural_top(found.units.size(), top), arbitrary_top(directions, top);
      for (std::size_t first = 0; first < n; first += most) {
        std::size_t const count = std::min(most, n - first);
        model.forward(x.rows(first, count), y.view().rows(0, count), work);
        model.activation(layer, there.view().rows(0, count), work);
        copy(const_image_view<S>(there.view().rows(0, count)), as_view(phi).rows(0, count));
        parallel_for(count, [&](std::size_t i, std::size_t) {
          auto const values = features(as_view(phi).row(i), shape);
          for (std::size_t u = 0; u < found.units.size(); ++u) natural(i, u) = values[found.units[u]];
          project(values, basis, as_view(arbitrary).row(i));
        });
        for (std::size_t i = 0; i < count; ++i)
          if (!natural_top.add(first + i, as_view(natural).row(i)) || !arbitrary_top.add(first + i, as_view(arbitrary).row(i)))
            detail::fail("unit_directions: layer '", layer, "' gave a value that is not a finite number for image ", first + i);
      }
      found.natural = natural_top.ranking<direction_ranking>(labels);
      found.arbitrary = arbitrary_top.ranking<direction_ranking>(labels);
      if (!labels.empty()) found.chance = blind_purity(labels);
    }
    return found;
  }

 private:
  [[nodiscard]] std::vector<std::size_t> draw_units(std::size_t size) const {
    std::vector<std::size_t> all(size);
    std::iota(all.begin(), all.end(), std::size_t{0});
    auto stream = random.fork(0).stream(0);
    shuffle(std::span(all), stream);
    all.resize(std::min(units, size));
    std::sort(all.begin(), all.end());
    return all;
  }

  /// (size, directions): all directions' components along one axis lie side by side.
  [[nodiscard]] tensor<float, 2> draw_directions(std::size_t size) const {
    auto basis = filled<float, 2>({size, directions});
    parallel_for(directions, [&](std::size_t d, std::size_t) {
      auto stream = random.fork(1).stream(d);
      for (std::size_t j = 0; j < size; ++j) basis(j, d) = stream.normal();
    });
    return basis;
  }

  /// phi(x): the units of one activation.
  [[nodiscard]] std::vector<float> features(std::span<float const> activation, image_shape const& shape) const {
    if (kind == unit_kind::value) return {activation.begin(), activation.end()};
    std::size_t const plane = shape[1] * shape[2];
    std::vector<float> values(shape[0]);
    for (std::size_t c = 0; c < shape[0]; ++c) {
      auto const channel = activation.subspan(c * plane, plane);
      values[c] = kind == unit_kind::channel_maximum
                      ? *std::max_element(channel.begin(), channel.end())
                      : static_cast<float>(std::accumulate(channel.begin(), channel.end(), 0.) / static_cast<double>(plane));
    }
    return values;
  }

  static void project(std::span<float const> values, tensor<float, 2> const& basis, std::span<float> scores) {
    std::vector<double> sums(scores.size());
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (values[j] == 0) continue;  // many, behind a ReLU
      float const* const v = basis.data() + j * sums.size();
      for (std::size_t d = 0; d < sums.size(); ++d) sums[d] += double{values[j]} * double{v[d]};
    }
    std::transform(sums.begin(), sums.end(), scores.begin(), [](double s) { return static_cast<float>(s); });
  }

  [[nodiscard]] double blind_purity(label_view labels) const {
    constexpr std::size_t draws = 1000;
    std::vector<std::size_t> order(labels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto stream = random.fork(2).stream(0);
    double sum = 0;
    for (std::size_t d = 0; d < draws; ++d) {
      for (std::size_t i = 0; i < top; ++i) std::swap(order[i], order[i + stream.below(static_cast<std::uint32_t>(order.size() - i))]);
      sum += detail::label_purity(std::span(order).first(top), labels);
    }
    return sum / draws;
  }
};

/// The images of the first `rows` directions of a ranking, (rows top, channels, height, width): contact_sheet() of them with `top` columns
/// shows one direction a row.
[[nodiscard]] inline tensor<float, 4> top_images(direction_ranking const& ranking, labelled_images const& images, std::size_t rows) {
  auto const& s = images.images.shape();
  std::size_t const top = ranking.images.shape()[1], count = std::min(rows, ranking.images.shape()[0]) * top;
  auto result = filled<float, 4>({count, s[1], s[2], s[3]});
  std::vector<std::size_t> to(count);
  std::iota(to.begin(), to.end(), std::size_t{0});
  std::size_t const pixels = s[1] * s[2] * s[3];
  copy_rows(view<float const, 2>{images.images.data(), {s[0], pixels}}, std::span(ranking.images.data(), count),
            view<float, 2>{result.data(), {count, pixels}}, to);
  return result;
}

}  // namespace pareidolia
