// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/detail/pasting.hpp>
#include <pareidolia/encoding.hpp>
#include <pareidolia/encodings/patches.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <vector>

namespace pareidolia {

/// One copy of a patch on an image.
struct placement {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t source = none;     ///< which patch; none: nothing is pasted
  std::int32_t top = 0, left = 0;  ///< pixel of the canvas where its first one comes; it may reach over the edges
  float scale = 1;                 ///< its side on the canvas over that in its donor
  float opacity = 1;               ///< in [0, 1]

  friend bool operator==(placement const&, placement const&) = default;
};

/// A batch of lists of placements, each of `copies` places, of which some may be empty. In host memory for models in any: a list is small.
struct placements {
  image_shape canvas{};        ///< what they were made for
  std::size_t copies = 0;      ///< length of a list
  std::vector<placement> all;  ///< (size(), copies)

  [[nodiscard]] std::size_t size() const { return copies == 0 ? 0 : all.size() / copies; }
  [[nodiscard]] std::span<placement> row(std::size_t i) { return std::span(all).subspan(i * copies, copies); }
  [[nodiscard]] std::span<placement const> row(std::size_t i) const { return std::span(all).subspan(i * copies, copies); }

  /// Each list as a row of five numbers for each of its places: source (-1: none), top, left, scale, opacity.
  [[nodiscard]] tensor<float, 2> packed() const {
    auto rows = filled<float, 2>({size(), 5 * copies});
    float* out = rows.data();
    for (placement const& p : all)
      for (float v : {p.source == placement::none ? -1.f : static_cast<float>(p.source), static_cast<float>(p.top),
                      static_cast<float>(p.left), p.scale, p.opacity})
        *out++ = v;
    return rows;
  }
  /// The lists of such rows, as many and as long. Errors: rows of another shape, places that are no numbers of pixels.
  void unpack(tensor<float, 2> const& rows) {
    if (rows.shape()[0] != size() || rows.shape()[1] != 5 * copies)
      detail::fail("patch: the genotype is of shape ", rows.shape()[0], "x", rows.shape()[1], ", for these images it must be ", size(), "x",
                   5 * copies);
    float const* in = rows.data();
    for (placement& p : all) {
      for (std::size_t k = 0; k < 3; ++k)
        if (!(std::abs(in[k]) < 0x1p24f)) detail::fail("patch: a packed placement has ", in[k], " as its source or place");
      p.source = in[0] < 0 ? placement::none : static_cast<std::uint32_t>(in[0]);
      p.top = static_cast<std::int32_t>(in[1]);
      p.left = static_cast<std::int32_t>(in[2]);
      p.scale = in[3];
      p.opacity = in[4];
      in += 5;
    }
  }

  void assign(std::span<std::size_t const> to, placements const& source, std::span<std::size_t const> from) {
    for (std::size_t k = 0; k < to.size(); ++k) {
      auto const list = source.row(from[k]);
      std::copy(list.begin(), list.end(), row(to[k]).begin());
    }
  }
};

/// Images with patches pasted into them, the stimuli of Ouarti and Carmona (2018): a genotype is a list of placements, which are pasted one
/// after the other, so later ones cover earlier ones.
///
/// Patch p at (top, left) with scale s covers round(s height) x round(s width) pixels, at least one; of others than its own size it is
/// interpolated linearly between pixel centres (without a filter: patches that are made much smaller alias). Within
///   x <- x + w (p - x),  w = opacity u(line) u(column),  u(j) = min(1, (d_j + 1) / (feather + 1)),
/// d_j is the distance of pixel j to the nearer end of the patch. What reaches over the edges of the canvas is cut off.
///
/// A placement is left out, and the list goes on behind it, where it would be on a pixel that an earlier one has (`overlap` = false), or
/// where with it more than `area` of the pixels of the canvas were covered, at whatever opacity. So any list is permitted, and what is
/// shown keeps to both.
///
/// draw: 1 to `copies` placements of uniform source, place (the patch inside the canvas, or the canvas inside the patch), scale and
/// opacity. vary: each place of the list changes with probability `rate`, to one of equal probability: a new placement, none, another
/// source, a step of up to `step` of the canvas's sides (at least a pixel) that keeps some of it there, a new scale or opacity; an empty
/// place always to a new placement. Before it, couples exchange each place with probability 1/2, if they cross over at all (`crossover`).
///
/// Not differentiable. Cost: a copy of the canvas and of what is pasted. Errors: a setting outside its range, canvases with another number
/// of channels than the patches.
struct patch {
  patches sources;
  std::size_t copies = 8;  ///< places that a list has, at least 1
  float feather = 0;       ///< pixels, 0 to 1e6
  bool overlap = true;
  float area = 1;                     ///< share of the canvas that may be covered, in [0, 1]
  float smallest = 1, largest = 1;    ///< scale, of those that are drawn
  float faintest = 1;                 ///< opacity, of those that are drawn; up to 1
  float rate = .2f, crossover = .5f;  ///< probabilities
  float step = .1f;                   ///< share of the canvas's sides

