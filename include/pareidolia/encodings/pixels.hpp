// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/colour_spaces.hpp>
#include <pareidolia/detail/dispatch.hpp>
#include <pareidolia/detail/painting.hpp>
#include <pareidolia/detail/slices.hpp>
#include <pareidolia/detail/variation.hpp>
#include <pareidolia/encoding.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pareidolia {

/// What the three genes of a place stand for: red, green and blue, or hue, saturation and value, or hue, lightness and saturation.
enum class pixel_colours : std::uint8_t { rgb, hsv, hls };

/// A batch of genotypes of `pixels`: one gene in [0, 1] for each value of an image.
template <space S>
struct pixel_genes;

template <>
struct pixel_genes<space::host> {
  std::size_t length = 0;    ///< genes of one genotype: channels * height * width
  std::vector<float> genes;  ///< (size(), length)

  [[nodiscard]] std::size_t size() const { return length == 0 ? 0 : genes.size() / length; }
  [[nodiscard]] view<float, 2> rows() { return {genes.data(), {size(), length}}; }
  [[nodiscard]] view<float const, 2> rows() const { return {genes.data(), {size(), length}}; }

  void assign(std::span<std::size_t const> to, pixel_genes const& source, std::span<std::size_t const> from) {
    copy_rows(source.rows(), from, rows(), to);
  }
};

/// The direct encoding of Nguyen, Yosinski and Clune (CVPR 2015): every value of the image is a gene of its own.
///
/// draw: genes uniform in [0, 1]. vary: each gene is selected with probability `rate`, independently; a selected gene v gets polynomial
/// mutation (Deb and Agrawal 1999): with u ~ U(0, 1),
///   delta = (2 u)^(1 / (eta + 1)) - 1          if u < 1/2
///           1 - (2 (1 - u))^(1 / (eta + 1))    otherwise
///   v <- clip(v + delta, 0, 1).
/// Before it, couples cross over with probability `crossover` by simulated binary crossover (SBX, Deb and Agrawal 1995, bounded form).
///
/// decode: genes are clipped to [0, 1]; with levels > 0 the image has x = floor(levels v) / (levels - 1), and x = 1 for v = 1, so uniform
/// genes give uniform levels and with 256 of them an 8-bit file holds exactly what the model saw; levels = 0: x = v. The channels are those
/// of the canvas. Where there are three and `colours` is not rgb, such x are hue, saturation and value (or hue, lightness and saturation),
/// and the red, green and blue that they mean are rounded to the nearest of the levels. pullback: dp = dx, summed over the canvases of a
/// genotype, times the derivatives of red, green and blue; rounding and clipping let gradients straight through. A neutral genotype shows
/// its canvas, in hsv and hls as nearly as the levels allow (greys exactly); otherwise only the canvas's shape matters.
///
/// Cost of vary: a copy, and for each gene that mutates two random numbers, one to find it and one to change it; SBX costs ten times as
/// much for a couple that crosses. The same on any number of threads; rounding may differ between processors with and without AVX2, and
/// from that of a device, where genotypes stay and which draws the same numbers.
struct pixels {
  float rate = 0.1f;            ///< probability that a gene mutates, in [0, 1]
  float eta = 15;               ///< strength of mutation: larger means smaller steps, at least 0
  float crossover = 0;          ///< probability that a couple crosses over, in [0, 1]; the released code has 0.5
  float crossover_eta = 10;     ///< larger means children nearer to their parents, at least 0
  std::size_t levels = 256;     ///< that a value of an image can take, 2 to 1024; 0: any value in [0, 1]
  std::size_t halve_every = 0;  ///< generations after which `rate` is halved, again and again; 0: never; the paper has 1000

  pixel_colours colours = pixel_colours::rgb;  ///< of images with 3 channels
  float hue_turns = 1;                         ///< hue of a gene of 1, in turns of the colour wheel, in [0, 1000]; for hsv and hls

  template <space S>
  using population = pixel_genes<S>;

  /// What the paper says (Sec. 2.2): mutation alone, its rate halved every 1000 generations; colours are HSV. Deviation: of its 256 values
  /// here each is drawn equally often.
  static constexpr pixels paper();

