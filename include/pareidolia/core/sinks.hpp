// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/optimizer.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <unistd.h>

namespace pareidolia {

/// What the sinks of a run learn after each step.
struct step {
  standing where;
  double seconds = 0;        ///< since the run began
  double model_seconds = 0;  ///< of them, inside the model
};

/// A sink's answer: whether the run may go on. A run that is told to stop ends as if it were done, with the best it has.
enum class verdict : bool { stop, go_on };

/// Watches a run: called with each step, in the order of the arguments; returns nothing or a verdict.
template <class S>
inline constexpr bool is_sink = requires(S& s, step const& now) {
  { s(now) } -> std::same_as<void>;
}
|| requires(S& s, step const& now) {
  { s(now) } -> std::same_as<verdict>;
};
template <class S>
concept Sink = is_sink<std::remove_reference_t<S>>;

/// Options of a run, given among its sinks.
///
/// How many images go through the model at a time, where the attack leaves it open.
struct batch_size {
  std::size_t images = 64;
};
/// Whether the images found still do what they should when they are rounded to 8 bits, as in a file: outcome::quantized_success. Costs
/// one forward of the result.
struct quantized {};

template <class T>
inline constexpr bool is_run_option = std::same_as<std::remove_cvref_t<T>, batch_size> || std::same_as<std::remove_cvref_t<T>, quantized>;
template <class T>
concept RunOption = is_run_option<T>;

/// What may follow the rng of a run: sinks, options, and what keeps its state.
template <class T>
inline constexpr bool is_run_extra = Sink<T> || RunOption<T> || StateKeeper<T>;

/// A line on the terminal that says how far the run is, what its figures are and how long it will take:
///
///     direct      [############........]  121/200   3.4 s   replaced 3   median 0.99982   min 0.97210
///
/// Redrawn ten times a second on a terminal; elsewhere one line each tenth of the run.
class progress {
 public:
  explicit progress(std::string title = {}, std::FILE* out = stderr)
      : title_(std::move(title)), out_(out), terminal_(isatty(fileno(out)) == 1) {}

  void operator()(step const& now) {
    auto const [done, of, figures] = now.where;
    bool const last = of != 0 && done >= of;
    if (!due(done, of, last)) return;
    std::string line = title_;
    if (of != 0) {
      constexpr std::size_t width = 20;
      std::size_t const filled = width * std::min(done, of) / of;
      line += " [" + std::string(filled, '#') + std::string(width - filled, '.') + "]";
    }
    char number[64];
    auto const append = [&](char const* format, auto... values) {
      std::snprintf(number, sizeof number, format, values...);
      line += number;
    };
    append(of != 0 ? " %5zu/%zu" : " %5zu", done, of);
    append("  %.1f s", now.seconds);
    for (figure const& f : figures) append("  %.*s %.6g", static_cast<int>(f.name.size()), f.name.data(), f.value);
    std::fprintf(out_, terminal_ ? (last ? "\r%s\033[K\n" : "\r%s\033[K") : "%s\n", line.c_str());
    std::fflush(out_);
    open_ = terminal_ && !last;
  }

  ~progress() {
    if (open_) std::fputc('\n', out_);
  }
  progress(progress const&) = default;
  progress& operator=(progress const&) = default;

 private:
  using clock = std::chrono::steady_clock;

  bool due(std::size_t done, std::size_t of, bool last) {
    if (terminal_) {
      auto const now = clock::now();
      if (!last && now - last_ < std::chrono::milliseconds(100)) return false;
      last_ = now;
      return true;
    }
    std::size_t const tenth = of != 0 ? 10 * done / of : done / 100;
    if (!last && tenth == tenth_) return false;
    tenth_ = tenth;
    return true;
  }

  std::string title_;
  std::FILE* out_;
  bool terminal_, open_ = false;
  clock::time_point last_{};
  std::size_t tenth_ = 0;
};

/// The figures of every step, in memory: one row a step, one column a figure.
struct history {
  std::vector<std::string> names;         ///< of the columns
  std::vector<std::size_t> steps;         ///< of the rows
  std::vector<std::vector<double>> rows;  ///< (steps, figures)

  /// The column of that name, empty if there is none.
  [[nodiscard]] std::vector<double> column(std::string_view name) const {
    std::vector<double> values;
    auto const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return values;
    for (auto const& row : rows) values.push_back(row[static_cast<std::size_t>(found - names.begin())]);
    return values;
  }
};

/// Writes the figures of each step into a history that outlives the run. The history is part of the state of a run that is kept.
class recorder {
 public:
  explicit recorder(history& log) : log_(&log) {}

