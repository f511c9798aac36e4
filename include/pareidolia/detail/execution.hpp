// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/outcome.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/sinks.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/explain.hpp>
#include <pareidolia/detail/finished_images.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/detail/session.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia::detail {

template <class P>
std::size_t images_of(P const& population, std::size_t canvases) {
  return std::max<std::size_t>(population.size(), canvases);
}

inline void check_images(const_image_view<space::host> images, image_shape const& input) {
  auto const& s = images.shape;
  if (s[0] == 0) fail("run: no images were given; blank(model.input()) is the canvas of attacks that start from nothing");
  if (image_shape const given{s[1], s[2], s[3]}; given != input)
    fail("run: the images are ", given[0], "x", given[1], "x", given[2], " (channels x height x width), the model wants ", input[0], "x",
         input[1], "x", input[2]);
  for (std::size_t j = 0; j < images.size(); ++j)
    if (float const v = images.data[j]; !(v >= 0 && v <= 1))
      fail("run: image ", j / images.stride(), " has a pixel of ", v, "; pixels must be in [0, 1]");
}

inline void check_canvas(labelled_images const& canvas, image_shape const& input, bool needs_labels, std::size_t classes) {
  check_images(as_view(canvas.images), input);
  if (needs_labels && canvas.labels.size() != canvas.size())
    fail("run: ", canvas.size(), " images but ", canvas.labels.size(), " labels; this attack needs one class per image");
  for (int label : canvas.labels)
    if (label < 0 || static_cast<std::size_t>(label) >= classes)
      fail("run: a label is ", label, "; the model's classes are 0 to ", classes - 1);
}

/// One run of an attack: the loop of ask and tell, the buffers it needs, and the batch.
///
/// Where the search goes image by image, the batch holds as many canvases as it may; those that are done leave it and waiting ones enter.
/// Where it samples canvases, the batch holds those of the step. Else it holds all.
template <class E, class B, class O, class M>
class execution {
 public:
  static constexpr space S = M::memory;
  static constexpr feeding how = feeding_of<O, E, S>();
  static constexpr bool classwise = how == feeding::classes;
  static constexpr bool imagewise = ImagewiseOptimizer<O, E, S>;
  static constexpr bool sampling = SamplingOptimizer<O, E, S>;

  execution(E const& encoding, B const& objective, O const& optimizer, M const& model, labelled_images const& canvas, rng const& random,
            run_options const& options)
      : encoding_(encoding),
        objective_(objective),
        optimizer_(optimizer),
        canvas_(canvas),
        images_(as_view(canvas.images)),
        options_(options),
        pass_(model),
        classes_(pass_.classes()),
        whole_(imagewise ? images_.rows(0, 0) : images_),
        batch_(images_),
        seats_(images_of_seats()),
        shown_(seat()),
        search_(optimizer.start(encoding, shown_, random)) {
    label_canvases();
    std::size_t const canvases = images_.shape[0];
    if constexpr (imagewise) {
      result_.images = canvas.images;  // what an image that never had its turn ends as
      succeeded_.resize(canvases);
      for (std::size_t i = seats_.size(); i < canvases; ++i) waiting_.push_back(i);
    }
    if constexpr (!classwise) {
      result_.forwards_spent.assign(canvases, 0);
      result_.backwards_spent.assign(canvases, 0);
    }
  }

  [[nodiscard]] bool done() const {
    if constexpr (imagewise)
      return seats_.empty();
    else
      return search_.done();
  }

  /// What was asked for, through the model, and the answer back to the search.
  void advance() {
    auto const& population = search_.ask();
    if constexpr (sampling) {
      auto const chosen = std::span<std::size_t const>(search_.canvases());
      seats_.assign(chosen.begin(), chosen.end());
      shown_ = batch_.sit(seats_);
    }
    auto const y = evaluate(population, shown_);
    spend(result_.forwards_spent);
    feed(population, y);
    ++result_.steps;
    if constexpr (imagewise) settle(false);
  }