  /// The authors' code: the rate stays, half of the couples cross over, and the three bytes of a colour are hue, lightness and saturation
  /// as OpenCV reads them, whose hues end at 180 for one turn, so that genes go round 255 / 180 times. Deviations: it truncates 255 v,
  /// which leaves 255 to v = 1 alone; its SBX leaves genes that are equal in both parents unset, so that a champion paired with itself has
  /// grey children, here such genes are inherited; OpenCV's own rounding of a colour may differ by one level.
  static constexpr pixels released_code();

  template <class A>
  void settings(A& a) const {
    a.setting("pixels.rate", rate);
    a.setting("pixels.eta", eta);
    a.setting("pixels.crossover", crossover);
    a.setting("pixels.crossover_eta", crossover_eta);
    a.setting("pixels.levels", levels);
    a.setting("pixels.halve_every", halve_every);
    a.setting("pixels.colours", colours);
    a.setting("pixels.hue_turns", hue_turns);
  }

  /// Errors: a setting outside its range.
  void check() const {
    if (!(rate >= 0 && rate <= 1)) detail::fail("pixels: rate is ", rate, "; it is a probability, give a value in [0, 1]");
    if (!(eta >= 0)) detail::fail("pixels: eta is ", eta, "; give a value of at least 0");
    if (!(crossover >= 0 && crossover <= 1)) detail::fail("pixels: crossover is ", crossover, "; give a probability in [0, 1]");
    if (!(crossover_eta >= 0)) detail::fail("pixels: crossover_eta is ", crossover_eta, "; give a value of at least 0");
    if (levels == 1 || levels > 1024) detail::fail("pixels: levels is ", levels, "; give 2 to 1024, or 0 for any value in [0, 1]");
    if (!(hue_turns >= 0 && hue_turns <= 1000)) detail::fail("pixels: hue_turns is ", hue_turns, "; give a value in [0, 1000]");
  }

  /// The encoding as generation `generation` uses it: its rate, halved as often as the schedule says.
  [[nodiscard]] pixels at(std::size_t generation) const {
    pixels now = *this;
    if (halve_every != 0) now.rate = std::ldexp(rate, -static_cast<int>(std::min<std::size_t>(generation / halve_every, 1000)));
    now.halve_every = 0;
    return now;
  }

  /// n genotypes, each showing its canvas i mod canvases.
  [[nodiscard]] pixel_genes<space::host> buffer(std::size_t n, const_image_view<space::host> canvas) const {
    check();
    pixel_genes<space::host> p{canvas.stride(), {}};
    p.genes.reserve(n * p.length);
    for (std::size_t i = 0; i < n; ++i) {
      auto const shown = canvas.row(i % canvas.shape[0]);
      p.genes.insert(p.genes.end(), shown.begin(), shown.end());
      if (in_colours(canvas.shape[1])) name_colours(p.rows().row(i));
    }
    return p;
  }

  void decode(pixel_genes<space::host> const& p, const_image_view<space::host>, image_view<space::host> x) const {
    auto const best = detail::best_instruction_set();
    detail::in_slices(x.shape[0], worth(p.length), [&](std::size_t i) {
      std::span<float const> const genes = p.rows().row(i % p.size());
      auto const count = static_cast<float>(levels);
      if (!in_colours(x.shape[1]))
        detail::dispatch<detail::quantisation>(best, genes, x.row(i), count);
      else if (colours == pixel_colours::hsv)
        detail::dispatch<detail::painting<detail::hsv_space>>(best, genes, x.row(i), count, hue_turns);
      else
        detail::dispatch<detail::painting<detail::hls_space>>(best, genes, x.row(i), count, hue_turns);
    });
  }

  void pullback(pixel_genes<space::host> const& p, const_image_view<space::host>, const_image_view<space::host> dx,
                pixel_genes<space::host>& dp) const {
    auto const best = detail::best_instruction_set();
    detail::in_slices(p.size(), worth(p.length), [&](std::size_t g) {
      auto const sum = dp.rows().row(g);
      std::fill(sum.begin(), sum.end(), 0.f);
      for (std::size_t i = g; i < dx.shape[0]; i += p.size()) {
        auto const image = dx.row(i);
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += image[j];
      }
      if (!in_colours(dx.shape[1])) return;
      std::span<float const> const genes = p.rows().row(g);
      auto const count = static_cast<float>(levels);
      if (colours == pixel_colours::hsv)
        detail::dispatch<detail::painting_pullback<detail::hsv_space>>(best, genes, sum, count, hue_turns);
      else
        detail::dispatch<detail::painting_pullback<detail::hls_space>>(best, genes, sum, count, hue_turns);
    });
  }

