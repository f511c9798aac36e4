// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace pareidolia::detail {

[[nodiscard]] inline bool is_gzip(file_reader& file) { return file.peek(0, 2).starts_with("\x1f\x8b"); }

/// The content of a gzip file of one member, unpacked while it is read. Errors: damaged, cut short, followed by other bytes.
class gzip_reader {
 public:
  explicit gzip_reader(file_reader const& file) : file_(file) {
    if (inflateInit2(&stream_, MAX_WBITS + 16) != Z_OK) fail("zlib could not be started");
  }
  gzip_reader(gzip_reader const&) = delete;
  gzip_reader& operator=(gzip_reader const&) = delete;
  ~gzip_reader() { inflateEnd(&stream_); }

  /// The next bytes, as many as `out` has room for; fewer, as returned, only at the end.
  [[nodiscard]] std::size_t read(std::span<char> out) {
    std::size_t filled = 0;
    while (filled < out.size() && !ended_) {
      if (stream_.avail_in == 0) refill();
      auto const room = static_cast<uInt>(std::min<std::size_t>(out.size() - filled, std::numeric_limits<uInt>::max()));
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream_.avail_out = room;
      int const status = inflate(&stream_, Z_NO_FLUSH);
      filled += room - stream_.avail_out;
      if (status == Z_STREAM_END)
        end();
      else if (status == Z_BUF_ERROR && at_ == file_.size())
        fail("the gzip file is cut short");
      else if (status != Z_OK && status != Z_BUF_ERROR)
        fail("the gzip file is damaged");
    }
    return filled;
  }

 private:
  void refill() {
    auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(packed_.size(), file_.size() - at_));
    file_.read(at_, std::span(packed_).first(count));
    at_ += count;
    stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_in = static_cast<uInt>(count);
  }
  void end() {
    ended_ = true;
    if (std::uint64_t const rest = stream_.avail_in + (file_.size() - at_); rest != 0)
      fail("the gzip file is followed by ", rest, " other bytes");
  }

  file_reader const& file_;
  std::uint64_t at_ = 0;
  bool ended_ = false;
  z_stream stream_{};
  std::array<char, 16384> packed_;
};

}  // namespace pareidolia::detail