  [[nodiscard]] step now() {
    double const in_model = model_seconds();  // which may wait for the model
    if constexpr (imagewise) {
      std::size_t const finished = images_.shape[0] - waiting_.size() - seats_.size();
      figures_ = {{{"finished", static_cast<double>(finished)}, {"fooled", static_cast<double>(fooled_)}}};
      // Progress by images where they come in turns, else by the steps of the one batch.
      if (images_.shape[0] > options_.batch) return {{finished, images_.shape[0], figures_}, seconds(), in_model};
      standing const where = search_.where();
      return {{where.step, where.steps, figures_}, seconds(), in_model};
    } else {
      return {search_.where(), seconds(), in_model};
    }
  }

  /// What the run must have in common with the one whose state was kept, and where it was.
  template <class A>
  void state(A& a) {
    hasher canvas;
    for (std::size_t extent : images_.shape) canvas.add(extent);
    canvas.add(images_.flat());
    for (int label : canvas_.labels) canvas.add(static_cast<std::uint64_t>(label));
    a.setting("canvas", canvas.value());
    a.setting("classes", classes_);
    a.setting("encoding", type_spelling<E>());
    a.setting("objective", type_spelling<B>());
    a.setting("optimizer", type_spelling<O>());
    describe(a, "encoding", encoding_);
    describe(a, "objective", objective_);
    describe(a, "optimizer", optimizer_);
    a("steps", result_.steps);
    double all = seconds(), inside = model_seconds();
    a("seconds", all);
    a("model seconds", inside);
    if constexpr (A::reading) seconds_before_ = all, model_seconds_before_ = inside;
    if constexpr (imagewise) {
      done_images(a);
    } else {
      a("forwards", pass_.forwards);
      a("backwards", pass_.backwards);
      a("forwards spent", result_.forwards_spent);
      a("backwards spent", result_.backwards_spent);
      a("search", search_);
    }
  }

  /// Ends it before it is done: the answer is what there is.
  void interrupt() {
    result_.complete = done();
    if constexpr (imagewise) settle(true);
  }

  /// The answer, once more through the model: what is reported is what these images score.
  outcome finish(std::uint64_t seed, std::uint64_t fingerprint) {
    if (result_.steps == 0) fail("run: the optimizer was done before its first step; give it at least one");
    if constexpr (!imagewise) show_best();
    if constexpr (requires { search_.births(); }) result_.births = search_.births();
    std::size_t const count = result_.images.shape()[0], canvases = images_.shape[0];
    result_.scores = filled<float, 2>({count, classes_});
    result_.distances = filled<float, 2>({count, 4});
    result_.values.resize(count);
    result_.labels.resize(count);
    result_.success.resize(count);
    auto const before = std::exchange(result_.before, {});
    for (std::size_t i = 0; i < count; ++i) {
      result_.targets.push_back(target(i));
      result_.before.push_back(before[i % canvases]);
    }
    in_chunks(count, [&](std::size_t first, std::size_t n) { verify(first, n); });
    if (options_.quantized) {
      result_.quantized_success.resize(count);
      in_chunks(count, [&](std::size_t first, std::size_t n) { quantize(first, n); });
    }
    result_.forwards = pass_.forwards;
    result_.backwards = pass_.backwards;
    result_.model_seconds = model_seconds();
    result_.seconds = seconds();
    result_.seed = seed;
    result_.model = fingerprint;
    return std::move(result_);
  }

 private:
  using search = search_t<O, E, S>;
  using population = population_t<E, S>;