  template <class A>
  void state(A& a) {
    std::vector<double> values;
    for (auto const& row : log_->rows) values.insert(values.end(), row.begin(), row.end());
    a("names", log_->names);
    a("steps", log_->steps);
    a("values", values);
    if constexpr (A::reading) {
      std::size_t const width = log_->names.size();
      if (values.size() != width * log_->steps.size()) detail::fail("recorder: the history that was kept is damaged; begin anew");
      log_->rows.clear();
      for (auto row = values.begin(); row != values.end(); row += static_cast<std::ptrdiff_t>(width))
        log_->rows.emplace_back(row, row + static_cast<std::ptrdiff_t>(width));
    }
  }

  void operator()(step const& now) {
    if (log_->names.empty())
      for (figure const& f : now.where.figures) log_->names.emplace_back(f.name);
    std::vector<double> row;
    for (figure const& f : now.where.figures) row.push_back(f.value);
    log_->steps.push_back(now.where.step);
    log_->rows.push_back(std::move(row));
  }

 private:
  history* log_;
};

/// Ends the run after the first step that is told that many seconds after this was made.
///
/// With a checkpoint a long run can be made of short ones: each goes on where the last one ended.
class time_limit {
 public:
  explicit time_limit(double seconds) : seconds_(seconds) {
    if (!(seconds > 0)) detail::fail("time_limit: seconds is ", seconds, "; give more than 0");
  }

  verdict operator()(step const&) const {
    return std::chrono::duration<double>(clock::now() - begin_).count() < seconds_ ? verdict::go_on : verdict::stop;
  }

 private:
  using clock = std::chrono::steady_clock;

  double seconds_;
  clock::time_point begin_ = clock::now();
};

/// Ends the run at the first SIGINT (Ctrl-C) with what there is; a second one kills the process as usual.
///
/// The handler is installed by the constructor and the former one restored by the destructor, so let it live where the work is; several may
/// be nested. A run made after the signal ends after its first step. Probes of geometry, which have no steps, end with an interruption.
class stop_on_interrupt {
 public:
  stop_on_interrupt() : former_(std::signal(SIGINT, &on_signal)) {}
  stop_on_interrupt(stop_on_interrupt const&) = delete;
  stop_on_interrupt& operator=(stop_on_interrupt const&) = delete;
  ~stop_on_interrupt() { std::signal(SIGINT, former_); }

  verdict operator()(step const&) const { return interrupted() ? verdict::stop : verdict::go_on; }

  /// True once a SIGINT has come while one of these was alive.
  [[nodiscard]] static bool interrupted() { return flag() != 0; }

 private:
  static std::sig_atomic_t volatile& flag() {
    static volatile std::sig_atomic_t raised = 0;
    return raised;
  }
  static void on_signal(int) {
    flag() = 1;
    std::signal(SIGINT, SIG_DFL);
  }
  using handler = void (*)(int);
  handler former_;
};

/// What a measurement ends with that a SIGINT came into while a stop_on_interrupt was alive.
class interruption : public error {
 public:
  using error::error;
};

namespace detail {

struct run_options {
  std::size_t batch = batch_size{}.images;
  bool quantized = false;
};

/// The options among what a caller gave; a later one counts.
template <class... Extras>
[[nodiscard]] run_options options_of(Extras const&... extras) {
  run_options options;
  [[maybe_unused]] auto const note = [&](auto const& extra) {
    using type = std::remove_cvref_t<decltype(extra)>;
    if constexpr (std::same_as<type, batch_size>) {
      if (extra.images == 0) fail("batch_size: 0 images; give at least 1");
      options.batch = extra.images;
    }
    if constexpr (std::same_as<type, quantized>) options.quantized = true;
  };
  (note(extras), ...);
  return options;
}

/// Calls each sink; false if one said stop.
template <class... Sinks>
bool inform(step const& now, Sinks&... sinks) {
  bool go_on = true;
  [[maybe_unused]] auto const tell = [&](auto& sink) {  // unused by a run without sinks
    if constexpr (RunOption<decltype(sink)> || StateKeeper<decltype(sink)>)
      return;
    else if constexpr (std::same_as<decltype(sink(now)), verdict>)
      go_on = sink(now) == verdict::go_on && go_on;
    else
      sink(now);
  };
  (tell(sinks), ...);
  return go_on;
}

}  // namespace detail
}  // namespace pareidolia
