// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/state.hpp>
#include <pareidolia/core/version.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/safetensors_header.hpp>
#include <pareidolia/io/atomic_file.hpp>
#include <pareidolia/models/weights.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pareidolia {
namespace detail {

inline constexpr std::string_view state_format = "pareidolia state 1";

/// The type names that states have, as constants that outlive a file.
[[nodiscard]] inline std::string_view known_type(std::string const& kind) {
  static constexpr std::array<std::string_view, 7> known{"F32", "F64", "U8", "I32", "U32", "I64", "U64"};
  for (std::string_view const name : known)
    if (name == kind) return name;
  fail("it has numbers of type ", kind, ", which no state has");
}

[[nodiscard]] inline saved_state parse_state(file_reader const& file) {
  if (file.size() < 8) fail("the file has ", file.size(), " bytes; this is no checkpoint");
  std::uint64_t length = 0;
  for_each_value<std::uint64_t>(file, 0, sizeof length, [&](std::uint64_t found) { length = found; });
  if (length > file.size() - 8 || length > safetensors::longest_header(file.size()))
    fail("its header claims ", length, " bytes of ", file.size(), "; this is no checkpoint, or it is cut short");
  std::string header(static_cast<std::size_t>(length), '\0');
  file.read(8, header);
  weights described;
  auto const entries = safetensors::header_reader(described, file.size() - 8 - length).read(header, true);
  saved_state result;
  if (described.metadata["format"] != state_format)
    fail("its format is '", described.metadata["format"], "', not '", state_format, "'; this is no checkpoint that this version can read");
  described.metadata.erase("format");
  described.metadata.erase("version");
  for (auto const& [name, value] : described.metadata) result.settings[name] = value;
  for (auto const& entry : entries) {
    state_array& array = result.arrays[entry.content->first];
    array.type = known_type(entry.kind);
    array.shape = entry.content->second.shape;
    array.bytes.resize(static_cast<std::size_t>(entry.end - entry.begin));
    file.read(8 + length + entry.begin, {reinterpret_cast<char*>(array.bytes.data()), array.bytes.size()});
  }
  return result;
}

}  // namespace detail

/// The state that write_state() wrote. Errors: a file that is missing, cut short, damaged or of another kind.
[[nodiscard]] inline saved_state read_state(std::filesystem::path const& path) {
  detail::file_reader const file(path);
  try {
    return detail::parse_state(file);
  } catch (error const& e) {
    detail::fail(path.string(), ": ", e.what());
  }
}

/// Writes a state as safetensors, its settings as metadata: complete or not at all (atomic_file), and canonical, the same state is the same
/// bytes. A former file stays until the new one is safe on the disk. Errors: a file that cannot be written, a full disk.
inline void write_state(std::filesystem::path const& path, saved_state const& state) {
  auto header = nlohmann::json::object();
  auto& metadata = header["__metadata__"];
  for (auto const& [name, value] : state.settings) metadata[name] = value;
  metadata["format"] = detail::state_format;
  metadata["version"] = version;
  std::size_t offset = 0;
  for (auto const& [name, array] : state.arrays) {
    header[name] = {{"dtype", array.type}, {"shape", array.shape}, {"data_offsets", {offset, offset + array.bytes.size()}}};
    offset += array.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::uint64_t const length = text.size();
  atomic_file file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (auto const& [name, array] : state.arrays) file.write(array.bytes);
  file.commit();
}

/// Keeps the state of a run in a file, and takes it up from there: given to run() or train() among their sinks.
///
///     run(dream, net, blank(net.input()), rng{42}, checkpoint{"dream.ckpt"})
///
/// Where the file exists, the run goes on from it; where not, it begins. The state is written at most every `seconds`, and when the run
/// ends: a run that was complete gives its result at once, or goes on if it is given more steps. The file can be read as safetensors.
/// Killed at any moment, a run loses what came after the last write, and ends with the same result all the same.
///
/// Cost of a write: a copy of the state, and the disk. Errors: a file of another run (other seed, model, canvas or settings), or damaged; a
/// folder that cannot be written to, before the first step; a full disk, which leaves the former file as it was.
class checkpoint {
 public:
  explicit checkpoint(std::filesystem::path file, double seconds = 60) : file_(std::move(file)), seconds_(seconds) {
    if (!(seconds >= 0)) detail::fail("checkpoint: seconds is ", seconds, "; give 0, for every step, or more");
  }

  [[nodiscard]] std::string name() const { return file_.string(); }

  [[nodiscard]] std::optional<saved_state> restore() {
    last_ = clock::now();
    std::error_code failure;
    if (!std::filesystem::exists(file_, failure)) {
      atomic_file const can_be_written(file_);
      return std::nullopt;
    }
    return read_state(file_);
  }

  [[nodiscard]] bool due(bool last) const { return last || std::chrono::duration<double>(clock::now() - last_).count() >= seconds_; }

  void keep(saved_state const& state) {
    write_state(file_, state);
    last_ = clock::now();
  }

 private:
  using clock = std::chrono::steady_clock;

  std::filesystem::path file_;
  double seconds_;
  clock::time_point last_{};
};

}  // namespace pareidolia