  // Since the run began, in all the processes that have had a part in it.
  [[nodiscard]] double seconds() const {
    return seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  [[nodiscard]] double model_seconds() { return model_seconds_before_ + pass_.seconds(); }

  // Images that are done. Those in the batch begin anew when the run is taken up, and what was spent on them is forgotten: the answer of
  // each image depends on itself alone.
  template <class A>
  void done_images(A& a) {
    finished_images done(result_, succeeded_, done_images());
    done.state(a);
    if constexpr (A::reading) {
      done.put(result_, succeeded_);
      for (std::uint32_t spent : done.forwards) pass_.forwards += spent;
      for (std::uint32_t spent : done.backwards) pass_.backwards += spent;
      for (std::uint8_t success : done.succeeded) fooled_ += success;
      begin_without(done.which);
    }
  }

  [[nodiscard]] std::vector<std::size_t> done_images() const {
    std::vector<std::uint8_t> unfinished(images_.shape[0]);
    for (std::size_t i : seats_) unfinished[i] = 1;
    for (std::size_t i : waiting_) unfinished[i] = 1;
    std::vector<std::size_t> finished;
    for (std::size_t i = 0; i < unfinished.size(); ++i)
      if (unfinished[i] == 0) finished.push_back(i);
    return finished;
  }

  // A batch of the first images but those.
  void begin_without(std::vector<std::size_t> const& finished) {
    waiting_.clear();
    for (std::size_t i = 0, k = 0; i < images_.shape[0]; ++i)
      if (k < finished.size() && finished[k] == i)
        ++k;
      else
        waiting_.push_back(i);
    seats_.clear();
    for (; !waiting_.empty() && seats_.size() < options_.batch; waiting_.pop_front()) seats_.push_back(waiting_.front());
    if (seats_.empty()) return;
    shown_ = batch_.sit(seats_);
    std::vector<std::size_t> const from(seats_.size(), turnover::none);
    std::vector<std::uint64_t> const ids(seats_.begin(), seats_.end());
    search_.replace(turnover{from, ids}, shown_);
  }

  [[nodiscard]] std::vector<std::size_t> images_of_seats() const {
    std::vector<std::size_t> who(imagewise ? std::min(options_.batch, images_.shape[0]) : images_.shape[0]);
    std::iota(who.begin(), who.end(), std::size_t{0});
    return who;
  }
  [[nodiscard]] const_image_view<S> seat() {
    if constexpr (imagewise)
      return batch_.sit(seats_);
    else
      return whole_.view();
  }
  [[nodiscard]] int target(std::size_t i) const {
    return classwise ? static_cast<int>(i % classes_) : canvas_.labels[i % images_.shape[0]];
  }

  template <class Body>
  void in_chunks(std::size_t count, Body const& body) const {
    for (std::size_t first = 0; first < count; first += options_.batch) body(first, std::min(options_.batch, count - first));
  }

  // Class of each canvas, before anything is done to it.
  void label_canvases() {
    result_.before.resize(images_.shape[0]);
    in_chunks(images_.shape[0], [&](std::size_t first, std::size_t n) {
      copy(images_.rows(first, n), pass_.images(n));
      argmax(pass_.forward(n), std::span(result_.before).subspan(first, n));
    });
  }

  const_score_view<S> evaluate(population const& p, const_image_view<S> canvas) {
    std::size_t const count = images_of(p, canvas.shape[0]);
    encoding_.decode(p, canvas, pass_.images(count));
    return pass_.forward(count);
  }

  value_view<S> values(std::size_t count) {
    if (values_.view().shape[0] < count) values_ = storage<float, 1, S>({count});
    return values_.view().rows(0, count);
  }

  void feed(population const& p, const_score_view<S> y) {
    std::size_t const count = y.shape[0];
    if constexpr (classwise) {
      if (class_values_.view().shape[0] < count) class_values_ = storage<float, 2, S>({count, classes_});
      auto const v = class_values_.view().rows(0, count);
      objective_.values(y, v);
      search_.tell(classwise_evaluation<S>{y, v});
      if constexpr (TargetingOptimizer<O, E, S>)
        if (label_view const targets = search_.targets(); !targets.empty()) {
          objective_.seed(y, targets, pass_.seeds(count));
          search_.learn(pulled_back(p, count, false));
        }
    } else {
      targets_.resize(count);
      labels_.resize(count);
      for (std::size_t i = 0; i < count; ++i) targets_[i] = target(seats_[i % seats_.size()]);
      argmax(y, labels_);
      auto const v = values(count);
      objective_.value(y, targets_, v);
      add_image_value(pass_.images(count), shown_, v);
      evaluation<S> const e{y, v, targets_, labels_, B::targeted};
      if constexpr (imagewise)
        for (std::size_t i = 0; i < count; ++i)
          if (e.success(i)) succeeded_[seats_[i]] = 1;
      if constexpr (how == feeding::gradients)
        feed_gradients(p, e);
      else if constexpr (how == feeding::jacobian)
        feed_jacobian(p, e);
      else
        search_.tell(e);
    }
  }

  void feed_gradients(population const& p, evaluation<S> const& e) {
    if constexpr (SparingSearch<search, E, S>)
      if (!search_.wants_gradients()) return search_.tell(e);
    std::size_t const count = e.targets.size();
    objective_.seed(e.scores, e.targets, pass_.seeds(count));
    search_.tell(e, pulled_back(p, count, true));
  }

  void feed_jacobian(population const& p, evaluation<S> const& e) {
    std::size_t const count = e.targets.size(), wanted = search_.backwards(e);
    for (std::size_t k = 0; k < wanted; ++k) {
      search_.seed(k, pass_.seeds(count));
      search_.learn(k, pulled_back(p, count, false));
    }
    search_.tell(e);
  }

  // Gradients with respect to the genotypes, of what the seeds say.
  population const& pulled_back(population const& p, std::size_t count, bool of_objective) {
    auto const dx = pass_.backward(count);
    if (of_objective) add_image_gradient(pass_.images(count), shown_, dx);
    spend(result_.backwards_spent);
    auto const size = static_cast<std::size_t>(p.size());
    if (!gradient_ || static_cast<std::size_t>(gradient_->size()) != size) gradient_.reset(new population(encoding_.buffer(size, shown_)));
    encoding_.pullback(p, shown_, const_image_view<S>(dx), *gradient_);
    return *gradient_;
  }

  void add_image_value(const_image_view<S> x, const_image_view<S> canvas, value_view<S> v) const {
    if constexpr (ImageObjective<B, S>) objective_.add_value(x, canvas, v);
  }
  void add_image_gradient(const_image_view<S> x, const_image_view<S> canvas, image_view<S> dx) const {
    if constexpr (ImageObjective<B, S>) objective_.add_gradient(x, canvas, dx);
  }

  void spend(std::vector<std::uint32_t>& passes) const {
    if (!passes.empty())
      for (std::size_t i : seats_) ++passes[i];
  }

  // Images that are done, or all, leave with their answers; waiting ones enter.
  void settle(bool all) {
    std::span<std::uint8_t const> const finished = search_.finished();
    std::vector<std::size_t> leaving, from, who;
    std::vector<std::uint64_t> ids;
    std::size_t const count = seats_.size();
    for (std::size_t i = 0; i < count; ++i)
      if (all || finished[i] != 0) leaving.push_back(i);
    if (leaving.empty()) return;
    auto const& best = search_.best();
    auto const x = pass_.images(count);
    encoding_.decode(best, shown_, x);
    for (std::size_t i : leaving) {
      copy(const_image_view<S>(x.rows(i, 1)), as_view(result_.images).rows(seats_[i], 1));
      if (!all) fooled_ += succeeded_[seats_[i]];
    }
    if (all) return;
    // Waiting images take the places of those that left; when none waits, those behind move up.
    std::size_t kept = count;
    for (std::size_t i = 0; i < kept; ++i) {
      if (finished[i] == 0) {
        from.push_back(i), who.push_back(seats_[i]);
      } else if (!waiting_.empty()) {
        from.push_back(turnover::none), who.push_back(waiting_.front());
        waiting_.pop_front();
      }
    }
    ids.assign(who.begin(), who.end());
    seats_ = std::move(who);
    if (seats_.empty()) return;
    shown_ = batch_.sit(seats_);
    search_.replace(turnover{from, ids}, shown_);
  }

  // Genotype i mod genotypes on canvas i mod canvases, a batch at a time.
  void show_best() {
    population const& best = search_.best();
    auto const genotypes = static_cast<std::size_t>(best.size());
    std::size_t const canvases = images_.shape[0], count = images_of(best, canvases);
    result_.images = filled<float, 4>({count, images_.shape[1], images_.shape[2], images_.shape[3]});
    in_chunks(count, [&](std::size_t first, std::size_t n) {
      std::vector<std::size_t> here(n), genotype, canvas;
      std::iota(here.begin(), here.end(), std::size_t{0});
      for (std::size_t i = first; i < first + n; ++i) genotype.push_back(i % genotypes), canvas.push_back(i % canvases);
      auto const shown = batch_.sit(canvas);
      population part(encoding_.buffer(n, shown));
      part.assign(here, best, genotype);
      auto const x = pass_.images(n);
      encoding_.decode(part, shown, x);
      copy(const_image_view<S>(x), as_view(result_.images).rows(first, n));
    });
    if (genotypes != 1 || canvases == 1) return;
    if constexpr (VectorPopulation<population, S>) {
      result_.shared = filled<float, 2>(best.rows().shape);
      copy(best.rows(), as_view(result_.shared));
    } else if constexpr (PackedPopulation<population>) {
      result_.shared = best.packed();
    }
  }

  void verify(std::size_t first, std::size_t n) {
    auto const x = pass_.images(n);
    copy(const_image_view<space::host>(as_view(result_.images).rows(first, n)), x);
    auto const y = pass_.forward(n);
    auto const v = values(n);
    auto const targets = label_view(result_.targets).subspan(first, n);
    std::vector<std::size_t> canvas;
    for (std::size_t i = first; i < first + n; ++i) canvas.push_back(i % images_.shape[0]);
    auto const shown = batch_.sit(canvas);
    objective_.value(y, targets, v);
    add_image_value(x, shown, v);
    copy(y, as_view(result_.scores).rows(first, n));
    copy(const_value_view<S>(v), value_view<space::host>{result_.values.data() + first, {n}});
    distances(const_image_view<S>(x), shown, as_view(result_.distances).rows(first, n));
    argmax(y, std::span(result_.labels).subspan(first, n));
    for (std::size_t i = first; i < first + n; ++i) result_.success[i] = (result_.labels[i] == result_.targets[i]) == B::targeted;
  }

  void quantize(std::size_t first, std::size_t n) {
    auto rounded = filled<float, 4>({n, images_.shape[1], images_.shape[2], images_.shape[3]});
    auto const x = as_view(result_.images).rows(first, n);
    std::transform(x.data, x.data + x.size(), rounded.data(), [](float v) { return std::round(v * 255) / 255; });
    copy(const_image_view<space::host>(as_view(rounded)), pass_.images(n));
    std::vector<int> labels(n);
    argmax(pass_.forward(n), labels);
    for (std::size_t i = 0; i < n; ++i) result_.quantized_success[first + i] = (labels[i] == result_.targets[first + i]) == B::targeted;
  }

  E const& encoding_;
  B const& objective_;
  O const& optimizer_;
  labelled_images const& canvas_;
  const_image_view<space::host> images_;
  run_options options_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double seconds_before_ = 0, model_seconds_before_ = 0;  // of a run that was taken up
  outcome result_;
  session<M> pass_;
  std::size_t classes_;
  canvas_in<S> whole_;  // nothing where images come in turns
  seating<S> batch_;
  std::vector<std::size_t> seats_;  // the canvases of the step
  const_image_view<S> shown_;
  storage<float, 1, S> values_;
  storage<float, 2, S> class_values_;
  std::vector<int> targets_, labels_;
  std::unique_ptr<population> gradient_;  // in one place, since a population need not be movable
  std::deque<std::size_t> waiting_;       // images that were not begun
  std::vector<std::uint8_t> succeeded_;   // (canvases), 1 where the search has seen a success
  std::size_t fooled_ = 0;                // of the images that are done those
  std::array<figure, 2> figures_{};
  search search_;
};

}  // namespace pareidolia::detail