  void draw(pixel_genes<space::host>& children, rng const& random) const {
    detail::in_slices(children.size(), worth(16 * children.length), [&](std::size_t i) {
      auto stream = random.stream(i);
      for (float& gene : children.rows().row(i)) gene = stream.uniform();
    });
  }

  void vary(pixel_genes<space::host> const& parents, pixel_genes<space::host>& children, rng const& random) const {
    auto const best = detail::best_instruction_set();
    rng const choice = random.fork(0), crossing = random.fork(1);
    std::size_t const count = children.size();
    // A gene that mutates or crosses costs about as much as 50 that are copied.
    double const work = worth(2 * children.length) * double{1 + 50 * (rate + crossover)};
    detail::in_slices((count + 1) / 2, work, [&](std::size_t couple) {
      std::size_t const first = 2 * couple, end = std::min(first + 2, count);
      auto const child = [&](std::size_t i) { return children.rows().row(i); };
      for (std::size_t i = first; i < end; ++i) std::copy_n(parents.rows().row(i).data(), children.length, child(i).data());
      if (end - first == 2 && choice.stream(first).chance(crossover))
        detail::dispatch<detail::simulated_binary_crossover>(best, child(first), child(first + 1), crossover_eta, crossing.key(),
                                                             std::uint64_t{first});
      for (std::size_t i = first; i < end; ++i)
        detail::dispatch<detail::polynomial_mutation>(best, child(i), rate, eta, random.key(), std::uint64_t{i});
    });
  }

  /// Every gene moves by the whole length in the direction of the sign of its slope, and stops at 0 and 1.
  template <space S>
  void climb(pixel_genes<S>& p, pixel_genes<S> const& dp, std::span<float const> lengths) const {
    storage<float, 2, S> signs(dp.rows().shape);
    copy(dp.rows(), signs.view());
    sign_rows(signs.view());
    axpy_rows(lengths, view<float const, 2, S>(signs.view()), p.rows());
    storage<float, 4, S> nothing({1, 1, 1, p.rows().shape[1]});
    clamp_to_box(view<float const, 4, S>(nothing.view()), p.rows());
  }

  // The same in device memory: encodings/device/pixels.hpp, which comes with an engine for devices.
  [[nodiscard]] pixel_genes<space::device> buffer(std::size_t n, const_image_view<space::device> canvas) const;
  void decode(pixel_genes<space::device> const& p, const_image_view<space::device>, image_view<space::device> x) const;
  void pullback(pixel_genes<space::device> const& p, const_image_view<space::device>, const_image_view<space::device> dx,
                pixel_genes<space::device>& dp) const;
  void draw(pixel_genes<space::device>& children, rng const& random) const;
  void vary(pixel_genes<space::device> const& parents, pixel_genes<space::device>& children, rng const& random) const;

 private:
  [[nodiscard]] bool in_colours(std::size_t channels) const { return channels == 3 && colours != pixel_colours::rgb; }

  // From red, green and blue to the genes that mean them.
  void name_colours(std::span<float> v) const {
    std::size_t const plane = v.size() / 3;
    for (std::size_t j = 0; j < plane; ++j) {
      float colour[3]{v[j], v[plane + j], v[2 * plane + j]};
      colours == pixel_colours::hsv ? detail::hsv_space::from_rgb(colour) : detail::hls_space::from_rgb(colour);
      v[j] = hue_turns > 0 ? std::min(colour[0] / hue_turns, 1.f) : 0;
      v[plane + j] = colour[1];
      v[2 * plane + j] = colour[2];
    }
  }

  // Nanoseconds that as many genes take, each worth one that is copied.
  [[nodiscard]] static double worth(std::size_t genes) { return 0.1 * static_cast<double>(genes); }
};

constexpr pixels pixels::paper() { return {.halve_every = 1000, .colours = pixel_colours::hsv}; }

constexpr pixels pixels::released_code() { return {.crossover = 0.5f, .colours = pixel_colours::hls, .hue_turns = 255 / 180.f}; }

static_assert(ClimbingEncoding<pixels, space::host> && ScheduledEncoding<pixels, space::host>);

}  // namespace pareidolia
