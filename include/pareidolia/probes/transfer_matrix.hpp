// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/resize.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/class_confidence.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// A model by its name, with what was found for it. Both must outlive it.
template <class M>
struct evolved {
  std::string name;
  M const& model;
  outcome const& found;
};
template <class M>
evolved(std::string, M const&, outcome const&) -> evolved<M>;

/// How much of what fools one model fools others: images found for each of several models, scored on each of them (Nguyen, Yosinski and
/// Clune, CVPR 2015, section 3.5: some images reach 99.99 % on two networks, others are made for their own).
///
/// The confidence of an image is softmax of its class: the one that was to be reached, or what an image of an untargeted attack is taken
/// for. Models must have the same classes. A model that takes images of another size is shown them resized, as photographs would be.
///
/// Cost: one forward of each image by each model, its own too, in batches of `batch`. Errors: an outcome without images, models of other
/// classes or channels.
///
///     auto const found = transfer_matrix{}.measure(evolved{"GoogLeNet", googlenet, a}, evolved{"SqueezeNet", squeezenet, b});
struct transfer_matrix {
  float threshold = .99f;  ///< from which on an image convinces
  std::size_t batch = 64;

  struct result {
    float threshold = .99f;
    std::vector<std::string> names = {};  ///< (models)
    /// (models, models): of the images of the first, what the second says of each.
    std::vector<std::vector<std::vector<float>>> confidence = {};
    std::vector<std::vector<double>> seen =
        {};  ///< (models, models), share of the images of the first that the second takes for their class

    [[nodiscard]] std::size_t size() const { return names.size(); }

    /// The share of the images of model i that convince it and model j too.
    [[nodiscard]] double both(std::size_t i, std::size_t j) const { return share(i, j, true); }
    /// The share of the images of model i that convince it, but not model j.
    [[nodiscard]] double own_only(std::size_t i, std::size_t j) const { return share(i, j, false); }

    [[nodiscard]] double mean(std::size_t i, std::size_t j) const {
      auto const& all = confidence[i][j];
      return std::accumulate(all.begin(), all.end(), 0.) / static_cast<double>(all.size());
    }
    [[nodiscard]] double median(std::size_t i, std::size_t j) const {
      return detail::quantile_of({confidence[i][j].begin(), confidence[i][j].end()}, .5);
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      std::vector<named_figure> all;
      for (std::size_t i = 0; i < size(); ++i)
        for (std::size_t j = 0; j < size(); ++j) {
          std::string const pair = names[i] + " on " + names[j] + ", ";
          all.emplace_back(pair + "mean", mean(i, j));
          all.emplace_back(pair + "both", both(i, j));
          all.emplace_back(pair + "own only", own_only(i, j));
        }
      return all;
    }
    /// Confidences as <prefix><i>_on_<j>, by the numbers of the models.
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      std::vector<named_array> all;
      for (std::size_t i = 0; i < size(); ++i)
        for (std::size_t j = 0; j < size(); ++j)
          all.push_back(detail::named_values(prefix + std::to_string(i) + "_on_" + std::to_string(j), confidence[i][j]));
      return all;
    }

   private:
    [[nodiscard]] double share(std::size_t i, std::size_t j, bool other) const {
      std::size_t count = 0;
      for (std::size_t k = 0; k < confidence[i][j].size(); ++k)
        count += confidence[i][i][k] >= threshold && (confidence[i][j][k] >= threshold) == other;
      return static_cast<double>(count) / static_cast<double>(confidence[i][j].size());
    }
  };

  /// Of models of any types.
  template <Model... Ms>
  [[nodiscard]] result measure(evolved<Ms> const&... all) const {
    return score({entry_of(all)...});
  }
  /// Of models of one type, as many as there are.
  template <Model M>
  [[nodiscard]] result measure(std::span<evolved<M> const> all) const {
    std::vector<entry> entries;
    for (evolved<M> const& one : all) entries.push_back(entry_of(one));
    return score(entries);
  }

 private:
  /// A model whose type is forgotten.
  struct entry {
    std::string name;
    std::size_t channels, classes;
    outcome const* found;
    std::function<detail::class_confidence(outcome const&)> answers;
  };

  template <class M>
  [[nodiscard]] entry entry_of(evolved<M> const& one) const {
    auto const answers = [&model = one.model, n = batch](outcome const& found) {
      auto const images = as_view(found.images);
      auto const [channels, height, width] = model.input();
      bool const same = height == images.shape[2] && width == images.shape[3];
      auto const show = [&images, same, h = height, w = width](std::size_t k, std::span<float> to) {
        view<float const, 3> const image{images.row(k).data(), {images.shape[1], images.shape[2], images.shape[3]}};
        if (same)
          std::ranges::copy(images.row(k), to.begin());
        else
          std::ranges::copy(pareidolia::resize(image, h, w), to.begin());
      };
      return detail::confidence_of(model, images.shape[0], detail::classes_of(found), n, show);
    };
    return {one.name, one.model.input()[0], static_cast<std::size_t>(one.model.classes()), &one.found, answers};
  }

  [[nodiscard]] result score(std::vector<entry> const& all) const {
    if (batch == 0) detail::fail("transfer_matrix: batch is 0; give at least 1");
    result r{.threshold = threshold};
    for (entry const& e : all) r.names.push_back(e.name);
    for (entry const& from : all) {
      r.confidence.emplace_back(), r.seen.emplace_back();
      auto const& s = from.found->images.shape();
      if (s[0] == 0) detail::fail("transfer_matrix: nothing was found for ", from.name, "; give an outcome with images");
      for (entry const& on : all) {
        if (s[1] != on.channels)
          detail::fail("transfer_matrix: images of ", from.name, " have ", s[1], " channels, ", on.name, " takes ", on.channels,
                       "; give models of the same");
        if (from.found->scores.shape()[1] != on.classes)
          detail::fail("transfer_matrix: images of ", from.name, " were found for ", from.found->scores.shape()[1], " classes, ", on.name,
                       " has ", on.classes, "; give models of the same classes");
        auto answers = on.answers(*from.found);
        auto const classes = detail::classes_of(*from.found);
        std::size_t right = 0;
        for (std::size_t k = 0; k < classes.size(); ++k) right += answers.labels[k] == classes[k];
        r.seen.back().push_back(static_cast<double>(right) / static_cast<double>(classes.size()));
        r.confidence.back().push_back(std::move(answers.probabilities));
      }
    }
    return r;
  }
};

}  // namespace pareidolia