  template <class A>
  void settings(A& a) const {
    detail::hasher all;
    all.add(sources.images().flat());
    for (patch_window const& w : sources.windows())
      for (std::size_t number : {w.image, w.top, w.left, w.height, w.width}) all.add(number);
    for (int evoked : sources.evokes()) all.add(static_cast<std::uint64_t>(evoked));
    a.setting("patch.sources", all.value());
    a.setting("patch.copies", copies);
    a.setting("patch.feather", feather);
    a.setting("patch.overlap", overlap);
    a.setting("patch.area", area);
    a.setting("patch.smallest", smallest);
    a.setting("patch.largest", largest);
    a.setting("patch.faintest", faintest);
    a.setting("patch.rate", rate);
    a.setting("patch.crossover", crossover);
    a.setting("patch.step", step);
  }

  template <space>
  using population = placements;

  void check() const {
    if (copies == 0) detail::fail("patch: copies is 0; give at least 1");
    if (!(feather >= 0 && feather <= 1e6f)) detail::fail("patch: feather is ", feather, "; give 0 to 1e6 pixels");
    if (!(area >= 0 && area <= 1)) detail::fail("patch: area is ", area, "; give a share of the canvas, in [0, 1]");
    if (!(smallest > 0 && smallest <= largest && largest <= 1e3f))
      detail::fail("patch: scales are ", smallest, " to ", largest, "; give positive ones up to 1000, the smaller first");
    for (float p : {faintest, rate, crossover, step})
      if (!(p >= 0 && p <= 1)) detail::fail("patch: faintest, rate, crossover or step is ", p, "; give values in [0, 1]");
  }

  /// n empty lists.
  template <class T, space S>
  [[nodiscard]] placements buffer(std::size_t n, view<T, 4, S> canvas) const {
    check();
    check_channels(canvas.shape[1]);
    return {{canvas.shape[1], canvas.shape[2], canvas.shape[3]}, copies, std::vector<placement>(n * copies)};
  }

  /// What an empty list leaves room for.
  [[nodiscard]] detail::vacancy vacancy(image_shape const& canvas) const {
    // A share such as .7f may be less than it says; its whole pixels are permitted all the same.
    return {canvas, overlap, static_cast<std::size_t>(double{area} * static_cast<double>(canvas[1] * canvas[2]) * (1 + 1e-7))};
  }

  /// Calls visit(detail::pasted) for those of a list that are shown, in order. Errors: a source that is not there, a scale outside
  /// (0, 1000], an opacity outside [0, 1].
  template <class Visit>
  void each_shown(std::span<placement const> list, image_shape const& canvas, Visit const& visit) const {
    auto room = vacancy(canvas);
    for (placement const& p : list) {
      if (p.source == placement::none) continue;
      detail::pasted const where = resolved(p);
      if (!room.takes(where)) continue;
      room.take(where);
      visit(where);
    }
  }

  /// The same as an array.
  [[nodiscard]] std::vector<detail::pasted> shown(std::span<placement const> list, image_shape const& canvas) const {
    std::vector<detail::pasted> result;
    each_shown(list, canvas, [&](detail::pasted const& one) { result.push_back(one); });
    return result;
  }

  /// Pixels of the canvas that a list covers.
  [[nodiscard]] std::size_t covered(std::span<placement const> list, image_shape const& canvas) const {
    detail::coverage all(canvas[1], canvas[2]);
    each_shown(list, canvas, [&](detail::pasted const& one) { all.cover({one, canvas[1], canvas[2]}); });
    return all.covered();
  }

  void decode(placements const& p, const_image_view<space::host> canvas, image_view<space::host> x) const {
    image_shape const shape{x.shape[1], x.shape[2], x.shape[3]};
    check_channels(shape[0]);
    // Those that make some 20 us go to a thread together.
    std::size_t const slice = 1 + (std::size_t{1} << 16) / x.stride();
    parallel_for((x.shape[0] + slice - 1) / slice, [&](std::size_t s, std::size_t) {
      for (std::size_t i = s * slice; i < std::min(x.shape[0], (s + 1) * slice); ++i) {
        auto const from = canvas.row(i % canvas.shape[0]);
        auto const image = x.row(i);
        std::copy(from.begin(), from.end(), image.begin());
        each_shown(p.row(i % p.size()), shape,
                   [&](detail::pasted const& one) { detail::paste(sources.images(), one, feather, image, shape); });
      }
    });
  }

