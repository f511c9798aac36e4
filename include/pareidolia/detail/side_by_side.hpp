// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// What the solver of one problem asks for: y of x.
struct question {
  std::size_t problem;
  std::span<float const> x;
  std::span<float> y;
};

/// Where solvers, each in its thread, meet the one thread that answers them.
class meeting {
 public:
  explicit meeting(std::size_t solvers) : solvers_(solvers) {}

  /// A solver waits here until q.y is written.
  void ask(question const& q) {
    std::unique_lock lock(mutex_);
    if (closed_) throw over{};
    waiting_.push_back(q);
    std::size_t const round = round_;
    if (waiting_.size() == solvers_) all_wait_.notify_one();
    answered_.wait(lock, [&] { return closed_ || round_ != round; });
    if (round_ == round) throw over{};
  }

  /// A solver goes, because nothing is left to do or by a failure, which ends the meeting.
  void leave(std::exception_ptr failure) noexcept {
    std::scoped_lock const lock(mutex_);
    --solvers_;
    if (failure && !closed_) failure_ = std::move(failure);
    if (failure_) close();
    if (waiting_.size() == solvers_) all_wait_.notify_one();
  }

  /// Whoever waits, or asks later, is sent away.
  void end() {
    std::scoped_lock const lock(mutex_);
    close();
  }

  /// Whenever all solvers wait: answer(questions), in the order of problems. Until there are none, or one has failed.
  template <class Answer>
  void answer_all(Answer const& answer) {
    for (;;) {
      std::unique_lock lock(mutex_);
      all_wait_.wait(lock, [&] { return closed_ || waiting_.size() == solvers_; });
      if (failure_) std::rethrow_exception(failure_);
      if (solvers_ == 0) return;
      std::ranges::sort(waiting_, {}, &question::problem);
      lock.unlock();  // all wait, so nobody comes
      answer(std::span<question const>(waiting_));
      lock.lock();
      waiting_.clear();
      ++round_;
      answered_.notify_all();
    }
  }

  /// What ask() throws once the meeting is over.
  struct over {};

 private:
  void close() {
    closed_ = true;
    answered_.notify_all();
    all_wait_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable all_wait_, answered_;
  std::vector<question> waiting_;
  std::size_t solvers_, round_ = 0;
  bool closed_ = false;
  std::exception_ptr failure_;
};

/// Lets solvers that know one problem, and call for one answer after the other, share batches: solve(i, ask) for i < n, of which `together`
/// run at a time, each in a thread of its own; ask(x, y) comes back when y is written. answer(questions) is called in the caller's thread
/// whenever all that run wait, with one question of each, in the order of problems.
///
/// The first exception of a solver, or that of answer(), ends all and is rethrown. Parallel loops of solvers are serial.
template <class Solve, class Answer>
void solve_side_by_side(std::size_t n, std::size_t together, Solve const& solve, Answer const& answer) {
  std::size_t const count = std::min(n, together);
  meeting here(count);
  std::atomic<std::size_t> next = 0;
  auto const work = [&] {
    loops_are_serial_here();
    std::exception_ptr failure;
    try {
      for (std::size_t i = next++; i < n; i = next++) solve(i, [&](std::span<float const> x, std::span<float> y) { here.ask({i, x, y}); });
    } catch (meeting::over const&) {
    } catch (...) {
      failure = std::current_exception();
    }
    here.leave(std::move(failure));
  };
  std::vector<std::jthread> threads;  // which are joined whatever happens
  try {
    for (std::size_t k = 0; k < count; ++k) threads.emplace_back(work);
    here.answer_all(answer);
  } catch (...) {
    here.end();
    throw;
  }
}

}  // namespace pareidolia::detail
