// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>

#include <omp.h>

namespace pareidolia::detail {

/// While it lives, parallel regions started by this thread use `count` threads: what is compiled under it expects as many when it runs.
class thread_limit {
 public:
  explicit thread_limit(std::size_t count) : former_(omp_get_max_threads()) { omp_set_num_threads(static_cast<int>(count)); }
  thread_limit(thread_limit const&) = delete;
  thread_limit& operator=(thread_limit const&) = delete;
  ~thread_limit() { omp_set_num_threads(former_); }

 private:
  int former_;
};

}  // namespace pareidolia::detail