  void draw(placements& children, rng const& random) const {
    for (std::size_t i = 0; i < children.size(); ++i) {
      auto stream = random.stream(i);
      auto const list = children.row(i);
      std::size_t const count = 1 + stream.below(static_cast<std::uint32_t>(copies));
      for (std::size_t k = 0; k < list.size(); ++k) list[k] = k < count ? drawn(children.canvas, stream) : placement{};
    }
  }

  void vary(placements const& parents, placements& children, rng const& random) const {
    children.all = parents.all;
    rng const crossing = random.fork(0), changing = random.fork(1);
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      auto stream = crossing.stream(i);
      if (!stream.chance(crossover)) continue;
      auto const one = children.row(i), other = children.row(i + 1);
      for (std::size_t k = 0; k < one.size(); ++k)
        if (stream.chance(.5f)) std::swap(one[k], other[k]);
    }
    for (std::size_t i = 0; i < children.size(); ++i) {
      auto stream = changing.stream(i);
      for (placement& p : children.row(i))
        if (stream.chance(rate)) change(p, children.canvas, stream);
    }
  }

  // The same in device memory: encodings/device/patch.hpp, which comes with an engine for devices.
  void decode(placements const& p, const_image_view<space::device> canvas, image_view<space::device> x) const;

 private:
  void check_channels(std::size_t of_images) const {
    if (of_images != sources.channels())
      detail::fail("patch: the patches have ", sources.channels(), " channels, the images ", of_images, "; take donors of the same kind");
  }
  [[nodiscard]] detail::pasted resolved(placement const& p) const {
    if (p.source >= sources.size()) detail::fail("patch: a placement shows patch ", p.source, " of ", sources.size());
    if (!(p.scale > 0 && p.scale <= 1e3f && p.opacity >= 0 && p.opacity <= 1))
      detail::fail("patch: a placement has scale ", p.scale, " and opacity ", p.opacity, "; give (0, 1000] and [0, 1]");
    auto const& from = sources.windows()[p.source];
    return {from, p.top, p.left, side(from.height, p.scale), side(from.width, p.scale), p.opacity};
  }
  [[nodiscard]] static std::int32_t side(std::size_t pixels, float scale) {
    return static_cast<std::int32_t>(std::clamp(std::round(static_cast<float>(pixels) * scale), 1.f, 1e9f));
  }

  [[nodiscard]] placement drawn(image_shape const& canvas, random_stream& stream) const {
    placement p;
    p.source = stream.below(static_cast<std::uint32_t>(sources.size()));
    p.scale = stream.uniform(smallest, largest);
    p.opacity = stream.uniform(faintest, 1);
    auto const& from = sources.windows()[p.source];
    p.top = drawn_place(canvas[1], side(from.height, p.scale), stream);
    p.left = drawn_place(canvas[2], side(from.width, p.scale), stream);
    return p;
  }
  [[nodiscard]] static std::int32_t drawn_place(std::size_t canvas, std::int32_t side, random_stream& stream) {
    auto const room = static_cast<std::int32_t>(canvas) - side;
    return std::min(room, 0) + static_cast<std::int32_t>(stream.below(static_cast<std::uint32_t>(std::abs(room)) + 1));
  }

  void change(placement& p, image_shape const& canvas, random_stream& stream) const {
    std::uint32_t const what = stream.below(6);
    placement const other = drawn(canvas, stream);
    if (what == 0 || p.source == placement::none) {
      p = other;
    } else if (what == 1) {
      p = {};
    } else if (what == 2) {
      p.source = other.source;
    } else if (what == 3) {
      detail::pasted const now = resolved(p);
      p.top = moved(p.top, now.height, canvas[1], stream);
      p.left = moved(p.left, now.width, canvas[2], stream);
    } else if (what == 4) {
      p.scale = other.scale;
    } else {
      p.opacity = other.opacity;
    }
  }
  [[nodiscard]] std::int32_t moved(std::int32_t place, std::int32_t side, std::size_t canvas, random_stream& stream) const {
    float const most = std::max(1.f, step * static_cast<float>(canvas));
    std::int64_t const there = place + std::llround(stream.uniform(-most, most));
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(there, 1 - side, static_cast<std::int64_t>(canvas) - 1));
  }
};

static_assert(PackedPopulation<placements>);
static_assert(EvolvableEncoding<patch, space::host>);

}  // namespace pareidolia
