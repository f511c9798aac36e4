// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <tuple>
#include <vector>

// Windows of an image that look alike.

namespace pareidolia::detail {

/// A small picture of an image, (channels, height, width): means of blocks of `scale` pixels, the rest at the right and the bottom left
/// out.
struct thumbnail {
  std::size_t channels, height, width, scale;
  std::vector<float> values;

  thumbnail(std::span<float const> image, image_shape const& shape, std::size_t longest)
      : channels(shape[0]), scale((std::max(shape[1], shape[2]) + longest - 1) / longest) {
    height = shape[1] / scale, width = shape[2] / scale;
    values.assign(channels * height * width, 0.f);
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t y = 0; y < height * scale; ++y)
        for (std::size_t x = 0; x < width * scale; ++x)
          values[(c * height + y / scale) * width + x / scale] +=
              image[(c * shape[1] + y) * shape[2] + x] / static_cast<float>(scale * scale);
  }
};

/// Squares of `side` pixels of a thumbnail that look like one of them, which comes first.
struct repetition {
  struct place {
    std::size_t top, left;
    float similarity;  ///< normalised cross-correlation with the first
  };
  std::size_t side = 0;
  std::vector<place> places = {};
  double repeated = 0;  ///< what the squares but the first have in common with it: sum of similarity^2 times their variance, in pixels
};

/// All squares of one size in a thumbnail, compared by normalised cross-correlation: the correlation of their values, each channel less its
/// mean in the square.
class square_matcher {
 public:
  square_matcher(thumbnail const& small, std::size_t side, float contrast)
      : small_(small), side_(side), rows_(small.height - side + 1), columns_(small.width - side + 1), energy_(rows_ * columns_) {
    float const area = static_cast<float>(side * side);
    for (std::size_t k = 0; k < energy_.size(); ++k)
      for (std::size_t c = 0; c < small.channels; ++c) {
        float sum = 0, square = 0;
        for_row(c, k, [&](std::size_t, float const* row) {
          for (std::size_t x = 0; x < side; ++x) sum += row[x], square += row[x] * row[x];
        });
        energy_[k] += std::max(0.f, square - sum * sum / area);
      }
    least_ = contrast * contrast * area * static_cast<float>(small.channels);
  }

  /// The squares that are as similar to the one at (top, left), no two of which meet: the most similar first.
  [[nodiscard]] repetition like(std::size_t top, std::size_t left, float similarity) {
    std::size_t const own = top * columns_ + left;
    if (energy_[own] < least_) return {side_};
    correlate(own);
    struct candidate {
      int rank;           // of similarities that differ by less than 0.01, which rounding may exchange,
      std::size_t shift;  // those are taken first that stand in line with the square
      std::size_t at;
    };
    std::vector<candidate> all;
    auto const apart = [&](std::size_t a, std::size_t b) { return (a > b ? a - b : b - a) % side_; };
    for (std::size_t k = 0; k < energy_.size(); ++k) {
      if (energy_[k] < least_ || !(correlation_[k] >= similarity)) continue;
      auto const rank = static_cast<int>(std::lround(-100 * correlation_[k]));
      all.push_back({k == own ? -101 : rank, apart(k / columns_, top) + apart(k % columns_, left), k});
    }
    std::ranges::sort(all, {}, [](candidate const& c) { return std::tuple(c.rank, c.shift, c.at); });
    repetition found{side_};
    for (candidate const& c : all) {
      std::size_t const y = c.at / columns_, x = c.at % columns_;
      bool const free = std::ranges::none_of(found.places, [&](repetition::place const& p) {
        return y < p.top + side_ && p.top < y + side_ && x < p.left + side_ && p.left < x + side_;
      });
      if (!free) continue;
      if (c.at != own) found.repeated += double{correlation_[c.at]} * double{correlation_[c.at]} * double{energy_[c.at]};
      found.places.push_back({y, x, correlation_[c.at]});
    }
    return found;
  }

 private:
  template <class Body>
  void for_row(std::size_t channel, std::size_t place, Body const& body) const {
    float const* const first = small_.values.data() + (channel * small_.height + place / columns_) * small_.width + place % columns_;
    for (std::size_t y = 0; y < side_; ++y) body(y, first + y * small_.width);
  }

  /// correlation_[k] = sum (a - mean a) b / sqrt(energy of a, energy of b), a the square at `own` and b that at k: means of b fall out.
  void correlate(std::size_t own) {
    correlation_.assign(energy_.size(), 0.f);
    for (std::size_t c = 0; c < small_.channels; ++c) {
      float mean = 0;
      for_row(c, own, [&](std::size_t, float const* row) {
        for (std::size_t x = 0; x < side_; ++x) mean += row[x] / static_cast<float>(side_ * side_);
      });
      float const* const plane = small_.values.data() + c * small_.height * small_.width;
      for_row(c, own, [&](std::size_t dy, float const* row) {
        for (std::size_t dx = 0; dx < side_; ++dx) {
          float const weight = row[dx] - mean;
          for (std::size_t y = 0; y < rows_; ++y) {
            float const* const from = plane + (y + dy) * small_.width + dx;
            float* const to = correlation_.data() + y * columns_;
            for (std::size_t x = 0; x < columns_; ++x) to[x] += weight * from[x];
          }
        }
      });
    }
    for (std::size_t k = 0; k < energy_.size(); ++k)
      correlation_[k] = energy_[k] < least_ ? 0.f : correlation_[k] / std::sqrt(energy_[own] * energy_[k]);
  }

  thumbnail const& small_;
  std::size_t side_, rows_, columns_;
  std::vector<float> energy_, correlation_;
  float least_ = 0;
};

/// The squares, of one of these sizes, that repeat most of an image; fewer than two if nothing is repeated. Squares are tried in steps of
/// half their side; of equal ones the first size and place count.
[[nodiscard]] inline repetition most_repeated(thumbnail const& small, std::span<std::size_t const> sides, float similarity,
                                              float contrast) {
  repetition best;
  for (std::size_t const side : sides) {
    square_matcher squares(small, side, contrast);
    std::size_t const stride = std::max<std::size_t>(1, side / 2);
    for (std::size_t top = 0; top + side <= small.height; top += stride)
      for (std::size_t left = 0; left + side <= small.width; left += stride)
        if (auto found = squares.like(top, left, similarity); found.repeated > best.repeated) best = std::move(found);
  }
  return best;
}

}  // namespace pareidolia::detail
